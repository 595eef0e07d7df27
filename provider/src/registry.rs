//! Everything that the provider offers, in one list.

use std::sync::Arc;

use crate::function::Function;
use crate::resource::{DataSource, Resource};

/// The managed resources.
pub fn resources() -> Vec<Arc<dyn Resource>> {
    Vec::new()
}

/// The data sources.
pub fn data_sources() -> Vec<Arc<dyn DataSource>> {
    Vec::new()
}

/// The functions.
pub fn functions() -> Vec<Arc<dyn Function>> {
    Vec::new()
}

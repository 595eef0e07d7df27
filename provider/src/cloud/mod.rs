//! The way to AWS.

use std::sync::Arc;

use crate::config::ProviderConfig;

/// A handle on every cell. Making one does no I/O.
#[derive(Debug)]
pub struct Cloud {
    config: Arc<ProviderConfig>,
}

impl Cloud {
    /// A handle that will act as the provider block says.
    pub fn new(config: Arc<ProviderConfig>) -> Cloud {
        Cloud { config }
    }

    /// The provider block.
    pub fn config(&self) -> &ProviderConfig {
        &self.config
    }
}

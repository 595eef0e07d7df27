//! What resources are given after Terraform configured the provider.

use std::sync::Arc;

use crate::apply::Shared;
use crate::cloud::Cloud;
use crate::config::ProviderConfig;

/// Shared by every call of this process; clones are cheap.
#[derive(Clone, Debug)]
pub struct Context {
    /// The way to AWS.
    pub cloud: Arc<Cloud>,
    /// The provider block.
    pub config: Arc<ProviderConfig>,
    /// What the resources of this process share.
    pub shared: Arc<Shared>,
}

impl Context {
    /// A context from the provider block. Does no I/O: AWS is first spoken to when a resource needs it.
    pub fn new(config: ProviderConfig) -> Context {
        let config = Arc::new(config);
        Context { cloud: Arc::new(Cloud::new(Arc::clone(&config))), config, shared: Arc::default() }
    }
}

//! The error of a budget that cannot be asked.

use std::error::Error;
use std::sync::Arc;

/// The error of a budget that cannot be asked. A client continues without it; see the [module](super).
#[derive(Clone, Debug, thiserror::Error)]
#[error("the rate budget cannot be asked: {message}")]
pub struct BudgetError {
    message: String,
    #[source]
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl BudgetError {
    /// An error with words, which must not hold a secret.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// The same with what caused it.
    pub fn from_source(message: impl Into<String>, source: impl Error + Send + Sync + 'static) -> Self {
        Self { message: message.into(), source: Some(Arc::new(source)) }
    }
}

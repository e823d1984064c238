//! Calling operations by their id, with JSON arguments: for conformance suites and tools that know operations as data.
//! Every call goes through the typed builders, so what is tested here is what users run.

use std::future::Future;
use std::pin::Pin;

use progenitor_client::ResponseValue;
use reqwest::header::HeaderMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Config, Error};

/// A success, with its value as JSON again.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status of the answer.
    pub status: u16,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The typed value, serialised.
    pub value: Value,
}

/// A client whose operations are called by id.
pub trait Dispatch: Send + Sync {
    /// Calls an operation. `arguments` holds each parameter under its name on the wire, and the body under `body`.
    ///
    /// # Errors
    /// An unknown operation, an argument of the wrong type, and everything that the call itself reports.
    fn call<'a>(
        &'a self,
        operation: &'a str,
        arguments: &'a Map<String, Value>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send + 'a>>;
}

/// Connects to an API by its folder's name (`instasent-ingest`, `scopien`), with the credential as text. An ingest
/// credential is taken as a data source token.
///
/// # Errors
/// An API that is unknown or not compiled in, and what the typed constructors refuse.
pub fn connect(api: &str, base_url: &str, secret: String) -> Result<Box<dyn Dispatch>, Error> {
    let config = Config::default().base_url(base_url);
    match api {
        #[cfg(feature = "instasent-legacy")]
        "instasent-legacy" => {
            use crate::api::instasent_legacy as legacy;
            Ok(Box::new(legacy::Client::with_config(crate::auth::LegacyToken::new(secret)?, config)?))
        }
        #[cfg(feature = "instasent-transactional")]
        "instasent-transactional" => {
            use crate::api::instasent_transactional as transactional;
            Ok(Box::new(transactional::Client::with_config(crate::auth::SmsToken::new(secret)?, config)?))
        }
        #[cfg(feature = "instasent-product")]
        "instasent-product" => {
            use crate::api::instasent_product as product;
            Ok(Box::new(product::Client::with_config(crate::auth::ProductToken::new(secret)?, config)?))
        }
        #[cfg(feature = "instasent-ingest")]
        "instasent-ingest" => {
            use crate::api::instasent_ingest as ingest;
            Ok(Box::new(ingest::Client::with_config(crate::auth::DatasourceToken::new(secret)?, config)?))
        }
        #[cfg(feature = "scopien")]
        "scopien" => {
            use crate::api::scopien;
            Ok(Box::new(scopien::Client::with_config(crate::auth::ScopienKey::new(secret)?, config)?))
        }
        _ => Err(Error::configuration(format!("there is no API called `{api}` in this build"))),
    }
}

/// Reads one argument as the type that the builder's setter takes.
pub(crate) fn argument<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Error> {
    T::deserialize(value).map_err(|error| Error::invalid_request(format!("the argument `{name}` is refused: {error}")))
}

impl Answer {
    pub(crate) fn from_response<T: Serialize>(response: ResponseValue<T>) -> Result<Self, Error> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let value = serde_json::to_value(response.into_inner())
            .map_err(|error| Error::invalid_request(format!("the answer cannot be written as JSON: {error}")))?;
        Ok(Self { status, headers, value })
    }
}

/// Implements [`Dispatch`] for a generated client.
macro_rules! dispatch {
    ($feature:literal, $module:ident) => {
        #[cfg(feature = $feature)]
        impl Dispatch for crate::api::$module::Client {
            fn call<'a>(
                &'a self,
                operation: &'a str,
                arguments: &'a Map<String, Value>,
            ) -> Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send + 'a>> {
                Box::pin(crate::api::$module::dispatch(self, operation, arguments))
            }
        }
    };
}

dispatch!("instasent-legacy", instasent_legacy);
dispatch!("instasent-transactional", instasent_transactional);
dispatch!("instasent-product", instasent_product);
dispatch!("instasent-ingest", instasent_ingest);
dispatch!("scopien", scopien);

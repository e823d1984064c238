//! A secret that is one field of a JSON object.

use futures_core::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::SecretSource;
use crate::error::Error;

/// One field of a secret that is a JSON object, which is how stores keep several values under one name.
///
/// ```
/// use keyfit::auth::SecretSource as _;
/// use keyfit::auth::source::{JsonField, MemorySource};
/// use secrecy::ExposeSecret as _;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), keyfit::Error> {
/// let source = JsonField::new(MemorySource::new(r#"{"api_key": "abc", "region": "eu"}"#), "api_key");
/// assert_eq!(source.read().await?.expose_secret(), "abc");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct JsonField<S> {
    source: S,
    field: String,
}

impl<S: SecretSource> JsonField<S> {
    /// The field of this name, at the top of the object.
    pub fn new(source: S, field: impl Into<String>) -> Self {
        Self { source, field: field.into() }
    }
}

impl<S: SecretSource> SecretSource for JsonField<S> {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async {
            let secret = self.source.read().await?;
            pick(&mut object(secret.expose_secret(), "the secret")?, &self.field, "the secret")
        })
    }
}

/// Reads a JSON object. The message never shows the text, and the parser's own words, which quote it, are dropped.
pub(super) fn object(text: &str, place: &str) -> Result<Map<String, Value>, Error> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Error::credential(format!("{place} is JSON but no object: it has no fields"))),
        Err(_) => Err(Error::credential(format!("{place} is not JSON: read it without a field"))),
    }
}

/// Takes a text out of an object. The message names the field and never shows a value.
pub(super) fn pick(object: &mut Map<String, Value>, field: &str, place: &str) -> Result<SecretString, Error> {
    match object.remove(field) {
        Some(Value::String(text)) if text.trim().is_empty() => {
            Err(Error::credential(format!("the field `{field}` of {place} is empty")))
        }
        Some(Value::String(text)) => Ok(text.into()),
        Some(_) => Err(Error::credential(format!("the field `{field}` of {place} is no string"))),
        None => Err(Error::credential(format!("{place} has no field `{field}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::source::MemorySource;

    #[tokio::test]
    async fn what_holds_no_such_field_is_refused_without_its_value() {
        let cases = [
            ("hunter2", "the secret is not JSON: read it without a field"),
            (r#"{"key": hunter2}"#, "the secret is not JSON: read it without a field"),
            (r#""hunter2""#, "the secret is JSON but no object: it has no fields"),
            (r#"["hunter2"]"#, "the secret is JSON but no object: it has no fields"),
            (r#"{"other": "hunter2"}"#, "the secret has no field `key`"),
            (r#"{"key": {"value": "hunter2"}}"#, "the field `key` of the secret is no string"),
            (r#"{"key": "", "other": "hunter2"}"#, "the field `key` of the secret is empty"),
        ];
        for (secret, said) in cases {
            let error = JsonField::new(MemorySource::new(secret), "key").read().await.expect_err(secret);
            assert_eq!(error.to_string(), said);
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}

//! The credentials that sign requests to AWS.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use crate::auth::environment;
use crate::auth::source::{SecretSource, json_field};
use crate::error::Error;

/// An access key of AWS, or where one comes from. Never printed.
#[derive(Clone)]
pub struct Credentials(Provider);

#[derive(Clone)]
enum Provider {
    Fixed(AccessKey),
    Environment,
    Json(Arc<dyn SecretSource>),
}

/// An access key as it is used for one request.
#[derive(Clone)]
pub(super) struct AccessKey {
    pub(super) id: String,
    pub(super) secret: SecretString,
    pub(super) session_token: Option<SecretString>,
}

impl Credentials {
    /// A long-lived access key.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<SecretString>) -> Self {
        let (id, secret) = (access_key_id.into(), secret_access_key.into());
        Self(Provider::Fixed(AccessKey { id, secret, session_token: None }))
    }

    /// The token that belongs to a temporary access key. No effect on keys from elsewhere, which bring their own.
    #[must_use]
    pub fn session_token(mut self, token: impl Into<SecretString>) -> Self {
        if let Provider::Fixed(key) = &mut self.0 {
            key.session_token = Some(token.into());
        }
        self
    }

    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where it is set, `AWS_SESSION_TOKEN`, read for each request.
    pub fn from_env() -> Self {
        Self(Provider::Environment)
    }

    /// JSON as `aws configure export-credentials` and the `credential_process` of AWS profiles print it: `AccessKeyId`,
    /// `SecretAccessKey`, `SessionToken`. Read for each request, so that temporary keys are always fresh.
    pub fn from_json(source: impl SecretSource) -> Self {
        Self(Provider::Json(Arc::new(source)))
    }

    pub(super) async fn resolve(&self) -> Result<AccessKey, Error> {
        match &self.0 {
            Provider::Fixed(key) => Ok(key.clone()),
            Provider::Environment => Ok(AccessKey {
                id: environment::variable("AWS_ACCESS_KEY_ID")?,
                secret: environment::variable("AWS_SECRET_ACCESS_KEY")?.into(),
                session_token: environment::optional("AWS_SESSION_TOKEN")?
                    .filter(|token| !token.is_empty())
                    .map(Into::into),
            }),
            Provider::Json(source) => from_json(&source.read().await?),
        }
    }
}

fn from_json(text: &SecretString) -> Result<AccessKey, Error> {
    const PLACE: &str = "the AWS credential";
    let mut object = json_field::object(text.expose_secret(), PLACE)?;
    // Long-lived keys have none.
    let has_session = object.get("SessionToken").is_some_and(|token| !token.is_null());
    let mut field = |name| json_field::pick(&mut object, name, PLACE);
    Ok(AccessKey {
        id: field("AccessKeyId")?.expose_secret().to_owned(),
        secret: field("SecretAccessKey")?,
        session_token: if has_session { Some(field("SessionToken")?) } else { None },
    })
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            // The id is no secret: it stands in AWS's own logs.
            Provider::Fixed(key) => write!(f, "Credentials({})", key.id),
            Provider::Environment => f.write_str("Credentials(environment)"),
            Provider::Json(source) => f.debug_tuple("Credentials").field(source).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::source::MemorySource;

    #[tokio::test]
    async fn the_output_of_awss_command_is_read() {
        let json = r#"{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"hunter2","SessionToken":"hunter3"}"#;
        let credentials = Credentials::from_json(MemorySource::new(json));
        let key = credentials.resolve().await.expect("a key");
        assert_eq!((key.id.as_str(), key.secret.expose_secret()), ("AKID", "hunter2"));
        assert_eq!(key.session_token.as_ref().map(SecretString::expose_secret), Some("hunter3"));
        assert!(!format!("{credentials:?}").contains("hunter"));
    }

    #[tokio::test]
    async fn a_key_without_its_secret_is_refused_by_field() {
        let json = MemorySource::new(r#"{"AccessKeyId":"hunter2"}"#);
        let error = Credentials::from_json(json).resolve().await.err().expect("no secret");
        assert_eq!(error.to_string(), "the AWS credential has no field `SecretAccessKey`");
    }

    #[test]
    fn a_fixed_key_shows_its_id_alone() {
        let shown = format!("{:?}", Credentials::new("AKID", "hunter2").session_token("hunter3"));
        assert_eq!(shown, "Credentials(AKID)");
    }
}

//! Checks how a user comes back from the authorization server.

use std::fmt;

use http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{PendingAuthorizations, Verifier, encode};
use crate::error::Error;
use crate::error::redact::{OneLine, Redactor};

/// A code that was checked against the browser that it came with. Good for one
/// [`exchange`](super::TokenEndpoint::exchange), within the minutes that the server gives it.
pub struct AuthorizationCode {
    code: SecretString,
    verifier: Verifier,
    redirect_uri: String,
    scopes: Vec<String>,
}

impl AuthorizationCode {
    /// The code, its verifier, the redirect URI and the scopes that were asked for.
    pub(super) fn parts(&self) -> (&str, &Verifier, &str, &[String]) {
        (self.code.expose_secret(), &self.verifier, &self.redirect_uri, &self.scopes)
    }
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationCode").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

/// Checks the request that a browser came back with: its whole URL, its path with query, or the query alone. `session`
/// is the one that [`begin`](super::AuthorizationRequest::begin) was given.
///
/// The `state` must be one that was given to this session, and is used up, whatever the server says besides: a refusal
/// is believed no sooner than a code. Where the request named its [`issuer`](super::AuthorizationRequest::issuer), so
/// must the callback, letter by letter.
///
/// ```
/// use keyfit::auth::oauth::{PendingAuthorizations, TokenEndpoint, TokenSet, handle_callback};
///
/// # async fn example(
/// #     request_uri: &str, session_cookie: &str, pending: &dyn PendingAuthorizations, endpoint: &TokenEndpoint,
/// # ) -> Result<TokenSet, (u16, &'static str)> {
/// match handle_callback(request_uri, session_cookie, pending).await {
///     Ok(code) => endpoint.exchange(code).await.map_err(|_| (502, "The login failed.")),
///     Err(error) => Err((error.status().as_u16(), error.answer())),
/// }
/// # }
/// ```
///
/// # Errors
/// Returns an error if the user is not logged in: a [`CallbackError`], with the response for the browser.
pub async fn handle_callback(
    callback: &str,
    session: &str,
    pending: &dyn PendingAuthorizations,
) -> Result<AuthorizationCode, CallbackError> {
    let callback = Callback::read(callback)?;
    let state = callback.state.filter(|state| !state.is_empty() && !session.is_empty());
    let known = match &state {
        Some(state) => pending.take(session, state).await.map_err(CallbackError::Store)?,
        None => None,
    };
    // Asked once more, so that a store that forgets to compare lets nobody in.
    let known = known.filter(|known| state.is_some_and(|state| known.has_state(&state)));
    let Some(known) = known else { return Err(CallbackError::State) };
    if known.issuer().is_some_and(|issuer| callback.issuer.as_deref() != Some(issuer)) {
        return Err(CallbackError::Issuer);
    }
    if let Some(error) = callback.error {
        let secrets = [Some(session), Some(known.state()), Some(known.verifier().expose()), callback.code.as_deref()];
        let secrets = Redactor::of_client(secrets.into_iter().flatten());
        let masked = |text: String| secrets.mask(&text).into_owned();
        return Err(CallbackError::Refused { code: masked(error), description: callback.description.map(masked) });
    }
    let code = callback.code.filter(|code| !code.is_empty()).ok_or(CallbackError::MissingCode)?;
    let (verifier, redirect_uri, scopes) = known.into_parts();
    Ok(AuthorizationCode { code: code.into(), verifier, redirect_uri, scopes })
}

/// The reason why a user who came back is not logged in.
///
/// # Troubleshooting
/// - [`State`](Self::State): the user took too long, went back in his browser, lost his session cookie, or was sent
///   here by somebody else. Let him start again.
/// - [`Issuer`](Self::Issuer): another server than the one that the user was sent to, or one that does not send `iss`:
///   then leave [`issuer`](super::AuthorizationRequest::issuer) out.
/// - [`Refused`](Self::Refused): `access_denied` is the user's own choice; other codes are a mistake in the request.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallbackError {
    /// The `state` is missing, unknown, expired, used, or of another session.
    State,
    /// The `iss` is missing, or that of another server (RFC 9207).
    Issuer,
    /// The server says no.
    Refused {
        /// The code of RFC 6749, section 4.1.2.1, such as `access_denied`.
        code: String,
        /// The server's words.
        description: Option<String>,
    },
    /// Neither a code nor an error.
    MissingCode,
    /// A parameter is there twice.
    Repeated(&'static str),
    /// The store of pending authorizations failed.
    Store(Error),
}

impl CallbackError {
    /// The status to answer the browser with: 400, or 500 where the fault is ours.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The plain text to answer the browser with. Nothing in it comes from the request.
    pub fn answer(&self) -> &'static str {
        match self {
            Self::State => "This login has expired or was not started here. Please start again.",
            Self::Refused { code, .. } if code == "access_denied" => "Access was not granted.",
            Self::Issuer | Self::Refused { .. } | Self::MissingCode | Self::Repeated(_) => {
                "The login failed at the authorization server."
            }
            Self::Store(_) => "The login cannot be finished at the moment.",
        }
    }
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State => f.write_str("the `state` of the callback is missing or not one that this session was given"),
            Self::Issuer => f.write_str("the `iss` of the callback is missing or not the issuer of the request"),
            Self::Refused { code, description } => {
                write!(f, "the authorization was refused ({})", OneLine::of_server(code))?;
                description.iter().try_for_each(|text| write!(f, ": {}", OneLine::of_server(text)))
            }
            Self::MissingCode => f.write_str("the callback has neither a code nor an error"),
            Self::Repeated(name) => write!(f, "the callback has `{name}` more than once"),
            Self::Store(_) => f.write_str("the pending authorizations cannot be read"),
        }
    }
}

impl std::error::Error for CallbackError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<CallbackError> for Error {
    fn from(error: CallbackError) -> Self {
        Self::credential_from(error.to_string(), error)
    }
}

/// The parameters that count.
#[derive(Default)]
struct Callback {
    code: Option<String>,
    state: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Callback {
    fn read(text: &str) -> Result<Self, CallbackError> {
        let mut read = Self::default();
        for (name, value) in encode::pairs(query(text)) {
            let (place, name) = match name.as_str() {
                "code" => (&mut read.code, "code"),
                "state" => (&mut read.state, "state"),
                "iss" => (&mut read.issuer, "iss"),
                "error" => (&mut read.error, "error"),
                "error_description" => (&mut read.description, "error_description"),
                _ => continue,
            };
            // Two readers could each take another one (RFC 6749, section 3.1).
            if place.replace(value).is_some() {
                return Err(CallbackError::Repeated(name));
            }
        }
        Ok(read)
    }
}

/// The query of a URL, of a path, or by itself.
fn query(text: &str) -> &str {
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    // A path may hold `=` and `&`, a query may hold `?`.
    if text.starts_with(['/', '?']) || Url::parse(text).is_ok() {
        text.split_once('?').map_or("", |(_, query)| query)
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use futures_core::future::BoxFuture;

    use super::super::{MemoryPendingAuthorizations, PendingAuthorization};
    use super::*;

    async fn handle(callback: &str) -> Result<AuthorizationCode, CallbackError> {
        handle_from(callback, None).await
    }

    async fn handle_from(callback: &str, issuer: Option<&str>) -> Result<AuthorizationCode, CallbackError> {
        let pending = MemoryPendingAuthorizations::new();
        let issuer = issuer.map(str::to_owned);
        let entry =
            PendingAuthorization::new("right", Verifier::random()?, "https://app.example.com/", Vec::new(), issuer);
        pending.put("s", entry).await?;
        handle_callback(callback, "s", &pending).await
    }

    impl From<Error> for CallbackError {
        fn from(error: Error) -> Self {
            Self::Store(error)
        }
    }

    #[tokio::test]
    async fn a_url_a_path_and_a_query_are_read_alike() {
        for callback in [
            "https://app.example.com/callback?code=a%2Fb&state=right",
            "/callback?code=a%2Fb&state=right#fragment",
            "?state=right&code=a%2Fb",
            "state=right&code=a%2Fb&iss=x?y",
            "iss=https://auth.example.com/?y&state=right&code=a%2Fb",
            "/app;v=1&x/callback?code=a%2Fb&state=right",
            "com.example.app:/callback?code=a%2Fb&state=right",
        ] {
            assert_eq!(handle(callback).await.expect(callback).parts().0, "a/b");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_said_before_a_missing_code_but_not_without_the_state() {
        let refusal = "error=access_denied&error_description=no+thanks";
        let error = handle(&format!("{refusal}&state=right")).await.expect_err("refused");
        assert_eq!(error.to_string(), "the authorization was refused (access_denied): no thanks");
        assert_eq!((error.status().as_u16(), error.answer()), (400, "Access was not granted."));
        for state in ["", "&state=", "&state=wrong"] {
            assert!(matches!(handle(&format!("{refusal}{state}")).await, Err(CallbackError::State)), "{state}");
        }
    }

    #[tokio::test]
    async fn another_issuer_is_refused_where_the_request_names_one() {
        let own = "https://auth.example.com";
        let callback = |issuer: &str| format!("state=right&code=x{issuer}");
        let right = callback("&iss=https%3A%2F%2Fauth.example.com");
        assert!(handle_from(&right, Some(own)).await.is_ok());
        for issuer in ["", "&iss=", "&iss=https%3A%2F%2Fevil.example", "&iss=https%3A%2F%2Fauth.example.com%2F"] {
            let error = handle_from(&callback(issuer), Some(own)).await.expect_err(issuer);
            assert!(matches!(error, CallbackError::Issuer), "{error:?}");
            assert_eq!(error.status(), StatusCode::BAD_REQUEST);
            assert!(handle(&callback(issuer)).await.is_ok(), "{issuer}");
        }
        // Neither is its refusal believed, and the state comes first.
        let refusal = "error=access_denied&iss=https%3A%2F%2Fevil.example";
        let refused = handle_from(&format!("{refusal}&state=right"), Some(own)).await;
        assert!(matches!(refused, Err(CallbackError::Issuer)));
        assert!(matches!(handle_from(refusal, Some(own)).await, Err(CallbackError::State)));
    }

    #[tokio::test]
    async fn an_empty_session_is_nobodys() {
        let callback = handle_callback("code=x&state=right", "", &Careless).await;
        assert!(matches!(callback, Err(CallbackError::State)));
    }

    #[tokio::test]
    async fn a_code_without_the_right_state_is_refused() {
        for callback in ["code=x", "code=x&state=", "code=x&state=wrong", "code=x&state=Right", "code=x&state=righ", ""]
        {
            let error = handle(callback).await.expect_err(callback);
            assert!(matches!(error, CallbackError::State), "{error:?}");
            assert_eq!(error.status(), StatusCode::BAD_REQUEST);
        }
    }

    /// A store that finds something for every state.
    #[derive(Debug)]
    struct Careless;

    impl PendingAuthorizations for Careless {
        fn put<'a>(&'a self, _: &'a str, _: PendingAuthorization) -> BoxFuture<'a, Result<(), Error>> {
            Box::pin(async { Ok(()) })
        }

        fn take<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<Option<PendingAuthorization>, Error>> {
            Box::pin(async {
                Ok(Some(PendingAuthorization::new("right", Verifier::random()?, "x:/", Vec::new(), None)))
            })
        }
    }

    #[tokio::test]
    async fn a_store_that_forgets_to_compare_lets_nobody_in() {
        assert!(handle_callback("code=x&state=right", "s", &Careless).await.is_ok());
        assert!(matches!(handle_callback("code=x&state=wrong", "s", &Careless).await, Err(CallbackError::State)));
    }

    #[tokio::test]
    async fn a_callback_without_a_code_or_with_two_is_refused() {
        assert!(matches!(handle("state=right").await, Err(CallbackError::MissingCode)));
        assert!(matches!(handle("state=right&code=").await, Err(CallbackError::MissingCode)));
        for (callback, name) in [
            ("state=right&code=a&code=b", "code"),
            ("state=wrong&state=right&code=a", "state"),
            ("error=&error=", "error"),
            ("state=right&code=a&iss=x&iss=x", "iss"),
        ] {
            assert!(matches!(handle(callback).await, Err(CallbackError::Repeated(found)) if found == name));
        }
    }

    #[tokio::test]
    async fn what_the_request_says_does_not_reach_the_browser() {
        let error = handle("error=%3Cscript%3E&error_description=%3Cb%3E%0Ax&state=right").await.expect_err("refused");
        assert!(!error.answer().contains('<'));
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

//! [`DlrEvent`] as an extractor of axum.

use axum_core::body::Body;
use axum_core::extract::{FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{DlrEvent, InvalidDlr, MAX_BODY};

/// Reads the body whatever its content type, which is not documented. No more than [`MAX_BODY`] bytes of it are kept.
impl<S: Send + Sync> FromRequest<S> for DlrEvent {
    type Rejection = InvalidDlr;

    async fn from_request(request: Request, _: &S) -> Result<Self, InvalidDlr> {
        let body = Limited::new(request.into_body(), MAX_BODY).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                InvalidDlr::TooLarge { limit: MAX_BODY }
            } else {
                InvalidDlr::Unreadable { reason: error.to_string() }
            }
        })?;
        Self::from_slice(&body.to_bytes())
    }
}

/// 413 for a body that is too large, else 400, with the reason as plain text.
impl IntoResponse for InvalidDlr {
    fn into_response(self) -> Response {
        let status = match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut response = Response::new(Body::from(format!("{self}\n")));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}

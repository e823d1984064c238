//! The posts of Instasent to your webhook: delivery reports and inbound messages; and the state of a message after reports
//! that may be repeated, late or in any order.
//!
//! The webhook is answered with 2xx in under 5 seconds, and worked on afterwards: any other answer, and a late one, is a
//! failure, and the report comes again. No signature is documented, so that anybody who knows the address can post to
//! it: keep the address to yourself, and believe a report as far as you would believe a stranger.
//!
//! ```
//! use keyfit::instasent::webhook::{DeliveryState, DlrEvent, DlrStatus, Transition};
//!
//! # fn main() -> Result<(), keyfit::instasent::webhook::InvalidDlr> {
//! let report = |status| format!(r#"{{"id": "sms_1", "status": "{status}", "code": 0, "eventAt": "2026-01-22T10:00:00Z"}}"#);
//! let delivered = DlrEvent::from_slice(report("delivered").as_bytes())?;
//! let sent = DlrEvent::from_slice(report("sent").as_bytes())?;
//!
//! let (state, transition) = DeliveryState::default().after(&delivered);
//! assert_eq!(transition, Transition::Advanced);
//! let (state, transition) = state.after(&sent); // Late: it is not taken back.
//! assert_eq!((state.status(), transition), (Some(&DlrStatus::Delivered), Transition::Stale));
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `axum`, [`DlrEvent`] is an extractor: `async fn dlr(event: DlrEvent) -> StatusCode`. The repository's
//! `examples/dlr_server.rs` is a whole receiver.

#[cfg(feature = "axum")]
mod axum;
mod event;
mod state;
mod status;

pub use event::{DlrEvent, InvalidDlr, MAX_BODY};
pub use state::{DeliveryState, Transition};
pub use status::DlrStatus;

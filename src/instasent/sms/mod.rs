//! Checks of an SMS before it is sent: the number of its parts, its cost, and the limits that the API documents; also the match
//! between the messages and the elements of a bulk answer. A plan is sent through a client's bulk request, [`Plan::send`].
//!
//! ```
//! use keyfit::instasent::sms::{self, Draft, Segments};
//!
//! assert_eq!(Segments::of("Hello").parts, 1);
//!
//! let drafts = [Draft::new("Keyfit", "+34600000000", "Hello"), Draft::new("Keyfit", "600000000", "Hello")];
//! let plan = sms::plan(&drafts);
//! assert_eq!((plan.parts(), plan.chunks().len()), (1, 1));
//! assert_eq!(plan.refused()[0].index, 1);
//! println!("{}", plan.refused()[0]); // `to`: it does not start with + …
//! ```

mod alphabet;
mod check;
mod cost;
mod echo;
mod message;
mod outcome;
mod plan;
mod segments;
mod send;

pub use check::{Checked, Field, Finding, Refused, check};
pub use cost::{Decimal, InvalidAmount, amount, cost};
pub use message::{Draft, Message};
pub use outcome::{BulkOutcome, Evidence, InvalidAnswer, ItemOutcome, ItemReport, Unplaced};
pub use plan::{BULK_LIMIT, Chunk, Entry, Plan, RefusedItem, plan};
pub use segments::{Encoding, Segments};
pub use send::Sent;

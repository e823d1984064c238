//! Filters that cannot be wrong in form: the list filter of the index calls, and the trees of conditions that the Product
//! API searches contacts and events by. What a filter means is the server's to say; no attribute or event is looked up.
//!
//! Only what is documented or seen in the vendor's own clients has a function here. For anything else there is an
//! `unchecked` one, which sends what it is given.
//!
//! ```
//! use keyfit::instasent::filter::{AudienceNode, Limit, Search, Predicate, attribute};
//!
//! # fn main() -> Result<(), keyfit::instasent::filter::InvalidFilter> {
//! let spaniards = attribute("_country_code", Predicate::contains(["ES"])?)?;
//! let adults = attribute("age", Predicate::at_least(18)?)?;
//! let search = Search::new(AudienceNode::all([spaniards, adults])?).limit(Limit::new(20)?);
//! assert_eq!(search.to_json()["root"]["join"], "and");
//! # Ok(())
//! # }
//! ```

mod invalid;
mod limit;
mod list;
mod node;
mod predicate;
mod relative;
mod request;
mod value;

pub use invalid::InvalidFilter;
pub use limit::Limit;
pub use list::{ListFilter, Operator};
pub use node::{AudienceNode, EventCondition, EventKey, EventNode, attribute, event};
pub use predicate::Predicate;
pub use relative::{Bound, Period, RelativeDates};
pub use request::{Scroll, Search, Sort};
pub use value::Scalar;

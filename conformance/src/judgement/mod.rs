//! The judgement of exchanges: the outcome of a case, and the rules that correct it in view of the other outcomes.

pub(crate) mod consequence;
pub(crate) mod control;
pub(crate) mod general_rules;
pub mod missing;
pub mod verdict;

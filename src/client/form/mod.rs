//! Bodies that are forms: `application/x-www-form-urlencoded`, and parts of their own with files among them.

mod file_part;
mod member;
mod multipart;
mod part;
mod urlencoded;

pub use file_part::FilePart;
pub use member::FormMember;
pub(crate) use multipart::Multipart;
pub(crate) use urlencoded::written;

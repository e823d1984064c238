//! The encoding of a member of a form.

use crate::client::list_style::ListStyle;

/// The encoding of a member of a form, if it is not the usual one: the words of OpenAPI's `encoding`.
///
/// As usual means: a plain value as its text, a list by one field for each item, an object as JSON. Null is no field.
#[derive(Clone, Copy, Debug)]
pub struct FormMember {
    pub(super) name: &'static str,
    pub(super) style: Option<ListStyle>,
    pub(super) is_spread: bool,
    pub(super) media_type: Option<&'static str>,
    pub(super) allows_reserved: bool,
}

impl FormMember {
    /// The member of this name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, style: None, is_spread: false, media_type: None, allows_reserved: false }
    }

    /// A list or an object is written by this style.
    #[must_use]
    pub const fn with_style(mut self, style: ListStyle) -> Self {
        self.style = Some(style);
        self
    }

    /// The members of an object are fields of their own: `form` with `explode`.
    #[must_use]
    pub const fn spread(mut self) -> Self {
        self.is_spread = true;
        self
    }

    /// The media types of its part, with commas between them. A value of one that is JSON is written as JSON, a list as a whole.
    #[must_use]
    pub const fn with_media_type(mut self, media_type: &'static str) -> Self {
        self.media_type = Some(media_type);
        self
    }

    /// Leaves the separators of a URL unencoded in a value, except `&`, `=`, `+`, `#` and `%`, which a form needs.
    #[must_use]
    pub const fn with_reserved(mut self) -> Self {
        self.allows_reserved = true;
        self
    }

    /// Returns the encoding of the member of this name.
    pub(super) fn find(members: &[Self], name: &str) -> Self {
        let known = members.iter().find(|member| member.name == name);
        known.copied().unwrap_or(Self::new(""))
    }

    /// Returns whether its value is always JSON.
    pub(super) fn is_json(&self) -> bool {
        self.media_type.is_some_and(|media_type| {
            let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
        })
    }
}

//! The names of kinds of token in Rust and in the environment.

use std::collections::HashSet;

use heck::ToShoutySnakeCase as _;

use super::{Kind, Kinds};
use crate::contract::Carrier;
use crate::{Api, name};

/// Returns an environment variable named after a text: `PARCELS_API_KEY`, `NOTES_OAUTH2_PASSWORD_BEARER`.
pub(super) fn variable_of(text: &str) -> String {
    // Authors treat each of these as one word.
    const WORDS: [(&str, &str); 5] =
        [("OAuth", "Oauth"), ("oAuth", "oauth"), ("OpenID", "Openid"), ("OpenId", "Openid"), ("openId", "openid")];
    let whole = WORDS.iter().fold(text.to_owned(), |text, (written, word)| text.replace(written, word));
    let plain = whole.to_shouty_snake_case();
    let plain = plain.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_', "_");
    if plain.starts_with(|letter: char| letter.is_ascii_digit()) { format!("_{plain}") } else { plain }
}

/// The suffix of the base URL's variable, as words.
pub(super) const BASE_URL: &str = "base url";

/// The name of the only kind if neither contract nor document names one.
const UNNAMED: &str = "token";

/// The names that the root of generated code uses for something else.
const TAKEN_NAMES: [&str; 2] = ["Api", "Client"];

/// The names of kinds in Rust and in the environment.
pub(super) struct KindNames {
    pub(super) api: String,
    pub(super) markers: HashSet<String>,
    pub(super) tokens: HashSet<String>,
    /// The environment variables of this API, so that no two credentials share one.
    pub(super) variables: HashSet<String>,
}

impl KindNames {
    pub(super) fn new(api: &Api) -> Self {
        let (markers, tokens) = (HashSet::new(), TAKEN_NAMES.map(str::to_owned).into());
        let mut names = Self { api: api.name.clone(), markers, tokens, variables: HashSet::new() };
        names.variables.insert(names.variable(BASE_URL));
        names
    }

    pub(super) fn kind(
        &mut self,
        kind: &str,
        carrier: Carrier,
        variable: Option<String>,
        prefixes: Vec<String>,
    ) -> Kind {
        let plain = name::of_type(kind);
        let is_token = plain.ends_with("Key") || plain.ends_with("Token");
        let token = if is_token { plain.clone() } else { format!("{plain}Token") };
        Kind {
            name: kind.to_owned(),
            marker: name::unique(&plain, &mut self.markers),
            token: name::unique(&token, &mut self.tokens),
            variable: variable.unwrap_or_else(|| self.free_variable(kind)),
            carrier,
            prefixes,
        }
    }

    /// Returns a free variable for a kind without one in the contract.
    pub(super) fn free_variable(&mut self, kind: &str) -> String {
        let wanted = self.variable(kind);
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let mut free = std::iter::once(wanted.clone()).chain(numbered).filter(|name| !self.variables.contains(name));
        let variable = free.next().unwrap_or_default();
        self.variables.insert(variable.clone());
        variable
    }

    /// Returns kinds without an entry.
    pub(super) fn no_kinds(&self) -> Kinds {
        Kinds {
            own: Vec::new(),
            foreign: Vec::new(),
            first: None,
            certificates: Vec::new(),
            oauth: Vec::new(),
            works_without_credential: false,
            base_url: self.variable(BASE_URL),
        }
    }

    /// Returns the only kind of an API without stated credentials.
    pub(super) fn only_unnamed(mut self) -> Kinds {
        let kind = self.kind(UNNAMED, Carrier::Header, None, Vec::new());
        Kinds { own: vec![kind], first: Some((UNNAMED.to_owned(), Carrier::Header)), ..self.no_kinds() }
    }

    pub(super) fn variable(&self, kind: &str) -> String {
        variable_of(&format!("{} {kind}", self.api))
    }
}

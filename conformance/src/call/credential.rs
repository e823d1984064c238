//! Which credential a call is made with: the kinds that open the operation, and the variables that hold them.

use keyfit::auth::Carrier;
use keyfit_openapi::{Needed, Opener, Operation};

use super::{Callee, near};
use crate::UserError;
use crate::secret::shown;

/// A kind of token that a call is made with.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The name of the kind.
    pub kind: String,
    /// The variable that holds a token of it.
    pub variable: Option<String>,
    /// Where it is sent.
    pub carrier: Carrier,
}

impl Chosen {
    /// The kind of token for an operation: `kind`, where the caller names one, else the first of which the variable is set.
    /// `None` where a call needs none. Where `has_token` says that the token is given, no variable is asked for.
    ///
    /// # Errors
    /// Returns an error if the operation takes no token of this kind, none that a client can send, and if no variable is set.
    pub fn of(
        callee: &Callee,
        operation: &Operation,
        kind: Option<&str>,
        has_token: bool,
        is_set: impl Fn(&str) -> bool,
    ) -> Result<Option<Self>, UserError> {
        let needed = callee.api.needed(operation);
        let fitting: Vec<&Opener> = match &needed {
            Needed::Any => callee.openers.iter().collect(),
            Needed::OneOf(names) | Needed::Optional(names) => {
                callee.openers.iter().filter(|opener| names.contains(&opener.name)).collect()
            }
        };
        let is_optional = match needed {
            Needed::Any => fitting.is_empty(),
            Needed::OneOf(_) => false,
            Needed::Optional(_) => true,
        };
        if let Some(kind) = kind {
            let known = fitting.iter().find(|opener| opener.name == kind).ok_or_else(|| {
                let names: Vec<&str> = fitting.iter().map(|opener| opener.name.as_str()).collect();
                let otherwise = match names[..] {
                    [] => "it takes none that keyfit can send: leave --as out".to_owned(),
                    _ => format!("it takes {}", names.join(", ")),
                };
                UserError::new(format!("the operation `{}` takes no token of the kind `{}`", operation.id, shown(kind)))
                    .help(near::told(kind, names.iter().copied(), &otherwise))
            })?;
            return Self::checked(known, has_token, is_set).map(Some);
        }
        let is_held = |opener: &&&Opener| has_token || opener.variable.as_deref().is_some_and(&is_set);
        match (fitting.iter().find(is_held), fitting[..].first()) {
            (Some(opener), _) => Self::checked(opener, has_token, is_set).map(Some),
            (None, _) if is_optional => Ok(None),
            (None, None) => Err(UserError::new(format!("the operation `{}` takes a credential that cannot be sent", operation.id))
                .help("tokens are sent in headers, as bearer tokens or keys; a contract.toml in the API's folder may say more")),
            (None, Some(_)) => {
                let variables: Vec<&str> = fitting.iter().filter_map(|opener| opener.variable.as_deref()).collect();
                let set = match variables[..] {
                    [] => String::new(),
                    [one] => format!("set {one}, or "),
                    _ => format!("set one of {}, or ", variables.join(", ")),
                };
                Err(UserError::new(format!("there is no credential for the operation `{}`", operation.id))
                    .help(format!("{set}name a file that holds one: --token @FILE")))
            }
        }
    }

    fn checked(opener: &Opener, has_token: bool, is_set: impl Fn(&str) -> bool) -> Result<Self, UserError> {
        let variable = opener.variable.clone();
        if !has_token && !variable.as_deref().is_some_and(is_set) {
            let set = variable.map_or_else(String::new, |variable| format!("set {variable}, or "));
            return Err(UserError::new(format!("there is no token of the kind `{}`", opener.name))
                .help(format!("{set}name a file that holds one: --token @FILE")));
        }
        // It lives as long as the program, which makes one call.
        let leaked = |text: &String| -> &'static str { text.clone().leak() };
        let carrier = match &opener.carrier {
            keyfit_openapi::Carrier::NamedHeader(name) => Carrier::Header(leaked(name)),
            keyfit_openapi::Carrier::Scheme(scheme) => Carrier::Scheme(leaked(scheme)),
            keyfit_openapi::Carrier::Header | keyfit_openapi::Carrier::Query(_) => Carrier::Bearer,
        };
        Ok(Self { kind: opener.name.clone(), variable, carrier })
    }

    /// The header that carries it, without the token.
    pub fn header(&self) -> String {
        match self.carrier {
            Carrier::Scheme(scheme) => format!("authorization: {scheme} [redacted]"),
            Carrier::Header(name) => format!("{}: [redacted]", name.to_ascii_lowercase()),
            _ => "authorization: Bearer [redacted]".to_owned(),
        }
    }
}

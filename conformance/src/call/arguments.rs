//! The arguments of the command line: `name=value` for parameters and for members of the body.

use keyfit::{DynamicCall, ListStyle};
use keyfit_openapi::{Api, Operation, Parameter, ParameterLocation, did_you_mean};
use serde_json::value::RawValue;

use super::body::{self, Body, Member};
use super::value;
use crate::UserError;
use crate::body::asked_for;
use crate::parameter;
use crate::secret::{names_secret, shown};

/// The arguments of a call, validated against the document.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    path: Vec<(String, String)>,
    pub(super) query: Vec<(String, Box<RawValue>)>,
    headers: Vec<(String, String)>,
    /// Parameters with a serialization style.
    lists: Vec<List>,
    pub(super) body: Option<Body>,
    accept: String,
    /// The values of arguments whose names denote a secret.
    secrets: Vec<String>,
}

/// A parameter with a serialization style.
#[derive(Clone, Debug)]
struct List {
    name: String,
    place: ParameterLocation,
    style: ListStyle,
    value: Box<RawValue>,
}

/// The target of a name.
enum Slot<'a> {
    Parameter(&'a Parameter),
    Member(Member<'a>),
}

/// A name, with all values that were typed for it.
struct Given<'a> {
    slot: Slot<'a>,
    typed: Vec<&'a str>,
}

impl Arguments {
    /// Parses the typed arguments; `body` replaces members of the body.
    ///
    /// # Errors
    /// Returns an error if a name is unknown, if a value does not have the type of its schema, or if a required one is missing. The error
    /// contains no values.
    pub fn read(api: &Api, operation: &Operation, typed: &[String], body: Option<Vec<u8>>) -> Result<Self, UserError> {
        let mut given: Vec<Given<'_>> = Vec::new();
        for (index, argument) in typed.iter().enumerate() {
            // It may be a misplaced token, so the message does not repeat it.
            let (name, text) = argument.split_once('=').ok_or_else(|| {
                UserError::new(format!("argument {} is not NAME=VALUE", index + 1))
                    .help(other_names(api, operation, argument))
            })?;
            let slot = slot(api, operation, name, body.is_some())?;
            match given.iter_mut().find(|known| known.slot.is(&slot)) {
                Some(known) => known.typed.push(text),
                None => given.push(Given { slot, typed: vec![text] }),
            }
        }
        missing(api, operation, &given, body.is_some())?;
        let mut arguments = Self { accept: asked_for(operation).to_owned(), ..Self::default() };
        let mut members = Vec::new();
        for Given { slot, typed } in given {
            let name = match &slot {
                Slot::Parameter(parameter) => &parameter.name,
                Slot::Member(member) => &member.name,
            };
            if names_secret(name) {
                arguments.secrets.extend(typed.iter().map(|text| (*text).to_owned()));
            }
            match slot {
                Slot::Parameter(parameter) => arguments.take(api, parameter, &typed)?,
                Slot::Member(member) => members.push(member.read(api, &typed)?),
            }
        }
        arguments.body = match (body, &operation.body) {
            (Some(text), Some(documented)) => Some(body::given(api, documented, text)?),
            (Some(_), None) => {
                return Err(
                    UserError::new(format!("the operation `{}` takes no body", operation.id)).help("leave --body out")
                );
            }
            (None, Some(documented)) if !members.is_empty() || documented.required => {
                Some(body::of_members(api, documented, &members)?)
            }
            (None, _) => None,
        };
        Ok(arguments)
    }

    /// Adds the arguments to a call.
    pub fn put_into<'c>(&self, mut call: DynamicCall<'c>) -> DynamicCall<'c> {
        for (name, value) in &self.path {
            call = call.path(name, value);
        }
        for (name, value) in &self.query {
            call = call.query(name, value);
        }
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        for List { name, place, style, value } in &self.lists {
            call = match place {
                ParameterLocation::Path => call.path_list(name, value, *style),
                ParameterLocation::Query => call.query_list(name, value, *style),
                ParameterLocation::Header => call.header_list(name, value, *style),
            };
        }
        if let Some(body) = &self.body {
            call = call.body(&body.media_type, body.bytes.clone());
        }
        call.accept(&self.accept)
    }

    /// Returns the arguments without a body.
    #[must_use]
    pub fn without_body(self) -> Self {
        Self { body: None, ..self }
    }

    /// Returns the values of arguments whose names denote a secret.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(String::as_str)
    }

    fn take(&mut self, api: &Api, parameter: &Parameter, typed: &[&str]) -> Result<(), UserError> {
        let name = &parameter.name;
        let value = value::of_parameter(api, parameter, typed)
            .map_err(|why| refused(name, &why, &value::taken(api, parameter)))?;
        if let Some(style) = parameter.style.map(parameter::style) {
            self.lists.push(List { name: name.clone(), place: parameter.location, style, value });
            return Ok(());
        }
        // A value without a type is a text here: users do not type quotes for an id.
        let plain = match typed {
            [one] if matches!(value::kind(api, &parameter.schema), value::Kind::Any) => (*one).to_owned(),
            _ => value::plain(&value),
        };
        match parameter.location {
            ParameterLocation::Path => self.path.push((name.clone(), plain)),
            ParameterLocation::Header => self.headers.push((name.clone(), plain)),
            ParameterLocation::Query => self.query.push((name.clone(), value)),
        }
        Ok(())
    }
}

impl Slot<'_> {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Parameter(one), Self::Parameter(other)) => std::ptr::eq(*one, *other),
            (Self::Member(one), Self::Member(other)) => one.name == other.name,
            _ => false,
        }
    }
}

/// Returns the error for an invalid value.
pub(super) fn refused(name: &str, why: &str, taken: &str) -> UserError {
    UserError::new(format!("the value of `{name}` {why}")).help(format!("it takes: {taken}"))
}

/// Returns the target of a name: a parameter, or else a member of the body. The prefixes `path:`, `query:`, `header:` and `body:`
/// distinguish several with the same name.
fn slot<'a>(api: &'a Api, operation: &'a Operation, name: &'a str, has_body: bool) -> Result<Slot<'a>, UserError> {
    let (place, plain) = match name.split_once(':') {
        Some((place @ ("path" | "query" | "header" | "body"), plain)) => (place, plain),
        _ => ("", name),
    };
    let is_in = |parameter: &&Parameter| place.is_empty() || place == placed(parameter.location);
    let is_called = |parameter: &&Parameter| {
        parameter.name == plain
            || (parameter.location == ParameterLocation::Header && parameter.name.eq_ignore_ascii_case(plain))
    };
    // A path parameter takes precedence over one with the same name elsewhere, which may be optional.
    let found = operation.parameters.iter().filter(is_in).filter(is_called);
    let found = found.min_by_key(|parameter| parameter.location != ParameterLocation::Path);
    if let Some(parameter) = found {
        return Ok(Slot::Parameter(parameter));
    }
    let member = operation.body.as_ref().filter(|_| matches!(place, "" | "body"));
    let member = member.and_then(|body| body::member(api, body, plain, place == "body"));
    match member {
        Some(_) if has_body => {
            Err(UserError::new(format!("`{}` is a member of the body, and --body is given too", shown(plain)))
                .help("give the whole body with --body, or its members by name"))
        }
        Some(member) => Ok(Slot::Member(member)),
        None => Err(UserError::new(format!("the operation `{}` takes no `{}`", operation.id, shown(name)))
            .help(other_names(api, operation, plain))),
    }
}

/// Returns the prefix for the place of a parameter.
pub(super) fn placed(place: ParameterLocation) -> &'static str {
    match place {
        ParameterLocation::Path => "path",
        ParameterLocation::Query => "query",
        ParameterLocation::Header => "header",
    }
}

fn other_names(api: &Api, operation: &Operation, typed: &str) -> String {
    let mut names: Vec<String> = operation.parameters.iter().map(|parameter| parameter.name.clone()).collect();
    names.extend(operation.body.iter().flat_map(|body| body::members(api, body)).map(|member| member.name));
    if names.is_empty() {
        return "it takes no arguments".to_owned();
    }
    did_you_mean(typed, names.iter().map(String::as_str), "--describe says what it takes")
}

/// Returns an error with all missing required arguments and their types.
fn missing(api: &Api, operation: &Operation, given: &[Given<'_>], has_body: bool) -> Result<(), UserError> {
    let mut missing: Vec<String> = Vec::new();
    let mut miss = |name: &str, place: &str, taken: &str| missing.push(format!("{name} ({place}: {taken})"));
    let is_needed = |one: &&Parameter| one.required && !operation.is_generated_key(&one.name, one.location);
    for parameter in operation.parameters.iter().filter(is_needed) {
        if !given.iter().any(|known| matches!(known.slot, Slot::Parameter(one) if std::ptr::eq(one, parameter))) {
            miss(&parameter.name, placed(parameter.location), &value::taken(api, parameter));
        }
    }
    if let Some(body) = operation.body.as_ref().filter(|_| !has_body) {
        let names: Vec<&str> = given
            .iter()
            .filter_map(|known| match &known.slot {
                Slot::Member(member) => Some(&*member.name),
                Slot::Parameter(_) => None,
            })
            .collect();
        let members = body::members(api, body);
        if body.required && names.is_empty() && !members.iter().any(|member| member.is_required) {
            // No members are required or known, but the body as a whole is.
            if !body::may_be_empty(api, body) {
                miss("--body", &body.media_type, &value::named(api, &body.schema));
            }
        }
        if body.required || !names.is_empty() {
            for member in members.iter().filter(|member| member.is_required && !names.contains(&&*member.name)) {
                miss(&member.name, "body", &member.taken(api));
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(UserError::new(format!("the operation `{}` needs {}", operation.id, missing.join(", ")))
        .help("--describe says all that it takes"))
}

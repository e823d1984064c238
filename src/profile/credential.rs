//! Reads what names credentials.

use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::{At, Place};
use super::reader::{Reader, article};
use super::setting::Value;
use super::source::{Client, Given, NAMED, Source, Text};
use crate::auth::http::checked_url;
use crate::error::Error;

/// The key that names a place.
const PLACES: [&str; 3] = ["env", "file", "command"];
/// The members of a client of an authorization server.
const OF_CLIENT: [&str; 6] = ["client-id", "client-secret", "token-url", "scopes", "audience", "secret-in"];

/// The part of a reader that reads credentials.
pub(super) struct Reading<'r, 't> {
    pub(super) reader: &'r Reader<'t>,
}

impl Reading<'_, '_> {
    /// A credential of any form.
    pub(super) fn given(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<At<Given>, Error> {
        let place = self.reader.place(value.span());
        let table = self.members(key, value, &[&PLACES[..], &["user", "password"], &OF_CLIENT].concat())?;
        let is_any = |names: &[&str]| names.iter().any(|name| table.contains_key(*name));
        let given = match (is_any(&PLACES), is_any(&["user", "password"]), is_any(&OF_CLIENT)) {
            (true, false, false) => Given::Secret(self.source(key, value)?),
            (false, true, false) => {
                let user = needed(&place, table, "user", "a login has a `user`")?;
                let password = table.get("password").map(|value| self.source("password", value)).transpose()?;
                let user = self.named_text("user", user)?;
                if password.is_none() && matches!(user, Text::Plain(_)) {
                    let problem = format!("`{key}` has a user and no password, so that the user is the secret");
                    return Err(place.fault(problem, NAMED));
                }
                Given::Login { user, password }
            }
            (false, false, true) => Given::Client(self.client(&place, table)?),
            (false, false, false) => return Err(place.fault(format!("`{key}` is empty"), NAMED)),
            _ => {
                let help = "write one: a place, `user` with `password`, or `client-id` with `client-secret`";
                return Err(place.fault(format!("`{key}` is more than one kind of credential"), help));
            }
        };
        Ok(At { place, value: given })
    }

    fn client(&self, place: &Place, table: &DeTable<'_>) -> Result<Client, Error> {
        let both = "a client has a `client-id` and a `client-secret`";
        let id = needed(place, table, "client-id", both)?;
        let secret = needed(place, table, "client-secret", both)?;
        let text = |key: &str, help: &str| table.get(key).map(|value| self.reader.text(key, value, help)).transpose();
        let token_url = text("token-url", "write a URL: \"https://auth.example.com/token\"")?;
        if let Some(At { place, value }) = &token_url {
            checked_url(value, "`token-url`").map_err(|error| place.told(&error))?;
        }
        let is_in_body = match text("secret-in", "write \"header\" or \"body\"")? {
            None => false,
            Some(At { value, .. }) if value == "header" => false,
            Some(At { value, .. }) if value == "body" => true,
            Some(At { place, .. }) => {
                return Err(place.fault("`secret-in` is neither", "write \"header\" or \"body\""));
            }
        };
        let scopes =
            table.get("scopes").map(|value| self.texts("scopes", value, "write a list: [\"read\"]")).transpose()?;
        Ok(Client {
            id: self.named_text("client-id", id)?,
            secret: self.source("client-secret", secret)?,
            token_url: token_url.map(|url| url.value),
            scopes,
            audience: text("audience", "write a text")?.map(|audience| audience.value),
            is_in_body,
        })
    }

    /// A client certificate: its file, and where its key is.
    pub(super) fn certificate(&self, value: &Spanned<DeValue<'_>>) -> Result<Value, Error> {
        if let Some(path) = value.get_ref().as_str() {
            return Ok(Value::ClientCertificate { file: PathBuf::from(path), key: None });
        }
        let help = "write `{ file = \"client.pem\", key = { file = \"client.key\" } }`, or one path of both";
        let place = self.reader.place(value.span());
        let Some(table) = value.get_ref().as_table() else {
            let problem = format!("`client-certificate` is {}", article(value.get_ref().type_str()));
            return Err(place.fault(problem, help));
        };
        if let Some((key, _)) = table.iter().find(|(key, _)| !["file", "key"].contains(&&**key.get_ref())) {
            return Err(self.reader.unknown(key, "a certificate has no", ["file", "key"], help));
        }
        let file = needed(&place, table, "file", help)?;
        let file = PathBuf::from(self.reader.text("file", file, help)?.value);
        Ok(Value::ClientCertificate { file, key: table.get("key").map(|key| self.source("key", key)).transpose()? })
    }

    /// Where a secret is.
    fn source(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Source, Error> {
        let place = self.reader.place(value.span());
        let table = self.members(key, value, &PLACES)?;
        let mut members = table.iter();
        let (Some((name, value)), None) = (members.next(), members.next()) else {
            return Err(place.fault(format!("`{key}` does not name one place"), NAMED));
        };
        let refuse = |problem: String| place.fault(problem, NAMED);
        match &**name.get_ref() {
            "env" => match value.get_ref().as_str() {
                Some(text) if is_variable(text) => Ok(Source::Environment(text.to_owned())),
                _ => Err(refuse("`env` is not the name of a variable".to_owned())),
            },
            "file" => match value.get_ref().as_str() {
                Some(text) if !text.is_empty() => Ok(Source::File(text.into())),
                _ => Err(refuse("`file` is not a path".to_owned())),
            },
            _ => {
                let words = self.texts("command", value, NAMED)?;
                if words.first().is_none_or(String::is_empty) {
                    return Err(refuse("`command` has no program".to_owned()));
                }
                Ok(Source::Command(words))
            }
        }
    }

    fn named_text(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Text, Error> {
        match value.get_ref().as_str() {
            Some("") => {
                Err(self.reader.place(value.span()).fault(format!("`{key}` is empty"), "write it, or name where it is"))
            }
            Some(text) => Ok(Text::Plain(text.to_owned())),
            None => self.source(key, value).map(Text::Named),
        }
    }

    /// The members of what must not be the secret itself.
    fn members<'a, 'v>(
        &self,
        key: &str,
        value: &'a Spanned<DeValue<'v>>,
        known: &[&str],
    ) -> Result<&'a DeTable<'v>, Error> {
        let Some(table) = value.get_ref().as_table() else {
            let problem = format!(
                "a secret does not stand in this file, and `{key}` has {}",
                article(value.get_ref().type_str())
            );
            return Err(self.reader.place(value.span()).fault(problem, NAMED));
        };
        match table.iter().find(|(name, _)| !known.contains(&&**name.get_ref())) {
            Some((name, _)) => Err(self.reader.unknown(name, "a credential has no", known.iter().copied(), NAMED)),
            None => Ok(table),
        }
    }

    fn texts(&self, key: &str, value: &Spanned<DeValue<'_>>, help: &str) -> Result<Vec<String>, Error> {
        let one = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned);
        let texts = value.get_ref().as_array().and_then(|list| list.iter().map(one).collect::<Option<Vec<_>>>());
        texts.ok_or_else(|| self.reader.place(value.span()).fault(format!("`{key}` is not a list of texts"), help))
    }
}

/// A member that has to be there.
fn needed<'a, 'v>(
    place: &Place,
    table: &'a DeTable<'v>,
    key: &str,
    help: &str,
) -> Result<&'a Spanned<DeValue<'v>>, Error> {
    table.get(key).ok_or_else(|| place.fault(format!("there is no `{key}`"), help))
}

fn is_variable(text: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    text.starts_with(is_letter) && text.chars().all(|letter| is_letter(letter) || letter.is_ascii_digit())
}

//! Reads the text of a file. Every value is looked at, those of other profiles too, so that a slip is told when it is made.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::StatusCode;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::credential::Reading;
use super::place::{At, Place};
use super::reader::{Reader, article};
use super::setting::{Kind, OF_API, SETTINGS, Setting, Value};
use super::source::Given;
use super::value::{DURATION, SIZE, bytes, duration, size};
use crate::auth::http::checked_base;
use crate::error::Error;

/// Settings by their keys.
pub(super) type Settings = BTreeMap<&'static str, At<Value>>;

/// A profile of a file.
#[derive(Clone, Debug)]
pub(super) struct ProfileTable {
    pub(super) settings: Settings,
    pub(super) apis: BTreeMap<String, ApiTable>,
}

/// The part of a profile about one API.
#[derive(Clone, Debug)]
pub(super) struct ApiTable {
    pub(super) place: Place,
    pub(super) settings: Settings,
    pub(super) base_url: Option<At<String>>,
    /// The URLs in place of documented servers, by those.
    pub(super) servers: Vec<(String, String)>,
    /// The credential of an API that takes one kind.
    pub(super) credential: Option<At<Given>>,
    /// Credentials by their kinds.
    pub(super) credentials: Vec<(String, At<Given>)>,
}

/// Reads the profiles of a file.
pub(super) fn profiles(path: &Arc<Path>, text: &str) -> Result<BTreeMap<String, ProfileTable>, Error> {
    let reader = Reader { path, text };
    // The message of the parser does not quote the file.
    let root = DeTable::parse(text).map_err(|error| {
        let place = reader.place(error.span().unwrap_or_default());
        place.fault(format!("this is not valid TOML ({})", error.message()), "correct the line")
    })?;
    let mut profiles = BTreeMap::new();
    for (key, value) in root.get_ref() {
        if key.get_ref() != "profile" {
            return Err(reader.unknown(
                key,
                "a file of profiles has no",
                ["profile"],
                "settings stand below [profile.NAME]",
            ));
        }
        for (name, value) in reader.table("profile", value)? {
            let name = name.get_ref();
            profiles.insert(name.to_string(), reader.profile(name, value)?);
        }
    }
    Ok(profiles)
}

impl Reader<'_> {
    fn profile(&self, name: &str, value: &Spanned<DeValue<'_>>) -> Result<ProfileTable, Error> {
        let table = self.table(name, value)?;
        if let Some((key, _)) = table.iter().find(|(key, _)| OF_API.contains(&&**key.get_ref())) {
            let problem = format!("`{}` belongs to one API", key.get_ref());
            return Err(self.place(key.span()).fault(problem, format!("move it below [profile.{name}.api.NAME]")));
        }
        let mut settings = Settings::new();
        self.settings(table, "", &["api"], &mut settings)?;
        let mut apis = BTreeMap::new();
        if let Some(value) = table.get("api") {
            for (api, value) in self.table("api", value)? {
                apis.insert(api.get_ref().to_string(), self.api(api, value)?);
            }
        }
        Ok(ProfileTable { settings, apis })
    }

    fn api(&self, name: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>) -> Result<ApiTable, Error> {
        let table = self.table(name.get_ref(), value)?;
        let mut settings = Settings::new();
        self.settings(table, "", &OF_API, &mut settings)?;
        let base_url = table.get("base-url").map(|value| self.url("base-url", value)).transpose()?;
        let mut servers = Vec::new();
        if let Some(value) = table.get("servers") {
            for (documented, value) in self.table("servers", value)? {
                servers.push((documented.get_ref().to_string(), self.url("servers", value)?.value));
            }
        }
        let reading = Reading { reader: self };
        let credential = table.get("credential").map(|value| reading.given("credential", value)).transpose()?;
        let mut credentials = Vec::new();
        if let Some(value) = table.get("credentials") {
            for (kind, value) in self.table("credentials", value)? {
                credentials.push((kind.get_ref().to_string(), reading.given(kind.get_ref(), value)?));
            }
        }
        if let (Some(credential), false) = (&credential, credentials.is_empty()) {
            let help = "keep `credentials`, which names each by its kind";
            return Err(credential.place.fault("there are `credential` and `credentials`", help));
        }
        Ok(ApiTable { place: self.place(name.span()), settings, base_url, servers, credential, credentials })
    }

    /// The settings of a table, beside keys that mean something else there.
    fn settings(&self, table: &DeTable<'_>, prefix: &str, others: &[&str], found: &mut Settings) -> Result<(), Error> {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            if others.contains(&name.as_str()) {
                continue;
            }
            let below = format!("{name}.");
            if SETTINGS.iter().any(|setting| setting.key.starts_with(&below)) {
                self.settings(self.table(&name, value)?, &below, &[], found)?;
                continue;
            }
            let Some(setting) = Setting::named(&name) else {
                let names = SETTINGS.iter().filter_map(|setting| setting.key.strip_prefix(prefix));
                let names = names.map(|name| name.split_once('.').map_or(name, |(table, _)| table));
                return Err(self.unknown(key, "there is no setting", names.chain(others.iter().copied()), ""));
            };
            let place = self.place(key.span());
            found.insert(setting.key, At { value: self.value(setting, value)?, place });
        }
        Ok(())
    }

    fn value(&self, setting: &Setting, value: &Spanned<DeValue<'_>>) -> Result<Value, Error> {
        let key = setting.key;
        let refuse = |what: &str, help: &str| self.place(value.span()).fault(format!("`{key}` {what}"), help);
        let told = value.get_ref();
        let of_type = |help: &str| refuse(&format!("is {}", article(told.type_str())), help);
        Ok(match &setting.kind {
            Kind::Duration(_) => {
                let text = told.as_str().ok_or_else(|| of_type(DURATION))?;
                Value::Duration(duration(text).map_err(|flaw| refuse(flaw, DURATION))?)
            }
            Kind::Count(range, _) => {
                let help = format!("write a number from {} to {}", range.start(), range.end());
                let number = told.as_integer().ok_or_else(|| of_type(&help))?;
                let number = u32::from_str_radix(number.as_str(), number.radix()).ok();
                let number = number.filter(|number| range.contains(number));
                Value::Count(number.ok_or_else(|| refuse("is out of range", &help))?)
            }
            Kind::Bytes(_) => {
                let read = match told {
                    DeValue::String(text) => size(text),
                    DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
                        .map_err(|_| "is out of range")
                        .and_then(bytes),
                    _ => return Err(of_type(SIZE)),
                };
                Value::Bytes(read.map_err(|flaw| refuse(flaw, SIZE))?)
            }
            Kind::Flag(_) => Value::Flag(told.as_bool().ok_or_else(|| of_type("write true or false"))?),
            Kind::Text(_) => {
                let text = told.as_str().ok_or_else(|| of_type("write a text"))?;
                if text.is_empty() || !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
                    return Err(refuse(
                        "cannot stand in a header",
                        "write letters, digits and signs of ASCII in one line",
                    ));
                }
                Value::Text(text.to_owned())
            }
            Kind::Statuses(_) => {
                let help = "write a list of statuses: [409, 423]";
                let list = told.as_array().ok_or_else(|| of_type(help))?;
                let status = |one: &Spanned<DeValue<'_>>| {
                    let number = one.get_ref().as_integer()?;
                    let number = u16::from_str_radix(number.as_str(), number.radix()).ok()?;
                    StatusCode::from_u16(number).ok().filter(|_| number < 600)
                };
                let statuses: Option<Vec<StatusCode>> = list.iter().map(status).collect();
                Value::Statuses(statuses.ok_or_else(|| refuse("holds what is not a status", help))?)
            }
            Kind::RootCertificates => {
                let help = "write the path of a file in PEM, or a list of paths";
                let one = |value: &DeValue<'_>| value.as_str().map(PathBuf::from);
                let paths: Option<Vec<PathBuf>> = match told {
                    DeValue::Array(list) => list.iter().map(|path| one(path.get_ref())).collect(),
                    path => one(path).map(|path| vec![path]),
                };
                Value::RootCertificates(paths.filter(|paths| !paths.is_empty()).ok_or_else(|| of_type(help))?)
            }
            Kind::ClientCertificate => Reading { reader: self }.certificate(value)?,
        })
    }

    /// A URL that a credential may be sent to.
    fn url(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<At<String>, Error> {
        let url = self.text(key, value, "write a URL: \"https://api.example.com/v1\"")?;
        // Nothing of a URL is shown where it is refused: it may hold a password.
        checked_base(&url.value, &format!("`{key}`")).map_err(|error| url.place.told(&error))?;
        Ok(url)
    }
}

//! Forms in parts: `multipart/form-data`, and other kinds of parts that have names.

use std::fmt;
use std::sync::Arc;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use mime_guess::Mime;
use serde::Serialize;

use super::file_part::{FilePart, Files, quoted};
use super::member::FormMember;
use super::part::{self, Part};
use crate::client::brackets;
use crate::client::list_style::ListStyle;
use crate::client::query::{Members, items, pairs, scalar};
use crate::http_client::Request;

/// The media type of a part that holds JSON.
const JSON: &str = "application/json";

/// The reason why a file is refused that is not a member of its form, or an item of one.
const HIDDEN: &str = "a file cannot stand inside of an object";

/// The parts of a body. It is a recipe: each attempt makes a body of its own of it.
#[derive(Clone)]
pub(crate) struct Multipart {
    /// Such as `multipart/form-data`.
    media_type: &'static str,
    parts: Arc<Vec<Field>>,
}

#[derive(Clone)]
struct Field {
    name: String,
    content: Content,
    media_type: Option<&'static str>,
}

#[derive(Clone)]
enum Content {
    Text(String),
    File(FilePart),
}

impl Multipart {
    /// The parts of a value; `None` where it is null.
    ///
    /// # Errors
    /// Returns an error if the form cannot be written in parts; it gives the reason.
    pub(crate) fn of(
        media_type: &'static str,
        value: &impl Serialize,
        members: &[FormMember],
    ) -> Result<Option<Self>, String> {
        let (json, files) = Files::of(value)?;
        if json == "null" {
            return Ok(None);
        }
        let given: Members<'_> =
            serde_json::from_str(&json).map_err(|_| "a form has members, and this is not an object".to_owned())?;
        let mut parts = Parts { files: &files, found: Vec::new() };
        for (name, member) in given.0 {
            let known = FormMember::find(members, &name);
            parts.add(&name, member.get(), known).map_err(|why| format!("the member `{name}` is refused: {why}"))?;
        }
        // Servers that read a form as it comes want to know what a file is for before it comes.
        parts.found.sort_by_key(|part| matches!(part.content, Content::File(_)));
        Ok(Some(Self { media_type, parts: Arc::new(parts.found) }))
    }

    /// Sets the member at a JSON pointer, where it is one of the form itself.
    pub(crate) fn set(&mut self, at: &str, text: &str) -> Result<(), ()> {
        let name = at.strip_prefix('/').filter(|name| !name.contains('/')).ok_or(())?;
        let name = name.replace("~1", "/").replace("~0", "~");
        let others = self.parts.iter().filter(|part| part.name != name).cloned();
        let set = Field { name: name.clone(), content: Content::Text(text.to_owned()), media_type: None };
        self.parts = Arc::new(others.chain([set]).collect());
        Ok(())
    }

    /// Returns whether more than one body can be made of it.
    pub(crate) fn can_repeat(&self) -> bool {
        self.parts.iter().all(|part| match &part.content {
            Content::Text(_) => true,
            Content::File(file) => file.can_repeat(),
        })
    }

    /// The request with a body of these parts. Files are opened here.
    ///
    /// # Errors
    /// Returns an error if a part cannot be sent; it gives the reason.
    pub(crate) async fn write(&self, mut request: Request) -> Result<Request, String> {
        let mut parts = part::Parts::new()?;
        for Field { name, content, media_type } in &*self.parts {
            let refused = |why: String| format!("the member `{name}` of the form is refused: {why}");
            let part = match content {
                Content::Text(text) => {
                    let media_type = media_type.map(str::parse::<Mime>).transpose();
                    let media_type = media_type.map_err(|error| refused(error.to_string()))?;
                    let (body, length) = (text.clone().into(), Some(text.len() as u64));
                    Part { media_type, file_name: None, headers: HeaderMap::new(), body, length }
                }
                Content::File(file) => file.open(*media_type).await.map_err(refused)?,
            };
            parts.add(&quoted(name), part);
        }
        let content_type = format!("{}; boundary={}", self.media_type, parts.boundary());
        let content_type = HeaderValue::try_from(content_type).map_err(|error| error.to_string())?;
        let (body, length) = parts.finish();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, content_type);
        if let Some(length) = length {
            headers.append(CONTENT_LENGTH, length.into());
        }
        *request.body_mut() = Some(body);
        Ok(request)
    }
}

impl fmt::Debug for Multipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.parts.iter().map(|part| part.name.as_str()).collect();
        f.debug_struct("Multipart").field("names", &names).finish_non_exhaustive()
    }
}

/// The parts, as they are found.
struct Parts<'a> {
    files: &'a Files,
    found: Vec<Field>,
}

impl Parts<'_> {
    fn add(&mut self, name: &str, json: &str, known: FormMember) -> Result<(), String> {
        let unreadable = |error: serde_json::Error| error.to_string();
        if let Some(file) = self.files.find(json) {
            let (content, media_type) = (Content::File(file.clone()), known.media_type.filter(are_media_types));
            self.found.push(Field { name: name.to_owned(), content, media_type });
            return Ok(());
        }
        match (json.as_bytes().first(), known.style) {
            (Some(b'n'), _) => {}
            (Some(b'['), None) if !known.is_json() || self.files.are_in(json) => {
                for item in items(json).map_err(unreadable)? {
                    match item.get() {
                        list if list.starts_with('[') => self.json(name, list, known)?,
                        item => self.add(name, item, known)?,
                    }
                }
            }
            _ if known.is_json() => self.json(name, json, known)?,
            _ if self.files.are_in(json) => return Err(HIDDEN.to_owned()),
            (Some(b'[' | b'{'), Some(ListStyle::Brackets)) => {
                let pairs = brackets::pairs(name, json)?;
                for (name, value) in pairs {
                    self.text(&name, value, known.media_type);
                }
            }
            (Some(b'[' | b'{'), Some(style)) => {
                let text = style.in_text(json)?;
                if let Some(text) = text {
                    self.text(name, text, known.media_type);
                }
            }
            (Some(b'{'), None) if known.is_spread => {
                let members = pairs(name, json).map_err(unreadable)?;
                for (name, value) in members {
                    self.text(&name, value, known.media_type);
                }
            }
            (Some(b'{' | b'['), None) => self.json(name, json, known)?,
            _ => {
                let text = scalar(json).map_err(unreadable)?;
                if let Some(text) = text {
                    self.text(name, text, known.media_type);
                }
            }
        }
        Ok(())
    }

    fn json(&mut self, name: &str, json: &str, known: FormMember) -> Result<(), String> {
        if self.files.are_in(json) {
            return Err(HIDDEN.to_owned());
        }
        self.text(name, json.to_owned(), known.media_type.or(Some(JSON)));
        Ok(())
    }

    fn text(&mut self, name: &str, text: String, media_type: Option<&'static str>) {
        // Of several, any will do for what has no other type than the document's.
        let media_type = media_type.filter(are_media_types);
        let media_type = media_type.and_then(|listed| listed.split(',').next()).map(str::trim);
        self.found.push(Field {
            name: name.to_owned(),
            content: Content::Text(text),
            media_type: media_type.filter(|media_type| !media_type.contains('*')),
        });
    }
}

/// Returns whether a document names media types: any other text is ignored.
fn are_media_types(listed: &&'static str) -> bool {
    listed.split(',').all(|one| one.trim().parse::<Mime>().is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The parts as name, media type and text, and the files by their names alone.
    fn parts(value: &impl Serialize, members: &[FormMember]) -> Result<Vec<String>, String> {
        let form = Multipart::of("multipart/form-data", value, members)?.expect("it is not null");
        let shown = form.parts.iter().map(|part| match &part.content {
            Content::Text(text) => format!("{} {} {text}", part.name, part.media_type.unwrap_or("-")),
            Content::File(_) => format!("{} {} a file", part.name, part.media_type.unwrap_or("-")),
        });
        Ok(shown.collect())
    }

    #[derive(Serialize)]
    struct Upload<T> {
        file: T,
        name: &'static str,
    }

    #[test]
    fn values_are_parts_by_what_they_are() {
        let value =
            json!({ "t": "a", "n": 0.1, "gone": null, "l": [1, "b", null], "o": { "p": [1] }, "m": [{}, [2, 3]] });
        let expected = [
            "l - 1",
            "l - b",
            "m application/json [2,3]",
            "m application/json {}",
            "n - 0.1",
            "o application/json {\"p\":[1]}",
            "t - a",
        ];
        let mut found = parts(&value, &[]).expect("parts");
        found.sort_unstable();
        assert_eq!(found, expected);
        assert!(Multipart::of("multipart/form-data", &None::<u8>, &[]).is_ok_and(|form| form.is_none()));
        assert!(parts(&[1], &[]).is_err_and(|why| why.contains("not an object")));
    }

    #[test]
    fn members_are_written_as_their_encoding_says() {
        let member = FormMember::new;
        for (value, known, expected) in [
            (
                json!({ "a": [1, 2] }),
                member("a").with_media_type("application/json"),
                &["a application/json [1,2]"][..],
            ),
            (json!({ "a": "x" }), member("a").with_media_type("application/json"), &["a application/json \"x\""]),
            (json!({ "a": "x" }), member("a").with_media_type("text/csv, text/plain"), &["a text/csv x"]),
            (json!({ "a": "x" }), member("a").with_media_type("no type"), &["a - x"]),
            (json!({ "a": { "b": [1] } }), member("a").with_style(ListStyle::Brackets), &["a[b][] - 1"]),
            (json!({ "a": ["b", "c"] }), member("a").with_style(ListStyle::Commas), &["a - b,c"]),
            (json!({ "a": { "b": 1, "c": 2 } }), member("a").spread(), &["b - 1", "c - 2"]),
        ] {
            assert_eq!(parts(&value, &[known]).expect("parts"), expected);
        }
    }

    #[test]
    fn a_file_is_a_member_or_an_item_of_one_and_stands_last() {
        let file = || FilePart::bytes("x");
        assert_eq!(parts(&Upload { file: file(), name: "n" }, &[]).expect("parts"), ["name - n", "file - a file"]);
        let files = parts(
            &Upload { file: [file(), file()], name: "n" },
            &[FormMember::new("file").with_media_type("image/png")],
        );
        assert_eq!(files.expect("parts"), ["name - n", "file image/png a file", "file image/png a file"]);
        let inside = Upload { file: Upload { file: file(), name: "m" }, name: "n" };
        assert!(parts(&inside, &[]).is_err_and(|why| why.contains("`file` is refused: a file cannot stand inside")));
        let listed = Upload { file: [[file()]], name: "n" };
        assert!(parts(&listed, &[]).is_err_and(|why| why.contains("cannot stand inside")));
    }
}

//! Forms in parts: `multipart/form-data`, and other kinds of parts that have names.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Request, RequestBuilder};
use serde::Serialize;

use super::file_part::{FilePart, Files, quoted};
use super::member::FormMember;
use crate::client::brackets;
use crate::client::list_style::ListStyle;
use crate::client::query::{Members, items, pairs, scalar};

/// The media type of a part that holds JSON.
const JSON: &str = "application/json";

/// The parts of a body. It is a recipe: each attempt makes a body of its own of it.
#[derive(Clone)]
pub(crate) struct Multipart {
    /// Such as `multipart/form-data`.
    media_type: &'static str,
    parts: Arc<Vec<Field>>,
}

struct Field {
    name: String,
    content: Content,
    media_type: Option<&'static str>,
}

enum Content {
    Text(String),
    File(FilePart),
}

impl Multipart {
    /// The parts of a value; `None` where it is null.
    ///
    /// # Errors
    /// Returns why it cannot be written in parts.
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
        Ok(Some(Self { media_type, parts: Arc::new(parts.found) }))
    }

    /// Whether a body can be made of it more than once.
    pub(crate) fn can_repeat(&self) -> bool {
        self.parts.iter().all(|part| match &part.content {
            Content::Text(_) => true,
            Content::File(file) => file.can_repeat(),
        })
    }

    /// The request with a body of these parts. Files are opened here.
    ///
    /// # Errors
    /// Returns why a part cannot be sent.
    pub(crate) async fn write(&self, http: &reqwest::Client, request: Request) -> Result<Request, String> {
        let mut form = Form::new().percent_encode_noop();
        for Field { name, content, media_type } in &*self.parts {
            let refused = |why: String| format!("the member `{name}` of the form is refused: {why}");
            let part = match content {
                Content::Text(text) => {
                    let part = Part::text(text.clone());
                    match media_type {
                        Some(media_type) => part.mime_str(media_type).map_err(|_| {
                            refused(format!("`{media_type}`, which the document says of it, is not a media type"))
                        })?,
                        None => part,
                    }
                }
                Content::File(file) => file.open(*media_type).await.map_err(refused)?,
            };
            form = form.part(quoted(name), part);
        }
        let content_type = format!("{}; boundary={}", self.media_type, form.boundary());
        let request = RequestBuilder::from_parts(http.clone(), request).multipart(form).build();
        let mut request = request.map_err(|error| error.without_url().to_string())?;
        let content_type = HeaderValue::try_from(content_type).map_err(|error| error.to_string())?;
        request.headers_mut().insert(CONTENT_TYPE, content_type);
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
            self.found.push(Field {
                name: name.to_owned(),
                content: Content::File(file.clone()),
                media_type: known.media_type,
            });
            return Ok(());
        }
        match (json.as_bytes().first(), known.style) {
            (Some(b'n'), _) => {}
            (Some(b'['), None) if !known.is_json() || self.files.are_in(json) => {
                for item in items(json).map_err(unreadable)? {
                    self.add(name, item.get(), known)?;
                }
            }
            _ if self.files.are_in(json) => return Err("a file cannot stand inside of an object".to_owned()),
            _ if known.is_json() => self.text(name, json.to_owned(), known.media_type),
            (Some(b'[' | b'{'), Some(ListStyle::Brackets)) => {
                let pairs = brackets::pairs(name, json)?;
                pairs.into_iter().for_each(|(name, value)| self.text(&name, value, known.media_type));
            }
            (Some(b'[' | b'{'), Some(style)) => {
                let text = style.in_text(json)?;
                text.into_iter().for_each(|text| self.text(name, text, known.media_type));
            }
            (Some(b'{'), None) if known.is_spread => {
                let members = pairs(name, json).map_err(unreadable)?;
                members.into_iter().for_each(|(name, value)| self.text(&name, value, known.media_type));
            }
            (Some(b'{' | b'['), None) => self.text(name, json.to_owned(), known.media_type.or(Some(JSON))),
            _ => {
                let text = scalar(json).map_err(unreadable)?;
                text.into_iter().for_each(|text| self.text(name, text, known.media_type));
            }
        }
        Ok(())
    }

    fn text(&mut self, name: &str, text: String, media_type: Option<&'static str>) {
        // Of several, any will do for what has no other type than the document's.
        let media_type = media_type.and_then(|listed| listed.split(',').next()).map(str::trim);
        self.found.push(Field {
            name: name.to_owned(),
            content: Content::Text(text),
            media_type: media_type.filter(|media_type| !media_type.contains('*')),
        });
    }
}

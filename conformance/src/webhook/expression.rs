//! Runtime expressions of OpenAPI, with which a document describes the URL of a callback: `{$request.body#/url}/paid`.

use serde_json::Value;

/// A URL with expressions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Expression(Vec<Piece>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Piece {
    Text(String),
    Url,
    Method,
    StatusCode,
    Of(MessageSide, MessagePart),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum MessageSide {
    Request,
    Response,
}

/// A part of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum MessagePart {
    /// A member of the body, by its JSON pointer; the empty pointer is the whole body.
    Body(String),
    /// A query parameter.
    Query(String),
    /// A header.
    Header(String),
    /// A path parameter.
    Path(String),
}

/// The call that expressions refer to.
pub(crate) trait CallContext {
    /// Returns the URL that was called.
    fn url(&self) -> String;
    /// Returns the method.
    fn method(&self) -> String;
    /// Returns the status of the answer, once there is one.
    fn status(&self) -> Option<u16>;
    /// Returns a part of the request.
    fn request(&self, part: &MessagePart) -> Option<String>;
    /// Returns a part of the answer.
    fn response(&self, part: &MessagePart) -> Option<String>;
}

impl Expression {
    /// Parses a URL. Returns `None` if it contains an invalid expression.
    pub(crate) fn read(text: &str) -> Option<Self> {
        // Some documents omit the braces if there is no other text.
        if text.starts_with('$') {
            return Some(Self(vec![Piece::read(text)?]));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (inside, after) = behind.split_once('}')?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::read(inside)?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Some(Self(pieces))
    }

    /// Returns the part of the request that determines the server of the URL, if the caller does.
    pub(crate) fn given_by(&self) -> Option<&MessagePart> {
        match self.0.first()? {
            Piece::Of(MessageSide::Request, part) if !matches!(part, MessagePart::Path(_)) => Some(part),
            _ => None,
        }
    }

    /// Returns the URL; `None` if a part of it is missing.
    pub(crate) fn of(&self, exchanged: &impl CallContext) -> Option<String> {
        let text = |piece: &Piece| {
            Some(match piece {
                Piece::Text(text) => text.clone(),
                Piece::Url => exchanged.url(),
                Piece::Method => exchanged.method(),
                Piece::StatusCode => exchanged.status()?.to_string(),
                Piece::Of(MessageSide::Request, part) => exchanged.request(part)?,
                Piece::Of(MessageSide::Response, part) => exchanged.response(part)?,
            })
        };
        self.0.iter().map(text).collect()
    }
}

impl Piece {
    fn read(text: &str) -> Option<Self> {
        let of = |end: MessageSide, part: &str| {
            let (place, name) = part.split_at(part.find(['.', '#']).unwrap_or(part.len()));
            let named = |of: fn(String) -> MessagePart| name.strip_prefix('.').map(|name| of(name.to_owned()));
            let part = match place {
                "body" if name.is_empty() => Some(MessagePart::Body(String::new())),
                "body" => name.strip_prefix('#').map(|pointer| MessagePart::Body(pointer.to_owned())),
                "query" => named(MessagePart::Query),
                "header" => named(MessagePart::Header),
                "path" => named(MessagePart::Path),
                _ => None,
            };
            part.map(|part| Self::Of(end, part))
        };
        match text {
            "$url" => Some(Self::Url),
            "$method" => Some(Self::Method),
            "$statusCode" => Some(Self::StatusCode),
            text => match text.split_once('.')? {
                ("$request", part) => of(MessageSide::Request, part),
                ("$response", part) => of(MessageSide::Response, part),
                _ => None,
            },
        }
    }
}

/// Returns a member of a JSON body as text.
pub(crate) fn member(body: &[u8], pointer: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    match body.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        plain => Some(plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Order;

    impl CallContext for Order {
        fn url(&self) -> String {
            "https://shop.example/orders?cb=https://me.example/q".to_owned()
        }
        fn method(&self) -> String {
            "POST".to_owned()
        }
        fn status(&self) -> Option<u16> {
            Some(201)
        }
        fn request(&self, part: &MessagePart) -> Option<String> {
            match part {
                MessagePart::Body(pointer) => {
                    member(br#"{"hook":{"url":"https://me.example/b"},"n":7,"list":[]}"#, pointer)
                }
                MessagePart::Query(name) => (name == "cb").then(|| "https://me.example/q".to_owned()),
                MessagePart::Header(name) => (name == "X-Callback").then(|| "https://me.example/h".to_owned()),
                MessagePart::Path(name) => (name == "shop").then(|| "s1".to_owned()),
            }
        }
        fn response(&self, part: &MessagePart) -> Option<String> {
            match part {
                MessagePart::Body(pointer) => member(br#"{"id":"o1"}"#, pointer),
                _ => None,
            }
        }
    }

    #[test]
    fn expressions_and_the_text_around_them_become_a_url() {
        for (text, url) in [
            ("{$request.body#/hook/url}/paid?n={$request.body#/n}", "https://me.example/b/paid?n=7"),
            ("{$request.query.cb}/{$response.body#/id}", "https://me.example/q/o1"),
            ("$request.header.X-Callback", "https://me.example/h"),
            ("https://x.example/{$request.path.shop}/{$method}/{$statusCode}", "https://x.example/s1/POST/201"),
            ("{$url}", "https://shop.example/orders?cb=https://me.example/q"),
        ] {
            assert_eq!(Expression::read(text).and_then(|one| one.of(&Order)).as_deref(), Some(url), "{text}");
        }
    }

    #[test]
    fn what_is_not_there_and_what_is_no_expression_make_no_url() {
        for text in ["{$request.body#/list}", "{$request.body#/none}", "{$request.query.other}", "{$response.header.X}"]
        {
            assert_eq!(Expression::read(text).expect(text).of(&Order), None, "{text}");
        }
        for text in
            ["{url}", "{$request.body#/a", "{$request.cookie.a}", "{$request}", "$inputs.a", "{$request.query#/a}"]
        {
            assert_eq!(Expression::read(text), None, "{text}");
        }
    }

    #[test]
    fn only_what_begins_with_a_part_of_the_request_is_given_by_who_calls() {
        let given = |text: &str| Expression::read(text).and_then(|one| one.given_by().cloned());
        assert_eq!(given("{$request.body#/url}/x"), Some(MessagePart::Body("/url".to_owned())));
        assert_eq!(given("{$request.query.url}"), Some(MessagePart::Query("url".to_owned())));
        for text in
            ["https://x.example/{$request.body#/id}", "{$response.body#/url}", "{$url}", "{$request.path.a}", ""]
        {
            assert_eq!(given(text), None, "{text}");
        }
    }
}

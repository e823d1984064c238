//! Streamed bodies of items: parsed in any valid notation, and compared with the document.

use keyfit_openapi::schema::ValueCheck;
use keyfit_openapi::{Api, Framing, StreamedBody, StreamedResponse};
use serde_json::{Map, Value, json};

/// An item: its text, and the other fields of an event.
#[derive(Debug, Default, Eq, PartialEq)]
struct Item {
    data: String,
    event: Option<String>,
    id: Option<String>,
}

/// Parses the items of a body; an incomplete item is ignored.
fn read(framing: Framing, body: &[u8]) -> Vec<Item> {
    let text = String::from_utf8_lossy(body);
    let plain = |text: &str| Item { data: text.trim().to_owned(), ..Item::default() };
    let is_text = |item: &Item| !item.data.is_empty();
    match framing {
        Framing::Lines => text.lines().map(plain).filter(is_text).collect(),
        Framing::Sequence => text.split('\u{1e}').map(plain).filter(is_text).collect(),
        Framing::Events => events(&text),
    }
}

fn events(text: &str) -> Vec<Item> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let mut events = Vec::new();
    let mut id = None;
    // The last block is incomplete without an empty line after it.
    let blocks = text.rsplit_once("\n\n").map_or("", |(blocks, _)| blocks);
    for block in blocks.split("\n\n") {
        let (mut data, mut event) = (Vec::new(), None);
        for line in block.lines() {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "data" => data.push(value),
                "event" => event = Some(value.to_owned()).filter(|event| !event.is_empty()),
                "id" => id = Some(value.to_owned()).filter(|id| !id.is_empty()),
                _ => {}
            }
        }
        if !data.is_empty() {
            events.push(Item { data: data.join("\n"), event, id: id.clone() });
        }
    }
    events
}

/// Returns the bytes of a request body with this media type.
pub(crate) fn written(media_type: &str, items: &[Value]) -> Vec<u8> {
    let mark = if keyfit_openapi::framing(media_type) == Some(Framing::Sequence) { "\u{1e}" } else { "" };
    let texts: Vec<String> = items.iter().map(|item| format!("{mark}{item}\n")).collect();
    texts.concat().into_bytes()
}

/// Parses the items of a request body; `None` if one of them is not JSON.
pub(crate) fn values(media_type: &str, body: &[u8]) -> Option<Value> {
    let items = read(keyfit_openapi::framing(media_type)?, body);
    items.iter().map(|item| serde_json::from_str::<Value>(&item.data).ok()).collect()
}

/// Returns the flaw of a server's body: the first item that does not match, counted from 1, with the reason.
pub(crate) fn mismatch(
    (api, judge): (&Api, ValueCheck),
    streaming: Option<&StreamedResponse>,
    streamed: &StreamedBody,
    body: &[u8],
) -> Option<String> {
    let end = streaming.and_then(|streaming| streaming.end.as_deref());
    let items = read(streamed.framing, body);
    if items.is_empty() && !body.trim_ascii().is_empty() {
        return Some(format!("there is no item in a body of {} bytes", body.len()));
    }
    let mut numbered = items.iter().take_while(|item| Some(item.data.as_str()) != end).zip(1..);
    numbered.find_map(|(item, number)| {
        let mismatch = streamed.mismatch((api, judge), &item.data, item.event.as_deref(), item.id.as_deref())?;
        Some(format!("item {number}: {mismatch}"))
    })
}

/// Returns the value that a client returns for a body: a list of the items; events with their fields.
pub(crate) fn handed_on(streaming: &StreamedResponse, body: &[u8]) -> Value {
    let StreamedResponse { body: streamed, end, .. } = streaming;
    let items = read(streamed.framing, body).into_iter().take_while(|item| Some(&item.data) != end.as_ref());
    let value = |item: Item| {
        let data = if streamed.is_text { None } else { serde_json::from_str(&item.data).ok() };
        let data = data.unwrap_or(Value::String(item.data));
        if streamed.framing != Framing::Events {
            return data;
        }
        let said = [("event", item.event), ("id", item.id)].map(|(name, said)| (name, said.map(Value::String)));
        let members = [("data", Some(data))].into_iter().chain(said);
        Value::Object(members.filter_map(|(name, said)| Some((name.to_owned(), said?))).collect::<Map<_, _>>())
    };
    items.map(value).collect()
}

/// Returns a server's body: two valid items, with event ids if the document permits them, and the end marker.
pub(crate) fn body(api: &Api, streaming: &StreamedResponse) -> Vec<u8> {
    let StreamedResponse { body, end, .. } = streaming;
    let example = body.example(api);
    // If whole events are described, the schema includes ids.
    let text = if body.framing == Framing::Events && body.event.is_none() {
        let event = |id: u8| format!("id: {id}\n{}", body.serialized(std::slice::from_ref(&example)));
        event(1) + &event(2)
    } else {
        body.serialized(&[example.clone(), example])
    };
    (text + &end.as_ref().map(|end| ending(body, end)).unwrap_or_default()).into_bytes()
}

/// Returns the item that ends a body.
fn ending(body: &StreamedBody, end: &str) -> String {
    match body.framing {
        Framing::Events => format!("data: {end}\n\n"),
        Framing::Lines => format!("{end}\n"),
        Framing::Sequence => format!("\u{1e}{end}\n"),
    }
}

/// Returns a body whose item matches no restrictive schema.
pub(crate) fn misfit(streaming: &StreamedResponse) -> Vec<u8> {
    let body = StreamedBody { event: None, is_text: false, ..streaming.body.clone() };
    body.serialized(&[json!([[]])]).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_cut_as_each_framing_has_them() {
        let data = |framing, body: &str| -> Vec<String> {
            read(framing, body.as_bytes()).into_iter().map(|item| item.data).collect()
        };
        assert_eq!(data(Framing::Lines, "{}\r\n\n[1]\n2"), ["{}", "[1]", "2"]);
        assert_eq!(data(Framing::Sequence, "\u{1e}{\n}\n\u{1e}2\n"), ["{\n}", "2"]);
        assert_eq!(data(Framing::Events, "data: a\ndata: b\n\n: c\n\ndata: not finished\n"), ["a\nb"]);
    }

    #[test]
    fn an_id_stays_in_force() {
        let read = events("id: 1\nevent: x\ndata: a\r\n\r\ndata: b\n\n");
        let id = Some("1".to_owned());
        let first = Item { data: "a".to_owned(), event: Some("x".to_owned()), id: id.clone() };
        assert_eq!(read, [first, Item { data: "b".to_owned(), event: None, id }]);
    }
}

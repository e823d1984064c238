//! Event streams as the HTML standard has them ("interpreting an event stream"), with a limit on what is kept.

use std::time::Duration;

use super::event::Event;
use super::lines::{Ends, Lines};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A time that a server asks for and nobody waits for: longer than a day.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// An event that is longer than the limit.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct TooLong;

/// Reads events from bytes that come in chunks. What a connection leaves unfinished is dropped with it.
pub(super) struct EventParser {
    lines: Lines,
    is_begun: bool,
    limit: usize,
    data: String,
    event: String,
    id: Option<String>,
    retry: Option<Duration>,
}

impl EventParser {
    /// A parser that keeps up to `limit` bytes of an event; `id` is the one in force from before.
    pub(super) fn new(limit: usize, id: Option<String>) -> Self {
        let lines = Lines::new(Ends::AnyNewline);
        Self { lines, is_begun: false, limit, data: String::new(), event: String::new(), id, retry: None }
    }

    /// Adds what came.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        self.lines.feed(chunk);
    }

    /// The next whole event, with its text. Ids and times that come without an event are told by `heard`.
    pub(super) fn next(&mut self, heard: &mut Heard) -> Result<Option<Event<String>>, TooLong> {
        // A mark that is not whole yet must not be read as a part of a line: it has no end of a line in it.
        while let Some(line) = self.lines.next() {
            let line = if self.is_begun { line } else { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) };
            self.is_begun = true;
            if self.data.len() + line.len() > self.limit {
                return Err(TooLong);
            }
            if line.is_empty() {
                heard.id.clone_from(&self.id);
                let event = std::mem::take(&mut self.event);
                let mut data = std::mem::take(&mut self.data);
                let retry = self.retry.take();
                heard.retry = retry.or(heard.retry);
                // Each line of data has left its end; without one there was no data, and there is no event.
                if data.pop().is_some() {
                    let event = Some(event).filter(|name| !name.is_empty());
                    return Ok(Some(Event { data, event, id: self.id.clone(), retry }));
                }
                continue;
            }
            let line = String::from_utf8_lossy(line);
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "data" => {
                    self.data.push_str(value);
                    self.data.push('\n');
                }
                "event" => value.clone_into(&mut self.event),
                // An empty one says that there is none.
                "id" if !value.contains('\0') => self.id = Some(value.to_owned()).filter(|id| !id.is_empty()),
                "retry" => self.retry = wait(value).or(self.retry),
                _ => {}
            }
        }
        if self.data.len() + self.lines.rest().len() > self.limit { Err(TooLong) } else { Ok(None) }
    }
}

/// What is in force when a connection breaks.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Heard {
    pub(super) id: Option<String>,
    pub(super) retry: Option<Duration>,
}

fn wait(value: &str) -> Option<Duration> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let wait = is_number.then(|| value.parse().ok()).flatten().map(Duration::from_millis);
    wait.filter(|wait| *wait <= LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All events of these chunks, and what is in force at their end.
    fn parse(chunks: &[&[u8]]) -> (Vec<Event<String>>, Heard) {
        let mut parser = EventParser::new(1 << 20, None);
        let (mut events, mut heard) = (Vec::new(), Heard::default());
        for chunk in chunks {
            parser.feed(chunk);
            while let Some(event) = parser.next(&mut heard).expect("within the limit") {
                events.push(event);
            }
        }
        (events, heard)
    }

    fn event(data: &str, event: Option<&str>, id: Option<&str>) -> Event<String> {
        Event { data: data.to_owned(), event: event.map(str::to_owned), id: id.map(str::to_owned), retry: None }
    }

    #[test]
    fn fields_are_read_as_the_standard_has_them() {
        let cases: [(&str, Vec<Event<String>>); 12] = [
            ("data: a\n\n", vec![event("a", None, None)]),
            ("\u{feff}data:a\n\n", vec![event("a", None, None)]),
            (": a comment\n\ndata: a\ndata:  b\ndata\n\n", vec![event("a\n b\n", None, None)]),
            ("data\n\ndata\ndata\n\ndata:", vec![event("", None, None), event("\n", None, None)]),
            ("event: x\n\ndata: a\n\n", vec![event("a", None, None)]),
            ("event: x\ndata: a\n\ndata: b\n\n", vec![event("a", Some("x"), None), event("b", None, None)]),
            ("id: 1\ndata: a\n\ndata: b\n\n", vec![event("a", None, Some("1")), event("b", None, Some("1"))]),
            ("id: 1\ndata: a\n\nid\ndata: b\n\n", vec![event("a", None, Some("1")), event("b", None, None)]),
            ("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n", vec![event("a", None, Some("1")), event("b", None, Some("1"))]),
            ("data : a\nDATA: a\nother: b\n\n", Vec::new()),
            ("data: never finished\n", Vec::new()),
            ("data: a\r\rdata: b\r\n\r\ndata: c\n\r", ["a", "b", "c"].map(|data| event(data, None, None)).into()),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(&[text.as_bytes()]).0, expected, "{text:?}");
        }
    }

    #[test]
    fn ids_and_times_count_without_data_and_odd_times_do_not() {
        let (events, heard) = parse(&[b"id: 7\nretry: 1500\n\nretry: soon\nretry: -1\nretry: 99999999999999\n\n"]);
        assert!(events.is_empty());
        assert_eq!(heard, Heard { id: Some("7".to_owned()), retry: Some(Duration::from_millis(1500)) });
        let (events, _) = parse(&[b"retry: 20\ndata: a\n\n"]);
        assert_eq!(events[0].retry, Some(Duration::from_millis(20)));
        // What was not finished is not in force.
        assert_eq!(parse(&[b"id: 7\ndata: a\n"]).1, Heard::default());
    }

    #[test]
    fn what_is_no_text_is_replaced() {
        assert_eq!(parse(&[b"data: \xff\n\n"]).0[0].data, "\u{fffd}");
    }

    #[test]
    fn what_is_over_the_limit_is_refused_whether_it_ends_or_not() {
        for text in ["data: 0123456789\n\n", "data: 0123456789", ": 01234567890", "data: 0123\ndata: 0123\n\n"] {
            let mut parser = EventParser::new(12, None);
            parser.feed(text.as_bytes());
            assert_eq!(parser.next(&mut Heard::default()), Err(TooLong), "{text:?}");
        }
        let mut parser = EventParser::new(12, None);
        parser.feed(b"data: 012345\n\ndata: 012345\n\n");
        for _ in 0..2 {
            assert!(parser.next(&mut Heard::default()).expect("each is within it").is_some());
        }
    }

    fn field() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec!["data", "data", "event", "id", "retry", "", "other", "\u{feff}data"]);
        let value = prop::sample::select(vec!["", " ", "x", " é漢😀", "1500", " a:b", "\0", "\u{1e}"]);
        let end = prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n"]);
        (name, value, any::<bool>(), end).prop_map(|(name, value, colon, end)| {
            let colon = if colon { ":" } else { "" };
            format!("{name}{colon}{value}{end}")
        })
    }

    proptest! {
        #[test]
        fn chunks_may_end_anywhere(
            begun in any::<bool>(),
            fields in prop::collection::vec(field(), 0..12),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mark = if begun { "" } else { "\u{feff}" };
            let text = mark.to_owned() + &fields.concat();
            let bytes = text.as_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.extend([0, bytes.len()]);
            places.sort_unstable();
            let chunks: Vec<&[u8]> = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            let whole = parse(&[bytes]);
            prop_assert_eq!(&parse(&chunks), &whole);
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(&parse(&single), &whole);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(parse(&single), parse(&[&bytes]));
        }
    }
}

//! Bodies and parameters that are forms: a generated client of `openapi.yaml` before a server that keeps what it is sent.

mod client;
mod server;

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Bytes;
use keyfit::{CallOptions, Config, ErrorKind, FilePart, RetryPolicy};
use serde_json::json;

use client::{Client, Token, types};
use server::{Chunks, Part, Server};

fn client(server: &Server) -> Client {
    let retry = RetryPolicy::default().attempts(3).first_wait(Duration::from_millis(1));
    let token = Token::new("fixture-token-0001").expect("a token");
    Client::with_config(token, Config::default().base_url(&server.url).retry(retry)).expect("a client")
}

fn part(name: &str, content: &str, content_type: Option<&str>, file_name: Option<&str>) -> Part {
    Part {
        name: name.to_owned(),
        content: content.to_owned(),
        content_type: content_type.map(str::to_owned),
        file_name: file_name.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_form_in_parts_is_read_as_it_was_given() {
    let server = Server::start(201).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("Grüße \"1\".csv");
    std::fs::write(&path, "id,grams\r\n--p-1,120\r\n").expect("a file");
    let attachment = types::Attachment::builder()
        .file(FilePart::path(&path))
        .kind(types::Kind::Photo)
        .pages([1, 2])
        .labels([types::Label::builder().name("a"), types::Label::builder().name("b")])
        .place(types::AttachmentPlace::builder().shelf(3))
        .thumbnails([FilePart::bytes("x").file_name("x.gif"), FilePart::stream_of(1, Chunks(Some("y".into())))]);
    let _ = client(&server).add_attachment().body(attachment).send().await;
    let received = server.one();
    assert!(received.header("content-type").is_some_and(|kind| kind.starts_with("multipart/form-data; boundary=")));
    let expected = [
        part("kind", "photo", None, None),
        part("labels", r#"[{"name":"a"},{"name":"b"}]"#, Some("application/json"), None),
        part("pages", "1", None, None),
        part("pages", "2", None, None),
        part("place", r#"{"shelf":3}"#, Some("application/json"), None),
        part("file", "id,grams\r\n--p-1,120\r\n", Some("text/csv"), Some("Grüße %221%22.csv")),
        part("thumbnails", "x", Some("image/gif"), Some("x.gif")),
        part("thumbnails", "y", Some("image/png"), Some("blob")),
    ];
    assert_eq!(received.parts().await, expected);
}

#[tokio::test]
async fn a_name_ends_neither_its_quotes_nor_its_line() {
    let server = Server::start(204).await;
    let file = FilePart::bytes("x").file_name("a\"; name=\"b\r\nX-Other: 1").header("x-parcel", "p-1");
    let body = types::Attachment::builder().file(file).kind(types::Kind::Invoice);
    client(&server).add_cover().body(body).send().await.expect("an answer");
    let received = server.one();
    assert!(received.text().contains(r#"filename="a%22; name=%22b%0D%0AX-Other: 1""#), "{}", received.text());
    assert!(received.text().contains("\r\nx-parcel: p-1\r\n"), "{}", received.text());
    assert_eq!(received.parts().await.len(), 2);
}

#[tokio::test]
async fn what_was_not_set_is_no_part_and_what_must_be_set_is_demanded() {
    let server = Server::start(204).await;
    let client = client(&server);
    client.add_note().send().await.expect("an answer");
    let received = server.one();
    assert_eq!((received.header("content-type"), received.text()), (None, ""));
    let note = types::AddNoteBody::builder().voice(FilePart::bytes("la")).when("2026-01-22T11:00:00+01:00");
    client.add_note().body(note).send().await.expect("an answer");
    let expected =
        [part("when", "2026-01-22T10:00:00Z", None, None), part("voice", "la", Some("audio/ogg"), Some("blob"))];
    assert_eq!(server.one().parts().await, expected);
    let lacking = client.add_cover().body(types::Attachment::builder().kind(types::Kind::Photo)).send().await;
    let lacking = lacking.expect_err("the file is missing");
    assert!(lacking.kind() == ErrorKind::InvalidRequest && lacking.to_string().contains("file"), "{lacking}");
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn parts_of_another_kind_and_bytes_keep_their_media_types() {
    let server = Server::start(204).await;
    let client = client(&server);
    let metadata = types::SendMixedBodyMetadata::builder().name("a");
    let mixed = types::SendMixedBody::builder().metadata(metadata).content(FilePart::bytes("x"));
    client.send_mixed().body(mixed).send().await.expect("an answer");
    let received = server.one();
    assert!(received.header("content-type").is_some_and(|kind| kind.starts_with("multipart/mixed; boundary=")));
    let names: Vec<String> = received.parts().await.into_iter().map(|part| part.name).collect();
    assert_eq!(names, ["metadata", "content"]);
    client.send_raw().content_type("multipart/form-data; boundary=x").body("--x--").send().await.expect("an answer");
    let received = server.one();
    assert_eq!(received.header("content-type"), Some("multipart/form-data; boundary=x"));
    assert_eq!(received.text(), "--x--");
}

#[tokio::test]
async fn a_form_in_one_text_is_written_as_each_member_says() {
    let server = Server::start(204).await;
    let price = types::FilterPrice::builder().least(1.5);
    let filter = types::Filter::builder().state("open").price(price).tags(["a b"]).extra([("any[thing", "else")]);
    let refused = types::SearchBody::builder().filter(filter);
    let refused = client(&server).search().body(refused).send().await.expect_err("a bracket in a name");
    assert!(refused.to_string().contains("the member `filter` is refused"), "{refused}");
    let filter = types::Filter::builder().state("open").tags(["a b"]).extra([("anything", "else")]);
    let body = types::SearchBody::builder()
        .filter(filter)
        .ids([1, 2])
        .fields(["a", "b,c"])
        .sort(types::SearchBodySort::builder().by("name"))
        .text("a b&c")
        .callback("https://a.example/?b=c")
        .lines([types::SearchBodyLinesItem::builder().sku("x")]);
    client(&server).search().body(body).send().await.expect("an answer");
    let received = server.one();
    assert_eq!(received.header("content-type"), Some("application/x-www-form-urlencoded"));
    let mut fields: Vec<&str> = received.text().split('&').collect();
    fields.sort_unstable();
    let expected = [
        "callback=https://a.example/?b%3Dc",
        "fields=a%7Cb%2Cc",
        "filter%5Banything%5D=else",
        "filter%5Bstate%5D=open",
        "filter%5Btags%5D%5B%5D=a%20b",
        "ids=1",
        "ids=2",
        "lines%5B0%5D%5Bsku%5D=x",
        "sort=%7B%22by%22%3A%22name%22%7D",
        "text=a%20b%26c",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn members_that_nobody_names_stand_in_the_query() {
    let server = Server::start(204).await;
    let client = client(&server);
    let call = client
        .find()
        .filter_state("open")
        .filter_price_least(1.5)
        .filter_tags(["a", "b"])
        .filter([("weight", "5 kg")])
        .labels([("colour", "red")])
        .extra([("least", 3)]);
    call.send().await.expect("an answer");
    let received = server.one();
    let query = received.query.as_deref().unwrap_or_default();
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    let expected = [
        "filter%5Bprice%5D%5Bleast%5D=1.5",
        "filter%5Bstate%5D=open",
        "filter%5Btags%5D%5B%5D=a",
        "filter%5Btags%5D%5B%5D=b",
        "filter%5Bweight%5D=5%20kg",
        "labels%5Bcolour%5D=red",
        "least=3",
    ];
    assert_eq!(pairs, expected);
}

#[tokio::test]
async fn a_stream_is_sent_once_and_what_is_kept_is_sent_again() {
    let server = Server::start(503).await;
    let client = client(&server).with_options(CallOptions::default().idempotent());
    let send = |file: FilePart| {
        let body = types::Attachment::builder().file(file).kind(types::Kind::Photo);
        client.add_cover().body(body).send()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "hello").expect("a file");
    for file in [FilePart::bytes("hello").file_name("a.txt"), FilePart::path(&path)] {
        send(file).await.expect_err("an outage");
        let received = server.received();
        assert_eq!(received.len(), 3);
        for request in received {
            assert_eq!(request.parts().await[1], part("file", "hello", Some("text/plain"), Some("a.txt")));
        }
    }
    let file = FilePart::stream(Chunks(Some("hello".into())));
    let error = send(file.clone()).await.expect_err("an outage");
    assert_eq!((error.attempts(), server.received().len()), (1, 1));
    let spent = send(file).await.expect_err("it is spent");
    assert!(spent.kind() == ErrorKind::InvalidRequest && spent.to_string().contains("sent once"), "{spent}");
    assert!(!spent.may_have_been_sent() && server.received().is_empty());
}

#[tokio::test]
async fn a_file_that_cannot_be_sent_is_told_before_anything_is() {
    let server = Server::start(204).await;
    let folder = tempfile::tempdir().expect("a folder");
    for (file, why) in [
        (FilePart::path(folder.path().join("none.txt")), "cannot be read"),
        (FilePart::path(folder.path()), "not a file"),
        (FilePart::bytes("x").content_type("no type"), "`no type` is not a media type"),
        (FilePart::bytes("x").header("no header", "x"), "cannot stand in a header"),
    ] {
        let body = types::Attachment::builder().file(file).kind(types::Kind::Photo);
        let error = client(&server).add_cover().body(body).send().await.expect_err(why);
        assert!(error.kind() == ErrorKind::InvalidRequest && error.to_string().contains(why), "{error}");
        assert!(error.to_string().contains("the member `file` of the form is refused"), "{error}");
        assert!(!error.may_have_been_sent());
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_stream_that_is_not_as_long_as_was_said_is_an_error() {
    for length in [4, 6] {
        let server = Server::start(204).await;
        let file = FilePart::stream_of(length, Chunks(Some("hello".into())));
        let body = types::Attachment::builder().file(file).kind(types::Kind::Photo);
        client(&server).add_cover().body(body).send().await.expect_err("another length");
    }
}

#[tokio::test]
async fn what_a_form_holds_is_not_printed() {
    let file = FilePart::bytes("fixture-secret-content").file_name("a.txt");
    let body = types::Attachment::builder().file(file).kind(types::Kind::Photo);
    let body = types::Attachment::try_from(body).expect("it is whole");
    let mut printed = String::new();
    let _ = write!(printed, "{body:?}");
    assert!(!printed.contains("fixture-secret-content") && printed.contains("22 bytes"), "{printed}");
    assert!(serde_json::to_value(&body).is_err(), "{}", json!(null));
}

/// So many bytes, in chunks.
struct Zeros(u64);

const CHUNK: usize = 64 << 10;

impl futures_core::Stream for Zeros {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        static ZEROS: [u8; CHUNK] = [0; CHUNK];
        let size = usize::try_from(self.0).map_or(CHUNK, |left| left.min(CHUNK));
        self.0 -= size as u64;
        let chunk = Bytes::from_static(&ZEROS[..size]);
        Poll::Ready((size > 0).then_some(Ok(chunk)))
    }
}

/// The most memory that this process had since it was asked before, in bytes.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the status of this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak is forgotten");
    kilobytes << 10
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_file_is_never_in_memory() {
    // In a process of its own, because the tests beside it take memory too.
    let alone = ["--exact", "large_files_alone", "--ignored", "--nocapture"];
    let run = std::process::Command::new(std::env::current_exe().expect("this program")).args(alone).output();
    let run = run.expect("it runs");
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&run.stderr));
    println!("{told}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "run by the test above"]
async fn large_files_alone() {
    const SIZE: u64 = 64 << 20;
    let server = Server::counting().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.bin");
    std::fs::File::create(&path).and_then(|file| file.set_len(SIZE)).expect("a file");
    let client = client(&server);
    peak();
    let before = peak();
    for file in [FilePart::path(&path), FilePart::stream_of(SIZE, Zeros(SIZE)), FilePart::stream(Zeros(SIZE))] {
        let sent = server.length();
        let body = types::Attachment::builder().file(file).kind(types::Kind::Photo);
        client.add_cover().body(body).send().await.expect("an answer");
        let sent = server.length() - sent;
        assert!((SIZE..SIZE + 1_000).contains(&sent), "{sent}");
        let grown = peak().saturating_sub(before);
        println!("{} KB more for {} MB", grown >> 10, SIZE >> 20);
        assert!(grown < SIZE / 4, "{grown} bytes more");
    }
}

#[tokio::test]
async fn a_form_in_parts_asks_for_a_stream_by_a_part_of_its_own() {
    let server = Server::start(500).await;
    let body = || types::TranscribeBody::builder().file(FilePart::bytes("sound").file_name("a.wav"));
    let client = client(&server);
    for stream in [None, Some(false)] {
        let body = match stream {
            Some(stream) => body().stream(stream),
            None => body(),
        };
        assert!(client.transcribe().body(body).stream().await.is_err());
    }
    assert!(client.transcribe().body(body()).send().await.is_err());
    let asked = part("stream", "true", None, None);
    let file = part("file", "sound", Some("audio/wav"), Some("a.wav"));
    let received = server.received();
    assert_eq!(received.len(), 3);
    for streamed in &received[..2] {
        assert_eq!(streamed.header("accept"), Some("text/event-stream"));
        assert_eq!(streamed.parts().await, [file.clone(), asked.clone()]);
    }
    assert_eq!((received[2].header("accept"), received[2].parts().await), (Some("application/json"), vec![file]));
}

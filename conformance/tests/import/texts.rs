//! Files as people have them: quotes, line ends, delimiters, encodings, compression.

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::server::{Act, STORE, Server};
use super::{command, file, fs, run, stored, text};

fn names(server: &Server) -> Vec<Value> {
    stored(server).iter().map(|item| item["_first_name"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_that_is_not_closed_stops_the_import_before_it_begins() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    for (rows, words) in [
        ("_user_id,note\nu-1,tea\nu-2,\"5 foot\nu-3,x\n", "line 3: the quote that opens cell 2 is not closed"),
        ("_user_id,note\nu-1,\"5 foot\nu-2,\"VIP\"\n", "line 2: the quote that opens cell 2 is closed on line 3"),
        ("_user_id,\"note\nu-1,x\n", "line 1: the header holds a quote"),
    ] {
        let path = file(&dir, "contacts.csv", rows);
        let (code, said) = run(&server, &path, &[]).await;
        assert!(code == 2 && said.contains(words) && said.contains("contacts.csv"), "{words}: {said}");
    }
    assert!(stored(&server).is_empty(), "nothing is half imported");
    let path = file(&dir, "contacts.csv", "_user_id,note\nu-1,\"5 foot\nu-2,\"VIP\"\n");
    assert_eq!(run(&server, &path, &["--quote", "none"]).await.0, 0);
    assert_eq!(stored(&server)[0]["note"], "\"5 foot");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejects_can_be_mended_and_imported_again() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let rows = "sep=;\r\n_user_id;_first_name;_is_subscribed_sms\r\nu-1;Ada\r\nu-2;\"Grace\r\nM.\";yes\r\nu-3;6\" Tom;1\r\n\
                u-4;Joan;1;x\r\nu-5;\"Good; one\";1";
    let (path, rejects) = (file(&dir, "contacts.csv", rows), dir.path().join("rejects.csv"));
    let (code, said) = run(&server, &path, &["--rejects", text(&rejects)]).await;
    assert_eq!(code, 1, "{said}");
    for words in [
        "line 3: has 2 cells, the header has 3",
        "line 4: _is_subscribed_sms: is not a flag: the values are `1` for yes, `0` for no",
        "line 6: _first_name: holds a quote",
        "line 7: has 4 cells",
        "1 accepted, 4 rejected",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let kept = fs::read_to_string(&rejects).expect("rejects");
    let wanted = "sep=;\r\n_user_id;_first_name;_is_subscribed_sms\r\nu-1;Ada\r\nu-2;\"Grace\r\nM.\";yes\r\nu-3;6\" Tom;1\r\n\
                  u-4;Joan;1;x\r\n";
    assert_eq!(kept, wanted, "the records as they stood, behind the header");
    let mended =
        kept.replace("Ada\r\n", "Ada;\r\n").replace("yes", "0").replace("6\" Tom", "\"6\"\" Tom\"").replace(";x", "");
    let again = file(&dir, "again.csv", mended);
    let (code, said) = run(&server, &again, &[]).await;
    assert_eq!((code, said.as_str()), (0, "4 accepted, 0 rejected\n"));
    let mut all = names(&server);
    all.sort_by_key(ToString::to_string);
    assert_eq!(all, ["6\" Tom", "Ada", "Good; one", "Grace\r\nM.", "Joan"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delimiters_are_found_out_by_what_the_header_has_to_name() {
    for rows in [
        "\u{feff}_user_id;_first_name\r\nu;Ada\r\n",
        "\u{feff}sep=;\r\n_user_id;_first_name\r\nu;Ada\r\n",
        "sep=,\n_user_id,_first_name\nu,Ada\n",
        "_first_name\t_user_id\nAda\tu\n",
        "\"_user_id\"|\"_first_name\"\ru|Ada\r",
    ] {
        let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
        let (code, said) = run(&server, &file(&dir, "contacts.csv", rows), &[]).await;
        assert_eq!((code, names(&server)), (0, vec![json!("Ada")]), "{rows:?}: {said}");
    }
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let (code, said) = run(&server, &file(&dir, "contacts.csv", "Id;Name\r\nu;Ada\r\n"), &[]).await;
    let words = "the header has no `_user_id`: name its column with --column HEADER=_user_id; its one column is `Id;Name`: \
                 is the delimiter `;`? --delimiter ';'";
    assert!(code == 2 && said.contains(words), "{said}");
    let path = file(&dir, "contacts.csv", "Id;Name\r\nu;Ada\r\n");
    assert_eq!(run(&server, &path, &["--column", "Id=_user_id"]).await.0, 0, "names that are given count too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_encoding_is_named_and_taken() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let windows = b"_user_id;_first_name\r\nu-1;Ada\r\nu-2;Jos\xE9\r\nu-3;x;y\r\nu-4;\xD1u;z\r\n";
    let wide: Vec<u8> =
        "\u{feff}_user_id\t_first_name\r\nu-5\tZoë\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (windows, wide) = (file(&dir, "windows.csv", windows), file(&dir, "wide.csv", wide));
    for (path, words) in [
        (&windows, "line 3: the text is not UTF-8 (the byte 0xE9 is `é` in Windows-1252)"),
        (&windows, "--encoding windows-1252"),
        (&wide, "the text looks like UTF-16"),
        (&wide, "--encoding utf-16"),
    ] {
        let (code, said) = run(&server, path, &[]).await;
        assert!(code == 2 && said.contains(words), "{words}: {said}");
    }
    assert!(stored(&server).is_empty(), "nothing is half imported");
    let rejects = dir.path().join("rejects.csv");
    let more = ["--encoding", "windows-1252", "--rejects", text(&rejects)];
    assert_eq!(run(&server, &windows, &more).await.0, 1);
    assert_eq!(run(&server, &wide, &["--encoding", "utf-16"]).await.0, 0);
    assert_eq!(names(&server), ["Ada", "José", "Zoë"]);
    let kept = fs::read_to_string(&rejects).expect("UTF-8").replace(";y", "").replace(";z", "");
    fs::write(&rejects, kept).expect("a file");
    assert_eq!(run(&server, &rejects, &["--encoding", "windows-1252"]).await.0, 0, "the same options take the rejects");
    assert_eq!(names(&server)[3..], ["x", "Ñu"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_files_are_read_and_a_broken_one_is_refused() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for number in 0..5000 {
        writeln!(encoder, "{{\"_user_id\":\"u-{number}\",\"_first_name\":\"{}\"}}", number * 7919).expect("a row");
    }
    let packed = encoder.finish().expect("packed");
    let half = file(&dir, "half.ndjson.gz", &packed[..packed.len() / 2]);
    let (code, said) = run(&server, &half, &[]).await;
    assert!(code == 2 && said.contains("breaks off in its middle"), "{said}");
    assert!(stored(&server).is_empty(), "nothing is half imported");
    let (code, said) = run(&server, &file(&dir, "contacts.ndjson.gz", &packed), &[]).await;
    assert_eq!((code, said.as_str()), (0, "5000 accepted, 0 rejected\n"));
    let workbook = file(&dir, "contacts.csv", b"PK\x03\x04rest");
    let (code, said) = run(&server, &workbook, &[]).await;
    assert!(code == 2 && said.contains("save the sheet as CSV UTF-8"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standard_input_is_read_and_an_error_in_it_is_told() {
    for (rows, format, wanted) in [
        ("_user_id,_first_name\nu,Ada\n", "csv", (Some(0), 1, "1 accepted, 0 rejected")),
        ("{\"_user_id\":\"u\"}\r{\"_user_id\":\"v\"}\r", "ndjson", (Some(0), 2, "2 accepted, 0 rejected")),
        ("_user_id,_first_name\nu,Ada\nv,\"Gra", "csv", (Some(2), 1, "line 3: the quote")),
    ] {
        let server = Server::start(vec![], STORE).await;
        let mut command = command(&server, Path::new("-"), &["--format", format]);
        let output = tokio::task::spawn_blocking(move || {
            let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
            child.stdin.take().expect("piped").write_all(rows.as_bytes()).expect("written");
            child.wait_with_output().expect("it ends")
        });
        let Output { status, stderr, .. } = output.await.expect("no panic");
        let said = String::from_utf8(stderr).expect("text");
        assert_eq!((status.code(), stored(&server).len()), (wanted.0, wanted.1), "{said}");
        assert!(said.contains(wanted.2), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_help_has_examples() {
    let server = Server::start(vec![], STORE).await;
    let mut command = command(&server, Path::new("x"), &["--help"]);
    let output = command.output().expect("it runs");
    let help = String::from_utf8(output.stdout).expect("text");
    assert!(help.contains("Examples:") && help.contains("130  interrupted"), "{help}");
}

#[test]
fn exports_of_others_are_taken_or_refused_with_a_remedy() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases/bugs");
    if !cases.is_dir() {
        eprintln!("skipped: exports_of_others_are_taken_or_refused_with_a_remedy: the cases are not here");
        return;
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for (name, more, code, stored_rows, words) in [
            ("F2/contacts.csv", &[][..], 2, 0, "line 3: the quote that opens cell 2"),
            ("F2/contacts-three-columns.csv", &[], 2, 0, "line 3: the quote that opens cell 2"),
            ("F3/excel.csv", &[], 0, 2, "2 accepted"),
            ("F3/excel-sep.csv", &[], 0, 2, "2 accepted"),
            ("F3/excel-windows-1252.csv", &[], 2, 0, "--encoding windows-1252"),
            ("F3/excel-windows-1252.csv", &["--encoding", "windows-1252"], 0, 2, "2 accepted"),
            ("F3/excel-utf16.csv", &[], 2, 0, "--encoding utf-16"),
            ("F3/excel-utf16.csv", &["--encoding", "utf-16"], 0, 2, "2 accepted"),
        ] {
            let server = Server::start(vec![], STORE).await;
            let (its_code, said) = run(&server, &cases.join(name), more).await;
            assert_eq!((its_code, stored(&server).len()), (code, stored_rows), "{name}: {said}");
            assert!(said.contains(words), "{name}: {said}");
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_servers_and_files_say_commands_no_terminal_and_shows_no_token() {
    const BODY: &str = "{\"entity\":{\"successful\":0,\"failed\":1,\"items\":[{\"status\":\"error\",\"_user_id\":\"a\",\
        \"errors\":{\"na\\u009bme\":[\"no \\u001b[2J\\u202e\\nline 9: of Bearer fixture-token-0001\"]}}]}}"; // not-a-secret
    let dir = tempfile::tempdir().expect("a folder");
    for status in [202, 422] {
        let server = Server::start(vec![], Act::StoreThen(status, BODY)).await;
        let path = file(&dir, "contacts.ndjson", "{\"_user_id\":\"a\"}\n");
        let reasons = dir.path().join(format!("reasons-{status}"));
        let (code, said) = run(&server, &path, &["--reasons", text(&reasons)]).await;
        let words = "line 1: na\\u{9b}me: no \\u{1b}[2J\\u{202e}\\nline 9: of Bearer [redacted]\n";
        assert!(code == 1 && said.starts_with(words), "{status}: {said}");
        let kept = fs::read_to_string(&reasons).expect("reasons");
        assert!(kept.contains("\\u001b[2J\\u202e\\n") && kept.contains("na\\u009bme"), "{kept}");
        let message = &super::lines(&reasons)[0]["reasons"][0]["message"];
        assert_eq!(message, "no \u{1b}[2J\u{202e}\nline 9: of Bearer [redacted]", "the value stays what it is");
    }
    let server = Server::start(vec![], STORE).await;
    let header = file(&dir, "header\u{1b}]0;\n.csv", "_user_id\u{1b}[2J,\u{202e}x\nu,1\n");
    let state = file(&dir, "state.json", "{\"\\u001b[2J\\nfine\":1}");
    for more in [&[][..], &["--column", "_user_id\u{1b}[2J=_user_id", "--checkpoint", text(&state)]] {
        let (code, said) = run(&server, &header, more).await;
        let is_ours = |line: &str| ["error: ", "  --> ", "help: "].iter().any(|start| line.starts_with(start));
        assert!(code == 2 && said.lines().all(is_ours) && said.contains("\\u{1b}"), "{said}");
        assert!(!said.lines().any(|line| line.contains(char::is_control)) && !said.contains('\u{202e}'), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_under_no_name_is_not_left_out_in_silence() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.csv", "_user_id,,\nu-1,,\nu-2,Ada,\n");
    let (code, said) = run(&server, &path, &[]).await;
    assert!(code == 1 && said.contains("line 3: cell 2: holds text, and its column has no name"), "{said}");
    assert_eq!(names(&server).len(), 1);
    assert_eq!(run(&server, &path, &["--column", "="]).await.0, 0, "left out by who says so");
}

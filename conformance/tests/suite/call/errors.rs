//! What a call says that fails, and its exit code.

use std::fs;

use super::{Answer, Server, call, command, folder, told};

#[test]
fn the_exit_code_is_that_of_the_kind_of_answer() {
    for (status, expected) in [
        (400, 5),
        (401, 3),
        (402, 5),
        (403, 3),
        (404, 4),
        (409, 5),
        (418, 5),
        (422, 5),
        (429, 6),
        (500, 7),
        (503, 7),
        (302, 10),
    ] {
        let server = Server::start(Answer::json(status, r#"{"code":"odd","message":"why"}"#));
        let (code, printed, complaint) = told(&call(&server, &["getParcel", "id=1", "--attempts", "1"]));
        assert_eq!((code, printed.as_str()), (expected, ""), "{status}: {complaint}");
        assert!(complaint.starts_with(&format!("error: getParcel: {status} ")), "{complaint}");
        assert!(complaint.contains("\"code\": \"odd\""), "{complaint}");
    }
}

#[test]
fn no_connection_is_told_from_an_answer() {
    let server = Server::start(Answer::json(200, "{}"));
    let api = folder().display().to_string();
    // A port that nobody listens at: it was given back.
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let url = format!("http://{free}/v1");
    let mut nobody = command(Some(&server), &[&api, "getParcel", "id=1", "--attempts", "1", "--base-url", &url]);
    let (code, printed, complaint) = told(&nobody.output().expect("the binary runs"));
    assert_eq!((code, printed.as_str()), (8, ""), "{complaint}");
    assert!(complaint.contains(&format!("help: is this the server? {url}")), "{complaint}");
}

#[test]
fn only_what_may_be_repeated_is_repeated() {
    let failing_once =
        || Server::answering(|number| if number == 0 { Answer::json(503, "{}") } else { Answer::json(200, "{}") });
    let server = failing_once();
    assert_eq!(told(&call(&server, &["getParcel", "id=1"])).0, 0);
    assert_eq!(server.take().len(), 2);
    let server = failing_once();
    assert_eq!(told(&call(&server, &["createParcel", "weight=1"])).0, 7);
    assert_eq!(server.take().len(), 1, "a second parcel could be made");
}

#[test]
fn input_that_cannot_be_used_sends_nothing_and_says_what_to_do() {
    let server = Server::start(Answer::json(200, "{}"));
    for (arguments, problem, help) in [
        (&["getParcle", "id=1"][..], "the API parcels has no operation `getParcle`", "did you mean `getParcel`"),
        (
            &["getElsewhere", "--base-url", "https://staging.example"],
            "`getElsewhere` has a server of its own, `https://other.example`: the base URL https://staging.example is that of another",
            "--server 'https://other.example=URL'",
        ),
        (
            &["getElsewhere", "--server", "https://else.example=https://a.example"],
            "no operation has a server `https://else.example` of its own",
            "the document has `https://other.example`",
        ),
        (&["getParcel"], "the operation `getParcel` needs id (path: text)", "--describe"),
        (&["getParcel", "id=1", "idd=2"], "the operation `getParcel` takes no `idd`", "did you mean `id`"),
        (&["getParcel", "id"], "argument 1 is not NAME=VALUE", "did you mean `id`"),
        (&["getParcel", "id=.."], "the argument `id` is refused", "nothing was sent"),
        (&["getParcel", "id="], "the argument `id` is refused", "nothing was sent"),
        (&["getParcel", "id=1", "query:id=x1"], "the value of `id` is not an integer", "it takes: integer"),
        (&["getParcel", "id=1", "id=2"], "the value of `id` is given 2 times and takes one value", ""),
        (&["getParcel", "id=1", "X-Trace=a\nb"], "the header `X-Trace` has a value that HTTP does not allow", ""),
        (&["getParcel", "id=1", "--body", "{}"], "the operation `getParcel` takes no body", "leave --body out"),
        (&["listParcels", "open=yes"], "the value of `open` is neither true nor false", "it takes: true|false"),
        (
            &["listParcels", "routes=a b", "routes=c"],
            "the argument `routes` is refused: item 0 holds",
            "nothing was sent",
        ),
        (&["listParcels", "filter={}"], "the operation `listParcels` takes no `filter`", "did you mean `filter[from]`"),
        (&["listParcels", "--all"], "how the pages of `listParcels` follow each other is not known", "overlay"),
        (&["createParcel"], "the operation `createParcel` needs weight (body: number)", ""),
        (
            &["createParcel", "weight=1", "--body", "{}"],
            "`weight` is a member of the body, and --body is given too",
            "",
        ),
        (&["createParcel", "--body", "{\"a\":\n}"], "the body is not JSON: line 2, column 1", ""),
        (&["createParcel", "--body", "@no-such-file"], "the body cannot be read", "check the path"),
        (&["createParcel", "weight=1", "size=[1]"], "the value of `size` is not an object as JSON", ""),
        (&["addPhoto", "photo=pixels"], "the value of `photo` is not a file", "@photo.png"),
        (
            &["getBasic"],
            "takes credentials that keyfit cannot send: `digest` is the HTTP scheme `digest`",
            "contract.toml",
        ),
        (&["getParcel", "id=1", "--as", "tenant"], "takes no token of the kind `tenant`", "it takes key"),
        (&["getParcel", "id=1", "--base-url", "ftp://host"], "--base-url is not usable", ""),
        (&["getParcel", "id=1", "--output", "no/such/folder/file"], "the file cannot be written", "check the path"),
        (&["getParcel", "id=1", "--output", "/"], "the file cannot be written", "check the path"),
    ] {
        let (code, printed, complaint) = told(&call(&server, arguments));
        assert_eq!((code, printed.as_str()), (2, ""), "{arguments:?}: {complaint}");
        assert!(complaint.starts_with("error: ") && complaint.contains(problem), "{arguments:?}: {complaint}");
        assert!(complaint.contains(help), "{arguments:?}: {complaint}");
        assert_eq!(server.take(), Vec::<String>::new(), "{arguments:?}");
    }
    let missing = command(Some(&server), &["parcles", "getParcel"]).output().expect("the binary runs");
    let (code, _, complaint) = told(&missing);
    assert_eq!(code, 2);
    assert!(complaint.contains("an API of yours is named by its folder: ./api/parcels"), "{complaint}");
}

#[test]
fn the_token_of_one_api_does_not_go_to_the_host_of_another() {
    let api = folder().display().to_string();
    let mut everywhere = command(None, &[&api, "getParcel", "id=1"]);
    everywhere.env("KEYFIT_BASE_URL", "https://staging.example");
    let (code, _, complaint) = told(&everywhere.output().expect("the binary runs"));
    assert_eq!(code, 2);
    assert!(
        complaint.contains("KEYFIT_BASE_URL names another machine") && complaint.contains("set PARCELS_BASE_URL"),
        "{complaint}"
    );
    // Its own variable goes first.
    let server = Server::start(Answer::json(200, "{}"));
    let mut own = command(None, &[&api, "getParcel", "id=1"]);
    own.env("KEYFIT_BASE_URL", "http://127.0.0.1:1").env("PARCELS_BASE_URL", server.server.base_url());
    assert_eq!(told(&own.output().expect("the binary runs")).0, 0);
    assert_eq!(server.take().len(), 1);
}

#[test]
fn what_a_success_brings_is_printed_whatever_is_wrong_with_it() {
    let server = Server::start(Answer::of(200, "text/html", "<html>login</html>"));
    let (code, printed, complaint) = told(&call(&server, &["getParcel", "id=1"]));
    assert_eq!((code, printed.as_str()), (10, "<html>login</html>"));
    assert!(complaint.contains("the answer should be JSON, and is not"), "{complaint}");
    let server = Server::start(Answer::of(204, "", ""));
    assert_eq!(told(&call(&server, &["deleteParcel", "id=1"])), (0, String::new(), String::new()));
    let server = Server::start(Answer::of(200, "text/csv", b"a;\xff\x1b\n"));
    assert_eq!(call(&server, &["getLabels", "ids=1"]).stdout, b"a;\xff\x1b\n");
    let server = Server::start(Answer::of(200, "application/octet-stream", b"\x00\xff"));
    assert_eq!(call(&server, &["addRaw", "--body", "x"]).stdout, b"\x00\xff");
}

#[test]
fn a_batch_of_which_items_failed_is_printed_and_exits_with_9() {
    let push =
        ["instasent-ingest", "stream-contacts-push", "project=p", "datasource=d", "--body", r#"[{"_user_id":"1"}]"#];
    let run = |server: &Server| {
        let mut push = command(Some(server), &push);
        told(&push.env("INSTASENT_DATASOURCE_TOKEN", super::TOKEN).output().expect("the binary runs"))
    };
    let body = r#"{"entity":{"successful":0,"failed":1,"items":[{"status":"error","errors":["no"]}]}}"#;
    let (code, printed, complaint) = run(&Server::start(Answer::json(202, body)));
    assert_eq!(code, 9, "{complaint}");
    assert!(
        printed.contains("\"failed\": 1") && complaint.starts_with("error: stream-contacts-push: 202 "),
        "{complaint}"
    );
    // An answer without a body reports no items, and has nothing to print.
    assert_eq!(run(&Server::start(Answer::of(204, "", ""))), (0, String::new(), String::new()));
}

#[test]
fn a_file_takes_its_place_when_it_is_complete() {
    let folder = folder();
    let api = folder.display().to_string();
    let file = folder.join("parcel.json");
    let named = file.display().to_string();
    fs::write(&file, "older").expect("a file");
    let arguments = [api.as_str(), "getParcel", "id=1", "--attempts", "1", "--output", &named];
    let run = |answer| told(&command(Some(&Server::start(answer)), &arguments).output().expect("the binary runs"));
    assert_eq!(run(Answer::json(404, "{}")).0, 4);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "older");
    assert_eq!(run(Answer::json(200, "{\"a\":  1.10}")), (0, String::new(), String::new()));
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "{\"a\":  1.10}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(file.metadata().expect("it is there").permissions().mode() & 0o777, 0o600);
        let device = [api.as_str(), "getParcel", "id=1", "--output", "/dev/null"];
        let server = Server::start(Answer::json(200, "{}"));
        assert_eq!(told(&command(Some(&server), &device).output().expect("the binary runs")).0, 0);
        assert!(!fs::metadata("/dev/null").expect("it is there").is_file());
    }
    let left: Vec<_> = fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn all_pages_of_a_list_are_printed_an_item_a_line() {
    let pages = [
        r#"{"entities":[{"id":"1","n":1.10},{"id":"2"}],"metadata":{"cursor":"c"}}"#,
        r#"{"entities":[{"id":"3"}],"metadata":{"cursor":null}}"#,
    ];
    let scroll = |server: &Server| {
        let mut scroll = command(
            Some(server),
            &["instasent-product", "audience-scroll", "project=p", "--all", "--attempts", "1", "--header", "X-Desk: 7"],
        );
        told(&scroll.env("INSTASENT_PRODUCT_TOKEN", super::TOKEN).output().expect("the binary runs"))
    };
    let server = Server::answering(move |number| Answer::json(200, pages[number]));
    let lines = "{\"id\":\"1\",\"n\":1.10}\n{\"id\":\"2\"}\n{\"id\":\"3\"}\n";
    assert_eq!(scroll(&server), (0, lines.to_owned(), String::new()));
    let sent = server.take();
    assert!(sent[1].contains("\"cursor\":\"c\""));
    assert!(sent.iter().all(|sent| sent.contains("x-desk: 7")), "{sent:?}");
    let server = Server::answering(
        move |number| {
            if number == 0 { Answer::json(200, pages[0]) } else { Answer::json(404, "{}") }
        },
    );
    let (code, printed, complaint) = scroll(&server);
    assert_eq!((code, printed.lines().count()), (4, 2), "{complaint}");
    assert!(complaint.starts_with("after 2 items:\nerror: audience-scroll: 404 "), "{complaint}");
}

#[test]
fn what_a_server_writes_commands_no_terminal() {
    let hostile = "{\"message\":\"\u{9b}2J\u{202e}\",\"b\":\"\\u001b[2J\"}";
    for status in [200, 400] {
        let mut answer = Answer::json(status, hostile);
        answer.headers.push(("x-odd", "a\tb\u{9b}".to_owned()));
        let server = Server::start(answer);
        let (_, printed, complaint) = told(&call(&server, &["getParcel", "id=1", "--verbose"]));
        let shown = format!("{printed}{complaint}");
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{shown:?}");
        assert!(shown.contains("\\u009b2J\\u202e"), "{shown}");
    }
}

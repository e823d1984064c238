//! Every place and form of an argument, as it is sent.

use std::fs;

use super::{Answer, Server, call, command, folder, told, with_input};
use crate::cli::keyfit;

/// What is sent, below the first line without the headers that all requests have.
fn sent(server: &Server, arguments: &[&str]) -> String {
    let output = call(server, arguments);
    let (code, _, complaint) = told(&output);
    assert_eq!(code, 0, "{arguments:?}: {complaint}");
    let lines = server.one();
    let lines = lines.lines().filter(|line| !line.starts_with("accept: ") && !line.starts_with("authorization: "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn parameters_go_where_the_document_says_in_the_form_it_says() {
    let server = Server::start(Answer::json(200, "[]"));
    for (arguments, expected) in [
        (&["getParcel", "id=a b/ü"][..], "GET /parcels/a%20b%2F%C3%BC"),
        (&["getParcel", "path:id=1", "query:id=7"], "GET /parcels/1?id=7"),
        (&["get-parcel", "id=1", "x-trace=t=1"], "GET /parcels/1\nx-trace: t=1"),
        (&["GET /parcels/{id}", "id=1", "Cookie=theme=dark"], "GET /parcels/1\ncookie: theme=dark"),
        (&["listParcels"], "GET /parcels"),
        (&["listParcels", "tags=a&b", "tags=c"], "GET /parcels?tags=a%26b&tags=c"),
        (&["listParcels", r#"tags=["a","b"]"#], "GET /parcels?tags=a&tags=b"),
        (&["listParcels", "states=new", "states=sent"], "GET /parcels?states=new,sent"),
        (&["listParcels", "states=new,sent"], "GET /parcels?states=new,sent"),
        (&["listParcels", r#"states=["new","sent"]"#], "GET /parcels?states=new,sent"),
        (&["listParcels", "states=a,b", "states=c"], "GET /parcels?states=a%2Cb,c"),
        (&["listParcels", "routes=a", "routes=b"], "GET /parcels?routes=a%20b"),
        (&["listParcels", "stops=a", "stops=b"], "GET /parcels?stops=a%7Cb"),
        (
            &["listParcels", "filter[from]=x", "filter[weight]=2"],
            "GET /parcels?filter%5Bfrom%5D=x&filter%5Bweight%5D=2",
        ),
        (&["listParcels", "X-Zones=a", "X-Zones=b"], "GET /parcels\nx-zones: a,b"),
        (&["listParcels", "open=true", "heavier=1.50"], "GET /parcels?open=true&heavier=1.50"),
    ] {
        assert_eq!(sent(&server, arguments), expected, "{arguments:?}");
    }
    let server = Server::start(Answer::of(200, "text/csv", "a;b\n"));
    assert_eq!(sent(&server, &["getLabels", "ids=a", "ids=b"]), "GET /parcels/a,b/labels");
}

#[test]
fn an_operation_with_a_server_of_its_own_goes_there_and_below_a_base_url_on_this_machine() {
    let server = Server::start(Answer::json(200, "{}"));
    assert_eq!(sent(&server, &["getElsewhere"]), "GET /elsewhere");
    let other = format!("https://other.example={}/other", server.server.base_url());
    assert_eq!(sent(&server, &["getElsewhere", "--server", &other]), "GET /other/elsewhere");
    let staging = ["getElsewhere", "--base-url", "https://staging.example", "--server", &other];
    assert_eq!(sent(&server, &staging), "GET /other/elsewhere");
    let api = folder().display().to_string();
    let mut documented = command(None, &[&api, "getElsewhere", "--dry-run"]);
    let (code, shown, complaint) = told(&documented.output().expect("the binary runs"));
    assert_eq!(code, 0, "{complaint}");
    assert!(shown.starts_with("GET https://other.example/elsewhere"), "{shown}");
    let (_, described, _) = told(&call(&server, &["getElsewhere", "--describe"]));
    assert!(described.contains("It has a server of its own: https://other.example"), "{described}");
}

#[test]
fn bodies_are_made_of_members_or_given_whole() {
    let server = Server::start(Answer::json(200, "{}"));
    let json = "content-type: application/json";
    let form = "content-type: application/x-www-form-urlencoded";
    for (arguments, expected) in [
        (
            &["createParcel", "weight=12345678901234567890.5", "note=null", "tags=a", r#"size={"high":2}"#][..],
            format!(
                r#"POST /parcels
{json}
{{"weight":12345678901234567890.5,"note":"null","tags":["a"],"size":{{"high":2}}}}"#
            ),
        ),
        (
            &["createParcel", "--body", r#"{"weight": 1, "more": true}"#],
            format!("POST /parcels\n{json}\n{{\"weight\": 1, \"more\": true}}"),
        ),
        (
            &["putParcel", "id=1", "weight=2", "body:extra=3"],
            format!("PUT /parcels/1\n{json}\n{{\"weight\":2,\"extra\":3}}"),
        ),
        (&["makeToken", "grant=a b&c", "lifetime=60"], format!("POST /token\n{form}\ngrant=a+b%26c&lifetime=60")),
        (&["addNote", "--body", "- hi"], "POST /notes\ncontent-type: text/plain\n- hi".to_owned()),
    ] {
        assert_eq!(sent(&server, arguments), expected, "{arguments:?}");
    }
}

#[test]
fn bodies_come_from_files_and_the_standard_input() {
    let server = Server::start(Answer::json(200, "{}"));
    let folder = folder();
    let api = folder.display().to_string();
    let file = folder.join("b\"ody.bin");
    fs::write(&file, [b'{', 0xff, b'}']).expect("a file");
    let named = format!("@{}", file.display());
    let output = command(Some(&server), &[&api, "addRaw", "--body", &named]).output().expect("the binary runs");
    assert_eq!(told(&output).0, 0, "{}", told(&output).2);
    assert!(server.one().ends_with("content-type: application/octet-stream\n[123, 255, 125]"));
    for marked in ["-", "@-"] {
        let output = with_input(command(Some(&server), &[&api, "createParcel", "--body", marked]), b"{\"weight\": 3}");
        assert_eq!(told(&output).0, 0, "{}", told(&output).2);
        assert!(server.one().ends_with("\n{\"weight\": 3}"));
    }
    fs::write(&file, "pixels").expect("a file");
    let photo = format!("photo={named}");
    let parts = ["addPhoto", &photo, "title=A dog", r#"place={"x":1}"#];
    let output = command(Some(&server), &[&[api.as_str()], &parts[..]].concat()).output().expect("the binary runs");
    assert_eq!(told(&output).0, 0, "{}", told(&output).2);
    let request = server.one();
    let boundary =
        request.split_once("boundary=").and_then(|(_, rest)| rest.lines().next()).expect("a boundary").to_owned();
    let expected = format!(
        "POST /photos\naccept: application/json\nauthorization: Bearer {token}\ncontent-type: multipart/form-data; boundary={boundary}\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"b%22ody.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n\
         pixels\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nA dog\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"place\"\r\nContent-Type: application/json\r\n\r\n{{\"x\":1}}\r\n--{boundary}--",
        token = super::TOKEN
    );
    assert_eq!(request, expected);
}

#[test]
fn headers_of_the_users_own_go_along_and_credentials_are_not_among_them() {
    let server = Server::start(Answer::json(200, "{}"));
    let workspace = ["--header", "X-Workspace: fixture-workspace-1", "--header", "X-Version: 2"];
    let call = |arguments: &[&str]| told(&call(&server, &[arguments, &workspace].concat()));
    assert_eq!(call(&["getParcel", "id=1"]).0, 0);
    let sent = server.one();
    assert!(sent.contains("\nx-version: 2\nx-workspace: fixture-workspace-1"), "{sent}");
    let (code, shown, _) = call(&["getParcel", "id=1", "--dry-run"]);
    assert!(code == 0 && shown.contains("x-version: 2") && shown.contains("x-workspace: [redacted]"), "{shown}");
    for (header, why) in [
        ("Authorization: Bearer fixture-token-9", "the command line is no place for one"),
        ("X-Tenant: fixture-tenant-9", "the command line is no place for one"),
        ("Host: other.example", "is set by the client"),
        ("no colon", "write it as `NAME: VALUE`"),
    ] {
        let (code, _, complaint) = call(&["getParcel", "id=1", "--header", header]);
        assert!(code == 2 && complaint.contains(why) && !complaint.contains("-9"), "{complaint}");
    }
    assert!(server.take().is_empty());
}

#[test]
fn credentials_are_sent_as_the_operation_takes_them() {
    let server = Server::start(Answer::json(200, "{}"));
    let request = |arguments: &[&str]| {
        let (code, _, complaint) = told(&call(&server, arguments));
        assert_eq!(code, 0, "{complaint}");
        server.one()
    };
    let key = format!("authorization: Bearer {}", super::TOKEN);
    let one = request(&["getParcel", "id=1"]);
    assert!(one.contains(&key) && !one.contains("x-tenant"), "{one}");
    let both = request(&["getBoth"]);
    assert!(both.contains(&key) && both.contains("x-tenant: fixture-tenant-77-0002"), "{both}");
    assert!(!request(&["makeToken", "grant=a"]).contains("authorization"));
    let folder = folder();
    let api = folder.display().to_string();
    let file = folder.join("token");
    fs::write(&file, "fixture-token-of-a-file\n").expect("a file"); // not-a-secret
    let named = format!("@{}", file.display());
    let mut from_file = command(Some(&server), &[&api, "getParcel", "id=1", "--token", &named]);
    assert_eq!(told(&from_file.output().expect("the binary runs")).0, 0);
    assert!(server.one().contains("authorization: Bearer fixture-token-of-a-file"));
    let mut from_input = command(Some(&server), &[&api, "getParcel", "id=1", "--token", "-"]);
    from_input.env_remove("PARCELS_KEY");
    assert_eq!(told(&with_input(from_input, b"fixture-token-of-a-pipe\n")).0, 0);
    assert!(server.one().contains("authorization: Bearer fixture-token-of-a-pipe"));
}

#[test]
fn nothing_is_sent_by_a_dry_run_and_what_would_be_is_shown() {
    let server = Server::start(Answer::json(200, "{}"));
    let output = call(&server, &["createParcel", "weight=1", "password=fixture-swordfish", "--dry-run"]); // not-a-secret
    let (code, shown, complaint) = told(&output);
    assert_eq!((code, complaint.as_str()), (0, ""));
    let shown = shown.replace(&server.server.base_url(), "http://host");
    insta::assert_snapshot!(shown, @r#"
    POST http://host/parcels
    accept: application/json
    content-type: application/json
    authorization: Bearer [redacted]

    {
      "weight": 1,
      "password": "[redacted]"
    }
    "#);
    // Without a credential it shows the request all the same, and says that it would not be sent.
    let api = folder().display().to_string();
    let mut bare = command(Some(&server), &[&api, "getParcel", "id=1", "--dry-run"]);
    let (code, shown, complaint) = told(&bare.env_remove("PARCELS_KEY").output().expect("the binary runs"));
    assert_eq!(code, 0);
    assert!(shown.contains("authorization: Bearer [redacted]") && complaint.contains("set PARCELS_KEY"), "{complaint}");
    assert_eq!(server.take(), Vec::<String>::new());
}

#[test]
fn operations_and_what_they_take_are_listed() {
    let api = folder().display().to_string();
    let (code, listed, _) = told(&command(None, &[&api]).output().expect("the binary runs"));
    assert_eq!(code, 0);
    assert!(listed.lines().any(|line| line.starts_with("getParcel") && line.ends_with("Get a parcel")), "{listed}");
    let (code, taken, _) = told(&command(None, &[&api, "getBoth", "--describe"]).output().expect("the binary runs"));
    assert_eq!(code, 0);
    assert!(taken.ends_with("Credential: key from PARCELS_KEY and tenant from PARCELS_TENANT\n"), "{taken}");
    let (_, taken, _) = told(&command(None, &[&api, "addPhoto", "--describe"]).output().expect("the binary runs"));
    assert!(taken.contains("photo   body, required  file, as @FILE"), "{taken}");
    let (_, shipped, _) = told(&command(None, &[]).output().expect("the binary runs"));
    assert!(shipped.lines().any(|line| line == "scopien"), "{shipped}");
}

#[test]
fn completions_and_manual_pages_have_the_command_with_its_exit_codes() {
    let script = keyfit(&["completions", "bash"]);
    assert!(told(&script).1.contains("keyfit__call") || told(&script).1.contains("keyfit__subcmd__call"));
    assert!(told(&script).1.contains("--dry-run"));
    let pages = folder();
    let manual = keyfit(&["man", "--out", &pages.display().to_string()]);
    assert_eq!(told(&manual).0, 0, "{}", told(&manual).2);
    let page = fs::read_to_string(pages.join("keyfit-call.1")).expect("a page");
    for code in ["2    the input cannot be used", "10   an answer that cannot be used"] {
        assert!(page.contains(code), "{page}");
    }
}

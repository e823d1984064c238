//! What calls cost that are refused, before live servers that answer by hand.

use std::sync::Mutex;

use crate::live_server::{api, by_token, check, reply, serve_whole};

/// Texts that cost money, and what is left to pay for them.
const DOCUMENT: &str = "openapi: 3.0.3
info: { title: Hub, version: '1' }
servers: [{ url: https://hub.example }]
security: [{ login: [] }]
paths:
  /account:
    get:
      operationId: account
      responses: { '200': { description: d, content: { application/json: { schema: { type: object, properties: { balance: { type: string, example: '12.40' } } } } } } }
  /texts:
    post:
      operationId: text-send
      requestBody: { required: true, content: { application/json: { schema: { type: object, required: [to], properties: { to: { type: string, example: '+34600000000' } } } } } }
      responses: { '201': { description: Sent. }, '402': { description: No funds. }, '422': { description: No text. } }
components:
  securitySchemes: { login: { type: http, scheme: bearer } }
";

const NOT_CHARGED: [&str; 4] = ["--allow-writes", "--allow-spend", "--case", "hub/error/not-charged/*"];

/// What a check says of a server that takes so much from the balance for a text that it refuses, for one that it sends, and for each
/// reading of the balance. With nothing to begin with it sends none.
fn said(name: &str, begin: i64, (refused, sent, read): (i64, i64, i64), more: &[&str]) -> (Option<i32>, String) {
    let balance = Mutex::new(begin);
    let (url, _) = serve_whole(move |first, headers, body, _| {
        let mut balance = balance.lock().expect("no panic");
        let served = by_token(first, headers);
        if !served.contains(" 200 ") {
            return Some(served);
        }
        if first.starts_with("GET /account") {
            *balance -= read;
            return Some(reply("200 OK", &format!("{{\"balance\": \"{}.{:02}\"}}", *balance / 100, *balance % 100)));
        }
        let is_text = serde_json::from_str::<serde_json::Value>(body).is_ok_and(|sent| sent["to"].is_string());
        *balance -= if is_text { sent } else { refused };
        Some(match is_text {
            false => reply("422 Unprocessable Content", "{}"),
            true if begin == 0 => reply("402 Payment Required", "{}"),
            true => reply("201 Created", "{}"),
        })
    });
    check(&api(name, DOCUMENT), &url, more)
}

#[test]
fn a_refusal_that_is_charged_for_is_found_and_one_that_costs_nothing_is_not() {
    let (code, told) = said("charged", 1240, (5, 5, 0), &NOT_CHARGED);
    assert!(code == Some(1) && told.contains("by a call that was refused with 422"), "{told}");
    assert!(told.contains("the balance went from "), "{told}");
    let (code, told) = said("not-charged", 1240, (0, 5, 0), &NOT_CHARGED);
    assert!(code == Some(0) && told.contains("1 case: 1 passed"), "{told}");
}

#[test]
fn a_balance_that_moves_by_itself_shows_nothing() {
    let (code, told) = said("moving", 1240, (5, 5, 1), &NOT_CHARGED);
    assert!(code != Some(1) && told.contains("the balance moves by itself"), "{told}");
}

#[test]
fn nothing_that_costs_is_sent_unless_that_is_allowed() {
    let (_, told) = said("thrifty", 1240, (5, 5, 0), &["--allow-writes", "--case", "hub/error/not-charged/*"]);
    assert!(told.contains("--allow-spend") && !told.contains("the balance went"), "{told}");
}

#[test]
fn a_valid_call_of_an_account_without_funds_breaks_no_rule() {
    let accepted = ["--allow-writes", "--allow-spend", "--case", "hub/auth/accepted/text-send"];
    let (code, told) = said("no-funds", 0, (0, 0, 0), &accepted);
    assert!(code != Some(1) && told.contains("has no funds for it, as the documented 402 says"), "{told}");
}

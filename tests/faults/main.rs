//! The typed clients against a server that fails at the level of bytes: what is sent, how often, and what is reported.

mod script;
mod server;

use std::time::Duration;

use keyfit::batch::Batch;
use keyfit::instasent::ingest::DatasourceToken;
use keyfit::instasent::transactional::ApiSmsToken;
use keyfit::instasent::{ingest, transactional};
use keyfit::{Config, Error, ErrorKind, RetryPolicy};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::script::{BODIES, Body, Fault, Hint, Reply, scripts};
use crate::server::Server;

/// A token for tests; it opens nothing.
const TOKEN: &str = "fixture-token-0001"; // not-a-secret
/// Longer than any call takes that ends at all.
const GUARD: Duration = Duration::from_secs(60);
/// What a stalled attempt costs in these tests.
const PATIENCE: Duration = Duration::from_millis(150);

/// What is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Call {
    /// `POST /sms`: never repeated.
    Create,
    /// `GET /sms`.
    List,
    /// A push of an event that has a key, and of one that has none.
    Push { is_keyed: bool },
}

impl Call {
    const ALL: [Self; 4] = [Self::Create, Self::List, Self::Push { is_keyed: true }, Self::Push { is_keyed: false }];

    fn is_repeatable(self) -> bool {
        matches!(self, Self::List | Self::Push { is_keyed: true })
    }

    fn success(self) -> &'static str {
        match self {
            Self::Create => r#"{"entity":{"id":"sms_1"}}"#,
            Self::List => r#"{"entities":[]}"#,
            Self::Push { .. } => r#"{"entity":{"successful":1,"failed":0,"items":[{"status":"success"}]}}"#,
        }
    }

    /// How many requests it took.
    async fn send(self, config: Config) -> Result<u32, Error> {
        let sms = |config| transactional::Client::with_config(ApiSmsToken::new(TOKEN)?, config);
        match self {
            Self::Create => {
                let body = transactional::types::SmsItem::builder().from("Keyfit").to("+34600000000").text("Hello");
                Ok(sms(config)?.sms_create().body(body).send().await?.attempts())
            }
            Self::List => Ok(sms(config)?.sms_list().send().await?.attempts()),
            Self::Push { is_keyed } => {
                let client = ingest::Client::with_config(DatasourceToken::new(TOKEN)?, config)?;
                let event = ingest::types::Event::builder()
                    .user_id("user-1")
                    .event_id(if is_keyed { "event-1" } else { "" })
                    .event_type("order")
                    .event_parameters(serde_json::Map::new());
                let event = event.try_into().expect("an event");
                let batch: Batch<ingest::types::Event, 100> = vec![event].try_into().expect("a batch");
                let call = client.stream_events_push().project("p").datasource("d").body(&batch);
                Ok(call.send().await?.attempts())
            }
        }
    }
}

/// One call against a script.
async fn run(call: Call, script: Vec<Fault>, policy: RetryPolicy, is_kept_alive: bool) -> (Result<u32, Error>, Server) {
    let stalls = script.iter().any(Fault::stalls);
    let server = Server::start(script, is_kept_alive, call.success()).await;
    let config = server.config().retry(policy);
    let config = if stalls { config.timeout(PATIENCE) } else { config };
    let result = tokio::time::timeout(GUARD, call.send(config)).await.expect("every call ends");
    (result, server)
}

fn once(call: Call, fault: Fault) -> (Result<u32, Error>, Server) {
    runtime().block_on(run(call, vec![fault], RetryPolicy::never(), false))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// What must hold whatever befalls a call.
async fn check(call: Call, script: Vec<Fault>, most: u32, is_kept_alive: bool) -> Result<(), TestCaseError> {
    let policy = RetryPolicy::default().attempts(most);
    let (result, server) = run(call, script.clone(), policy, is_kept_alive).await;
    let seen = server.seen();
    let attempts = result.as_ref().map_or_else(Error::attempts, |attempts| *attempts);

    prop_assert!((1..=most).contains(&attempts), "{attempts} attempts");
    prop_assert_eq!(seen.attempts, attempts, "the observer is told of each");
    prop_assert!(seen.touched <= attempts as usize, "{} requests in {attempts} attempts", seen.touched);
    if !call.is_repeatable() {
        prop_assert!(seen.executed <= 1, "executed {} times", seen.executed);
    }

    let at = |attempt: u32| &script[(attempt as usize - 1).min(script.len() - 1)];
    for (attempt, wait) in &seen.waits {
        let asked = match at(*attempt) {
            Fault::Reply(reply) => reply.asked(),
            _ => None,
        };
        check_wait(*attempt, *wait, asked)?;
    }

    let stalls = script.iter().any(Fault::stalls);
    let (may_succeed, kinds) = at(attempts).kinds();
    match &result {
        Ok(_) => prop_assert!(may_succeed, "no success"),
        Err(error) => {
            let fits = kinds.contains(&error.kind())
                // A slow machine loses patience too, and a kept connection may end as it is used.
                || stalls && error.kind() == ErrorKind::Timeout
                || is_kept_alive && error.kind() == ErrorKind::Transport;
            prop_assert!(fits, "{error:?} is none of {kinds:?}");
            prop_assert!(error.may_have_been_sent() || seen.touched == 0, "{error:?} after {} requests", seen.touched);
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(TOKEN), "the token is shown");
        }
    }
    Ok(())
}

/// A wait is that of the policy, or what the server asked for and a little more.
fn check_wait(attempt: u32, wait: Duration, asked: Option<Duration>) -> Result<(), TestCaseError> {
    let full = Duration::from_millis(200).saturating_mul(1 << (attempt - 1)).min(Duration::from_secs(20));
    let asked = asked.unwrap_or_default();
    // A reset has whole seconds only.
    let least = asked.saturating_sub(Duration::from_secs(1)).max(full / 2);
    let most = asked.mul_f64(1.1).min(asked + Duration::from_millis(500)).max(full);
    prop_assert!(least <= wait && wait <= most, "{wait:?} is not in {least:?}..={most:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn whatever_befalls_a_call_it_ends_and_is_executed_no_more_often_than_it_may_be(
        call in prop::sample::select(Call::ALL.to_vec()),
        script in scripts(),
        most in 1_u32..7,
        is_kept_alive in any::<bool>(),
    ) {
        runtime().block_on(check(call, script, most, is_kept_alive))?;
    }
}

#[test]
fn a_create_is_executed_once_whatever_befalls_it() {
    let faults = [
        Fault::ResetUnread,
        Fault::CloseUnread,
        Fault::ResetRead,
        Fault::CloseRead,
        Fault::Stalled,
        Fault::Garbage,
        Fault::HalfHead,
    ];
    let replies = [200, 503]
        .into_iter()
        .flat_map(|status| BODIES.map(|body| Fault::Reply(Reply { status, hint: Hint::RetryAfter(0), body })));
    for fault in faults.into_iter().chain(replies) {
        for is_kept_alive in [true, false] {
            let checked = check(Call::Create, vec![fault.clone(), fault.clone()], 4, is_kept_alive);
            runtime().block_on(checked).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        }
    }
}

#[test]
fn a_server_that_comes_back_is_found_again() {
    for call in Call::ALL {
        let script = vec![Fault::Refused, Fault::Refused, Fault::status(429), Fault::Refused, Fault::status(200)];
        let (result, server) = runtime().block_on(run(call, script, RetryPolicy::default().attempts(5), true));
        assert_eq!(result.expect("the fifth attempt"), 5);
        assert_eq!((server.seen().touched, server.seen().executed), (2, 1));
    }
}

#[test]
fn a_read_survives_every_fault_that_passes() {
    let script = vec![Fault::ResetUnread, Fault::CloseRead, Fault::HalfHead, Fault::Garbage, Fault::status(502)];
    let script = [script, vec![Fault::Stalled, Fault::ResetRead, Fault::Refused, Fault::status(200)]].concat();
    let (result, _) = runtime().block_on(run(Call::List, script, RetryPolicy::default().attempts(9), false));
    assert_eq!(result.expect("the last attempt"), 9);
}

#[test]
fn a_storm_of_429_ends_at_the_cap_and_executes_nothing() {
    for hint in [Hint::None, Hint::Garbled, Hint::RetryAfter(0), Hint::RetryAfter(2), Hint::Reset(1), Hint::InBody(1)] {
        let storm = vec![Fault::Reply(Reply { status: 429, hint, body: Body::Fits })];
        let (result, server) = runtime().block_on(run(Call::Create, storm, RetryPolicy::default(), true));
        let error = result.expect_err("a storm");
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 4), "{hint:?}");
        assert_eq!((server.seen().touched, server.seen().executed), (4, 0), "{hint:?}");
    }
}

#[test]
fn a_packed_answer_is_not_unpacked_and_none_is_asked_for() {
    let packed = |status| Fault::Reply(Reply { status, hint: Hint::None, body: Body::Gzip });
    for (status, kind) in [(201, ErrorKind::Decode), (500, ErrorKind::Server)] {
        let (result, server) = once(Call::Create, packed(status));
        let error = result.expect_err("what cannot be read");
        assert_eq!(error.kind(), kind);
        assert!(error.body().starts_with(&[31, 139]), "the body is as it came");
        assert!(server.seen().heads.iter().all(|head| !head.contains("accept-encoding")));
    }
}

#[test]
fn an_answer_that_came_in_part_is_kept_as_far_as_it_came() {
    for body in [Body::HalfClosed, Body::HalfReset, Body::HalfStalled] {
        let (result, _) = once(Call::Create, Fault::Reply(Reply { status: 201, hint: Hint::None, body }));
        let error = result.expect_err("half an answer");
        assert!(error.may_have_been_sent() && error.status().is_some(), "{error:?}");
        assert!(!error.is_body_whole() && error.body().starts_with(b"{\"entity\""), "{body:?}: {error:?}");
    }
}

//! Asynchronous work: a call is accepted with 202 and the location of a status, which reports the end after a number of reads.

use std::collections::HashMap;

use hyper::body::Bytes;
use keyfit_openapi::schema::Direction;
use keyfit_openapi::{Api, Operation, ParameterLocation, example};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Refusal};
use super::core::{Core, ServedRequest};
use super::store::{fill_path, path_of, url_path};
use crate::document::body::plain;
use crate::document::unknown_id;
use crate::probe::{id_member, last_parameter};
use crate::text::pointer::put;

/// The path of a status that the document does not describe, below the base path.
const OWN_PATH: &str = "_work";
/// The end of the path of a result that is separate from the status.
const RESULT: &str = "result";
/// The headers with the location of a status, the most specific first; the last one is that of the result if there is another one.
const LOCATION_HEADERS: [&str; 3] = ["operation-location", "azure-asyncoperation", "location"];
/// The highest number of stored work items. Beyond it, all are forgotten: a mock may run for days.
const MAX_WORK_ITEMS: usize = 10_000;
/// The members in which a status reports the state of work.
const STATE_MEMBERS: [&str; 2] = ["status", "state"];
/// The words for each state, the most usual first, in lower case.
const RUNNING_WORDS: [&str; 7] = ["running", "inprogress", "processing", "pending", "queued", "accepted", "notstarted"];
const DONE_WORDS: [&str; 6] = ["succeeded", "completed", "success", "done", "finished", "ready"];
const FAILED_WORDS: [&str; 4] = ["failed", "error", "failure", "errored"];

/// The behavior of work that a mock accepts with 202.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkPlan {
    /// The number of status reads that report running work before one reports its end. Default: 1.
    pub looks: u32,
    /// True if the work fails. Default: false.
    pub fails: bool,
}

/// The accepted work, by the paths of its statuses below the base path.
#[derive(Clone, Debug, Default)]
pub(super) struct WorkItems {
    pub(super) plan: WorkPlan,
    by_path: HashMap<String, WorkItem>,
    accepted: usize,
}

#[derive(Clone, Copy, Debug)]
struct WorkItem {
    /// The operation that was called.
    operation: usize,
    tenant: usize,
    left: u32,
    fails: bool,
}

/// The state of work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum WorkState {
    Running,
    Done,
    Failed,
}

impl Default for WorkPlan {
    fn default() -> Self {
        Self { looks: 1, fails: false }
    }
}

impl WorkItems {
    /// Reads the status at a path. Returns its work and the state.
    fn read_status(&mut self, path: &str, tenant: usize) -> Option<(WorkItem, WorkState)> {
        let work = self.by_path.get_mut(path).filter(|work| work.tenant == tenant)?;
        let work_state = match work.left {
            0 if work.fails => WorkState::Failed,
            0 => WorkState::Done,
            _ => WorkState::Running,
        };
        work.left = work.left.saturating_sub(1);
        Some((*work, work_state))
    }
}

impl WorkState {
    /// Returns the word for the state, from those that a schema lists.
    fn word(self, api: &Api, schema: &Value) -> Value {
        let words: &[&str] = match self {
            Self::Running => &RUNNING_WORDS,
            Self::Done => &DONE_WORDS,
            Self::Failed => &FAILED_WORDS,
        };
        let listed = api.resolve(schema).get("enum").and_then(Value::as_array).into_iter().flatten();
        let letters = |value: &Value| {
            let text = value.as_str().unwrap_or_default();
            text.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase()
        };
        let fitting = listed.into_iter().find(|value| words.contains(&letters(value).as_str()));
        fitting.cloned().unwrap_or_else(|| json!(words[0]))
    }
}

impl Core {
    /// Accepts work: answers 202 with the location of its status.
    pub(super) fn accept_work(&self, index: usize, served: &ServedRequest<'_>) -> Answer {
        let operation = served.operation;
        let number = {
            let mut state = self.state();
            state.work_items.accepted += 1;
            state.work_items.accepted
        };
        let own = format!("/{OWN_PATH}/{number}");
        let status = self.status_of(served, number).unwrap_or_else(|| own.clone());
        let shape = operation.responses.get("202");
        let body = shape.and_then(|shape| shape.schema.as_ref()).map(|schema| {
            let body = example::value(&self.api, Direction::Answer, schema);
            self.with_state(schema, body, WorkState::Running).to_string()
        });
        let mut answer = body.map_or_else(|| Answer::empty(202), |body| Answer::json(202, body));
        let documented = |name: &&&str| {
            let mut headers = shape.into_iter().flat_map(|shape| &shape.headers);
            headers.any(|known| known.eq_ignore_ascii_case(name))
        };
        let place = |path: &str| url_path(&self.api.base_url, path).unwrap_or_else(|| path.to_owned());
        for (nth, name) in LOCATION_HEADERS.iter().filter(documented).enumerate() {
            let is_of_result = nth > 0 && *name == "location";
            answer.header(name, place(&if is_of_result { format!("{own}/{RESULT}") } else { status.clone() }));
        }
        answer.header("retry-after", "0");
        let mut state = self.state();
        let WorkPlan { looks, fails } = state.work_items.plan;
        if state.work_items.by_path.len() >= MAX_WORK_ITEMS {
            state.work_items.by_path.clear();
        }
        let work = WorkItem { operation: index, tenant: served.token.tenant, left: looks, fails };
        state.work_items.by_path.insert(format!("{own}/{RESULT}"), WorkItem { left: 0, fails: false, ..work });
        state.work_items.by_path.insert(status, work);
        answer
    }

    /// Returns the path of the work's status if the document has an operation for it: a GET below the path of the call, with a state among
    /// the members of its answer.
    fn status_of(&self, served: &ServedRequest<'_>, number: usize) -> Option<String> {
        let is_status = |one: &&Operation| {
            let below = one.path.strip_prefix(served.operation.path.trim_end_matches('/'));
            let segments: Vec<&str> = below.into_iter().flat_map(|below| below.split('/').skip(1)).collect();
            let is_below = matches!(segments.as_slice(), [id] | [id, _] if id.starts_with('{'))
                && segments.get(1).is_none_or(|literal| !literal.starts_with('{'));
            one.method == "GET" && is_below && self.reports_state(one)
        };
        let operation = self.api.operations.iter().filter(is_status).max_by_key(|one| one.path.len())?;
        let named = |one: &&str| one.starts_with('{') && !served.operation.path.contains(*one);
        let name = operation.path.split('/').find(named)?.trim_matches(['{', '}']);
        let parameter =
            operation.parameters.iter().find(|one| one.location == ParameterLocation::Path && one.name == name)?;
        let known = example::parameters(&self.api, operation).get(name).map(plain);
        let id = unknown_id::id(&self.api, parameter, known.as_deref(), number);
        let mut state = self.state();
        state.know(name, &id);
        state.store.own(name, id.clone(), served.token.tenant);
        let ids = served.path.clone().into_iter().chain([(name.to_owned(), id)]).collect();
        Some(fill_path(&operation.path, &ids))
    }

    /// Returns whether a success of an operation reports a state.
    fn reports_state(&self, operation: &Operation) -> bool {
        let mut successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
        successes.any(|(_, shape)| shape.schema.as_ref().is_some_and(|schema| self.state_member(schema).is_some()))
    }

    /// Returns the pointer to the state in a body, with its schema.
    fn state_member<'a>(&'a self, schema: &'a Value) -> Option<(String, &'a Value)> {
        STATE_MEMBERS.iter().find_map(|name| {
            let at = format!("/{name}");
            let member = self.api.member(schema, &at)?;
            (self.api.kind(member) == Some("string")).then_some((at, member))
        })
    }

    /// Writes the state of work into a body, if the document has a member for it.
    fn with_state(&self, schema: &Value, mut body: Value, work_state: WorkState) -> Value {
        if let Some((at, member)) = self.state_member(schema) {
            put(&mut body, &at, work_state.word(&self.api, member));
        }
        body
    }

    /// Returns the success of a documented operation as the status of work, if its path is that of one.
    pub(super) fn as_status(&self, served: &ServedRequest<'_>, answer: Answer) -> Answer {
        if served.operation.method != "GET" || self.state().work_items.by_path.is_empty() {
            return answer;
        }
        let status_read = self.state().work_items.read_status(&path_of(served), served.token.tenant);
        let Some((_, work_state)) = status_read else { return answer };
        let schema = served.operation.responses.get(&answer.status.to_string()).and_then(|shape| shape.schema.as_ref());
        let body = serde_json::from_slice::<Value>(&answer.body).ok().zip(schema).map(|(mut body, schema)| {
            let id = last_parameter(&served.operation.path).and_then(|name| Some((name, served.path.get(name)?)));
            if let Some((name, id)) = id
                && let Some(member) = id_member(&body, name).map(str::to_owned)
                && body[&member].is_string()
            {
                body[&member] = json!(id);
            }
            Bytes::from(self.with_state(schema, body, work_state).to_string())
        });
        Answer { body: body.unwrap_or_else(|| answer.body.clone()), ..answer }
    }

    /// Returns the status of work that the document does not describe; `None` if the path is not that of one.
    pub(super) fn own_status(&self, call: &Call) -> Option<Answer> {
        if call.method != "GET" || call.segments.first().is_none_or(|first| first != OWN_PATH) {
            return None;
        }
        let path: String = call.segments.iter().flat_map(|segment| ["/", segment]).collect();
        let work = self.state().work_items.by_path.get(&path).copied()?;
        let operation = &self.api.operations[work.operation];
        let admitted = self.admit(call, operation);
        let first = admitted.as_ref().ok().and_then(|tokens| tokens.first());
        let window = self.count(first, operation, 1);
        let tenant = first.map_or(0, |token| token.tenant);
        let served = admitted.and_then(|_| {
            let status_read = self.state().work_items.read_status(&path, tenant);
            status_read.ok_or_else(|| Refusal::new(404, "Not found"))
        });
        let (work, work_state) = match served {
            Ok(status_read) => status_read,
            Err(refusal) => return Some(self.refuse(refusal, operation, window)),
        };
        let mut answer = match work_state {
            WorkState::Running => {
                let mut answer = Answer::empty(202);
                answer.header("retry-after", "0");
                answer
            }
            WorkState::Failed => Answer::json(200, json!({ "status": FAILED_WORDS[0] }).to_string()),
            WorkState::Done => self.result(work.operation),
        };
        self.rate_headers(&mut answer, window);
        Some(answer)
    }

    /// Returns the result of work: the other documented success of its operation, or a status that says that it is done.
    fn result(&self, index: usize) -> Answer {
        let operation = &self.api.operations[index];
        let other = operation.responses.iter().find(|(status, shape)| {
            status.starts_with('2') && *status != "202" && shape.is_json() && shape.schema.is_some()
        });
        let body = other.and_then(|(_, shape)| shape.schema.as_ref()).map_or_else(
            || json!({ "status": DONE_WORDS[0] }),
            |schema| example::value(&self.api, Direction::Answer, schema),
        );
        Answer::json(200, body.to_string())
    }
}

//! Conditional requests, if the document describes them: reads have an `ETag`, an unchanged resource is answered with 304, and a change
//! under an outdated tag with 412.

use hyper::header::{CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use keyfit_openapi::Api;
use sha2::{Digest as _, Sha256};

use super::call::{Answer, ParsedBody, Refusal};
use super::core::{Core, ServedRequest};
use super::mutant::Mutant;
use super::store::path_of;
use crate::document::conditional::{is_changed_by_tag, is_read_by_tag, names, tells_tag};

/// The number of digest bytes that distinguish representations.
const BYTES: usize = 8;

impl Core {
    /// Answers a call that is valid except for its conditions.
    pub(super) fn succeed_under_condition(&self, index: usize, served: &ServedRequest<'_>) -> Result<Answer, Refusal> {
        if is_read_by_tag(served.operation) {
            let answer = self.succeed(index, served)?;
            return self.read_by_tag(served, answer);
        }
        if !is_changed_by_tag(served.operation) {
            return self.succeed(index, served);
        }
        let reader = reader_of(&self.api, index);
        let is_refused = !self.has(Mutant::IgnoresIfMatch) && !self.holds(reader, served);
        if is_refused && !self.has(Mutant::ChangesOnRefusal) {
            return Err(Refusal::new(412, "It has changed since"));
        }
        let mut answer = self.succeed(index, served)?;
        self.state().store.change(served.token.tenant, path_of(served));
        if is_refused {
            return Err(Refusal::new(412, "It has changed since"));
        }
        let tag = reader.filter(|_| tells_tag(served.operation)).and_then(|reader| self.tag_now(reader, served));
        if let Some(tag) = tag {
            answer.header(ETAG.as_str(), tag);
        }
        Ok(answer)
    }

    fn read_by_tag(&self, served: &ServedRequest<'_>, mut answer: Answer) -> Result<Answer, Refusal> {
        let tag = self.tag(served, &answer);
        answer.header(ETAG.as_str(), &tag);
        let Some(known) = condition(served, &IF_NONE_MATCH) else { return Ok(answer) };
        if self.has(Mutant::FailsOnConditions) {
            return Err(Refusal::new(500, "Internal error"));
        }
        if names(&known, &tag, true) || self.has(Mutant::NeverModified) {
            answer.status = 304;
            answer.body.clear();
            answer.headers.retain(|(name, _)| name != CONTENT_TYPE);
        }
        Ok(answer)
    }

    /// Returns whether the conditions of a change hold.
    fn holds(&self, reader: Option<usize>, served: &ServedRequest<'_>) -> bool {
        let now = || reader.and_then(|reader| self.tag_now(reader, served));
        let is_known = |list: String, weakly| now().is_some_and(|now| names(&list, &now, weakly));
        condition(served, &IF_MATCH).is_none_or(|list| is_known(list, false))
            && condition(served, &IF_NONE_MATCH).is_none_or(|list| !is_known(list, true))
    }

    /// Returns the entity tag of the resource at the path of a change; `None` if it does not exist.
    fn tag_now(&self, reader: usize, served: &ServedRequest<'_>) -> Option<String> {
        let operation = &self.api.operations[reader];
        let ServedRequest { token, path, call, window, .. } = *served;
        let reading = ServedRequest { operation, token, path, call, sent: ParsedBody::Nothing, window };
        let answer = self.succeed(reader, &reading).ok()?;
        Some(self.tag(&reading, &answer))
    }

    /// Returns the entity tag of a representation. Resources of the document's examples keep their content after a change, but get a new tag.
    fn tag(&self, served: &ServedRequest<'_>, answer: &Answer) -> String {
        let changes = self.state().store.changes(served.token.tenant, &path_of(served));
        let digest = Sha256::new().chain_update(changes.to_be_bytes()).chain_update(&answer.body).finalize();
        let begin = digest.iter().take(BYTES).fold(0, |number, byte| (number << 8) | u64::from(*byte));
        format!("\"{begin:016x}\"")
    }
}

/// Returns the GET operation at the path of an operation.
fn reader_of(api: &Api, index: usize) -> Option<usize> {
    let path = &api.operations[index].path;
    api.operations.iter().position(|one| one.method == "GET" && one.path == *path)
}

/// Returns the values of a condition as one list; `None` if it was not sent.
fn condition(served: &ServedRequest<'_>, name: &HeaderName) -> Option<String> {
    let values: Vec<&str> = served.call.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

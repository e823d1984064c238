//! Rules for `x-keyfit` hints in a document, as overlays write them.

use super::ExamplePart::{Document, Operation};
use super::Group::{Errors, Retry, Security, Surface};
use super::Level::{Breaking, Info, Warning};
use super::Party::{Client, Nobody, Server};
use super::{Rule, table};

table! {
    SCOPE_ADDED = {
        id: "keyfit-scope-added", level: Breaking, breaks: Client, group: Security,
        title: "an operation needs another scope, by `x-keyfit`",
        why: "A client whose token lacks the scope is answered with 403.",
        inverse: "keyfit-scope-removed",
        at: Operation, old: "x-keyfit: {scopes: [read]}", new: "x-keyfit: {scopes: [read, write]}",
    }
    SCOPE_REMOVED = {
        id: "keyfit-scope-removed", level: Info, breaks: Server, group: Security,
        title: "an operation needs a scope less, by `x-keyfit`",
        why: "A server must now serve tokens without the scope.",
        inverse: "keyfit-scope-added",
        at: Operation, old: "x-keyfit: {scopes: [read, write]}", new: "x-keyfit: {scopes: [read]}",
    }
    CREDENTIAL_REMOVED = {
        id: "keyfit-credential-removed", level: Breaking, breaks: Client, group: Security,
        title: "an operation no longer takes a kind of token",
        why: "A client with a token of this kind is refused.",
        inverse: "keyfit-credential-added",
        at: Operation, old: "x-keyfit: {credentials: [product, datasource]}", new: "x-keyfit: {credentials: [product]}",
    }
    CREDENTIAL_ADDED = {
        id: "keyfit-credential-added", level: Info, breaks: Server, group: Security,
        title: "an operation takes another kind of token",
        why: "A server must now accept it.",
        inverse: "keyfit-credential-removed",
        at: Document, old: "x-keyfit: {credentials: [product]}", new: "x-keyfit: {credentials: [product, datasource]}",
    }
    RESOURCE_CHANGED = {
        id: "keyfit-resource-changed", level: Breaking, breaks: Client, group: Security,
        title: "granular permissions list an operation under another resource",
        why: "A client whose token is granted the old resource is answered with 403.",
        inverse: "keyfit-resource-changed",
        at: Operation, old: "x-keyfit: {resource: pets}", new: "x-keyfit: {resource: animals}",
    }
    RETRY_NARROWED = {
        id: "keyfit-retry-narrowed", level: Warning, breaks: Client, group: Retry,
        title: "a call may be repeated in fewer cases",
        why: "A client that repeats it as before can do twice what should be done once.",
        inverse: "keyfit-retry-widened",
        at: Operation, old: "x-keyfit: {retry: idempotent}", new: "x-keyfit: {retry: never}",
    }
    RETRY_WIDENED = {
        id: "keyfit-retry-widened", level: Info, breaks: Server, group: Retry,
        title: "a call may be repeated in more cases",
        why: "A server must now bear that it is repeated.",
        inverse: "keyfit-retry-narrowed",
        at: Operation, old: "x-keyfit: {retry: never}", new: "x-keyfit: {retry: idempotent}",
    }
    RETRY_KEY_CHANGED = {
        id: "keyfit-retry-key-changed", level: Warning, breaks: Client, group: Retry,
        title: "another field makes a repeat harmless",
        why: "A client that repeats with the old field can do twice what should be done once.",
        inverse: "keyfit-retry-key-changed",
        at: Operation, old: "x-keyfit: {retry: keyed, retry-key: id}", new: "x-keyfit: {retry: keyed, retry-key: ref}",
    }
    ERRORS_CHANGED = {
        id: "keyfit-errors-changed", level: Breaking, breaks: Client, group: Errors,
        title: "refusals come in another envelope",
        why: "A client that reads code and message from the old envelope finds neither.",
        inverse: "keyfit-errors-changed",
        at: Document, old: "x-keyfit: {errors: instasent}", new: "x-keyfit: {errors: scopien}",
    }
    HINT_CHANGED = {
        id: "keyfit-hint-changed", level: Info, breaks: Nobody, group: Surface,
        title: "another key of `x-keyfit` has changed",
        why: "The generated client behaves in another way; what is sent stays the same.",
        inverse: "keyfit-hint-changed",
        at: Operation, old: "x-keyfit: {rate-limit: reads}", new: "x-keyfit: {rate-limit: pets}",
    }
}

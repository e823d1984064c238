//! The document in the form of the runtime: generated code has it as a static, and this module creates it at run time.

use keyfit::operation::{Batching, NextPage, PageArgument, Pagination, Partial, Retry};
use keyfit::{ErrorEnvelope, RateLimitNames};
use keyfit_openapi::{Api, Facts, Operation, SecurityRequirement};

/// Returns the API for the runtime. It is leaked, since a static is required: a program calls few APIs.
pub(super) fn of(api: &Api, facts: &Facts, certificates: &[String]) -> &'static keyfit::Api {
    let operations: Vec<keyfit::Operation> = api.operations.iter().map(row).collect();
    let errors: Vec<ErrorEnvelope> = facts
        .errors
        .iter()
        .map(|envelope| {
            ErrorEnvelope::new(text(&envelope.name))
                .with_code(texts(&envelope.code))
                .with_message(texts(&envelope.message))
                .with_details(texts(&envelope.details))
                .with_request_id(texts(&envelope.request_id))
        })
        .collect();
    let mut names = RateLimitNames::new();
    names.limit = facts.rate_limit.limit.as_deref().map(text);
    names.remaining = facts.rate_limit.remaining.as_deref().map(text);
    names.reset = facts.rate_limit.reset.as_deref().map(text);
    names.retry_after = facts.rate_limit.retry_after.as_deref().map(text);
    let table = keyfit::Api::new(text(&api.name))
        .with_base_urls(Box::leak(Box::new([text(&api.base_url)])))
        .with_operations(operations.leak())
        .with_errors(errors.leak())
        .with_rate_limit(names)
        .with_client_certificates(texts(certificates))
        .with_secret_prefixes(texts(&facts.secret_prefixes));
    Box::leak(Box::new(table))
}

fn row(operation: &Operation) -> keyfit::Operation {
    let Operation { id, function, method, path, .. } = operation;
    let mut row = keyfit::Operation::new(text(id), text(function), text(method), text(path))
        .with_credentials(texts(&operation.credentials))
        .with_scopes(texts(&operation.scopes))
        .with_success(operation.success_statuses().leak())
        .with_retry(match operation.retry {
            keyfit_openapi::Retry::Safe => Retry::Safe,
            keyfit_openapi::Retry::Idempotent => Retry::Idempotent,
            keyfit_openapi::Retry::Keyed => Retry::Keyed,
            keyfit_openapi::Retry::Never => Retry::Never,
        })
        .with_rate_limit(text(&operation.rate_limit))
        .with_rate_limit_by(texts(&operation.rate_limit_by))
        .with_errors(text(&operation.errors));
    if let SecurityRequirement::OneOf { sets, is_optional } = &*operation.security {
        let alternatives = sets.iter().map(|set| texts(set)).chain(is_optional.then_some(&[][..]));
        row = row.with_security(alternatives.collect::<Vec<_>>().leak());
    }
    row.query = operation.query.iter().map(|(name, value)| (text(name), text(value))).collect::<Vec<_>>().leak();
    row.server = operation.server.as_deref().map(text);
    row.resource = operation.resource.as_deref().map(text);
    row.retry_key = operation.retry_key.as_deref().map(text);
    row.idempotency_key = operation.idempotency_key.as_deref().map(text);
    row.unverified = operation.unverified.as_deref().map(text);
    row.polls = operation.polls;
    row.spends = operation.spends;
    row.streams = is_binary(operation);
    row.pagination = operation.pagination.as_ref().map(pagination);
    row.batching = operation.batching.as_ref().map(batching);
    row.partial = operation.partial.iter().map(partial).collect::<Vec<_>>().leak();
    row
}

fn partial(told: &keyfit_openapi::Partial) -> Partial {
    let mut row = Partial::new();
    row.received = told.received.as_deref().map(text);
    row.accepted = told.accepted.as_deref().map(text);
    row.rejected = told.rejected.as_deref().map(text);
    row.accepted_items = told.accepted_items.as_deref().map(text);
    row.rejected_items = told.rejected_items.as_deref().map(text);
    row.outcomes = told.outcomes.as_deref().map(text);
    row.outcome = told.outcome.as_deref().map(text);
    row.accepted_as = texts(&told.accepted_texts());
    row.reason = told.reason.as_deref().map(text);
    row.position = told.position.as_deref().map(text);
    row.first = told.first;
    row.item = told.item.as_deref().map(text);
    row
}

fn batching(known: &keyfit_openapi::Batching) -> Batching {
    let mut row = Batching::new(text(&known.items_at));
    row.maximum = known.maximum;
    row.maximum_bytes = known.maximum_bytes;
    row.id_field = known.id_field.as_deref().map(text);
    row
}

fn pagination(list: &keyfit_openapi::Pagination) -> Pagination {
    let next = match &list.next {
        keyfit_openapi::NextPage::Cursor { at, argument } => {
            NextPage::Cursor { at: text(at), argument: place(argument) }
        }
        keyfit_openapi::NextPage::LastItem { at, argument } => {
            NextPage::LastItem { at: text(at), argument: place(argument) }
        }
        keyfit_openapi::NextPage::Page { argument, first } => {
            NextPage::Page { argument: place(argument), first: *first }
        }
        keyfit_openapi::NextPage::Start { argument } => NextPage::Start { argument: place(argument) },
        keyfit_openapi::NextPage::Link => NextPage::Link,
        keyfit_openapi::NextPage::Url { at } => NextPage::Url { at: text(at) },
        keyfit_openapi::NextPage::Header { name, argument } => {
            NextPage::Header { name: text(name), argument: place(argument) }
        }
    };
    let mut row = Pagination::new(next).with_items(text(&list.items));
    row.items_required = list.items_required;
    row.limit = list.limit.as_ref().map(place);
    row.page_size = list.page_size;
    row.largest_page = list.largest_page;
    row.kept_limit = list.kept_limit.as_deref().map(text);
    row.start = list.start.as_deref().map(text);
    row.total = list.total.as_deref().map(text);
    row.more = list.more.as_deref().map(text);
    row
}

fn place(argument: &keyfit_openapi::PageArgument) -> PageArgument {
    match argument {
        keyfit_openapi::PageArgument::Query(name) => PageArgument::Query(text(name)),
        keyfit_openapi::PageArgument::Body(pointer) => PageArgument::Body(text(pointer)),
    }
}

/// Returns whether successes are neither JSON nor text, or are only streamed, so that they may have any length.
fn is_binary(operation: &Operation) -> bool {
    if let Some(streaming) = &operation.streaming {
        return streaming.is_only;
    }
    let successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
    let mut bodies = successes.filter(|(_, shape)| shape.media_type.is_some()).peekable();
    let is_text = |media_type: &str| media_type.trim_start().to_ascii_lowercase().starts_with("text/");
    bodies.peek().is_some()
        && bodies.all(|(_, shape)| !shape.is_json() && !shape.media_type.as_deref().is_some_and(is_text))
}

fn text(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn texts(texts: &[String]) -> &'static [&'static str] {
    texts.iter().map(|one| text(one)).collect::<Vec<_>>().leak()
}

//! Rules for errors: the error responses, their bodies, and the description of the rate limit.

use super::ExamplePart::{Operation, Refusal};
use super::Group::{Errors, RateLimit};
use super::Level::{Breaking, Info, Warning};
use super::Party::{Client, Server};
use super::{Rule, table};

table! {
    STATUS_ADDED = {
        id: "error-status-added", level: Warning, breaks: Client, group: Errors,
        title: "an operation can be refused in another way",
        why: "A client that tells refusals apart by their status has no case for it.",
        inverse: "error-status-removed",
        at: Operation, old: "{}", new: "responses: {'409': {description: It is there already}}",
    }
    STATUS_REMOVED = {
        id: "error-status-removed", level: Warning, breaks: Client, group: Errors,
        title: "a refusal is no longer documented",
        why: "A client that waits for this status gets another one, or a success.",
        inverse: "error-status-added",
        at: Operation, old: "responses: {'409': {description: It is there already}}", new: "{}",
    }
    MEDIA_TYPE_REMOVED = {
        id: "error-media-type-removed", level: Breaking, breaks: Client, group: Errors,
        title: "a refusal no longer comes in a media type",
        why: "A client that reads the body of the refusal cannot read it any more.",
        inverse: "error-media-type-added",
        at: Operation,
        old: "responses: {'409': {description: Twice, content: {application/json: {}}}}",
        new: "responses: {'409': {description: Twice}}",
    }
    MEDIA_TYPE_ADDED = {
        id: "error-media-type-added", level: Info, breaks: Server, group: Errors,
        title: "a refusal can come in another media type",
        why: "A server must now be able to send it.",
        inverse: "error-media-type-removed",
        at: Operation,
        old: "responses: {'409': {description: Twice}}",
        new: "responses: {'409': {description: Twice, content: {application/json: {}}}}",
    }
    RATE_HEADER_REMOVED = {
        id: "rate-limit-header-removed", level: Breaking, breaks: Client, group: RateLimit,
        title: "an answer no longer says how much of the rate limit is left",
        why: "A client that paces itself by the header runs into 429.",
        inverse: "rate-limit-header-added",
        at: Operation,
        old: "responses: {'200': {headers: {X-RateLimit-Remaining: {schema: {type: integer}}}}}",
        new: "{}",
    }
    RATE_HEADER_ADDED = {
        id: "rate-limit-header-added", level: Info, breaks: Server, group: RateLimit,
        title: "an answer says how much of the rate limit is left",
        why: "A server must now send the header.",
        inverse: "rate-limit-header-removed",
        at: Operation,
        old: "{}",
        new: "responses: {'200': {headers: {X-RateLimit-Remaining: {schema: {type: integer}}}}}",
    }
    REQUIRED_PROPERTY_REMOVED = {
        id: "error-required-property-removed", level: Breaking, breaks: Client, group: Errors,
        title: "a refusal no longer has a member that was always there",
        why: "A client that reads the member cannot tell what was wrong.",
        inverse: "error-property-added",
        at: Refusal, old: "{required: [code], properties: {code: {type: string}}}", new: "{properties: {}}",
    }
    OPTIONAL_PROPERTY_REMOVED = {
        id: "error-optional-property-removed", level: Warning, breaks: Client, group: Errors,
        title: "a refusal no longer has a member that could be there",
        why: "A client that reads the member never finds it again.",
        inverse: "error-property-added",
        at: Refusal, old: "{properties: {code: {type: string}}}", new: "{properties: {}}",
    }
    PROPERTY_ADDED = {
        id: "error-property-added", level: Info, breaks: Server, group: Errors,
        title: "a refusal has another member",
        why: "A server must now send it; clients pass over members that they do not know.",
        inverse: "error-optional-property-removed",
        at: Refusal, old: "{properties: {}}", new: "{properties: {code: {type: string}}}",
    }
    PROPERTY_OPTIONAL = {
        id: "error-property-became-optional", level: Breaking, breaks: Client, group: Errors,
        title: "a member of a refusal can be missing",
        why: "A client that relies on the member fails where it should report the refusal.",
        inverse: "error-property-became-required",
        at: Refusal, old: "{required: [code], properties: {code: {type: string}}}",
        new: "{properties: {code: {type: string}}}",
    }
    PROPERTY_REQUIRED = {
        id: "error-property-became-required", level: Info, breaks: Server, group: Errors,
        title: "a member of a refusal is always there",
        why: "A server must now always send it.",
        inverse: "error-property-became-optional",
        at: Refusal, old: "{properties: {code: {type: string}}}",
        new: "{required: [code], properties: {code: {type: string}}}",
    }
    NULLABLE = {
        id: "error-became-nullable", level: Breaking, breaks: Client, group: Errors,
        title: "a value in a refusal can be null",
        why: "A client that relies on the value fails where it should report the refusal.",
        inverse: "error-became-non-null",
        at: Refusal, old: "{properties: {code: {type: string}}}",
        new: "{properties: {code: {type: string, nullable: true}}}",
    }
    NON_NULL = {
        id: "error-became-non-null", level: Info, breaks: Server, group: Errors,
        title: "a value in a refusal is never null",
        why: "A server must now always have one.",
        inverse: "error-became-nullable",
        at: Refusal, old: "{properties: {code: {type: string, nullable: true}}}",
        new: "{properties: {code: {type: string}}}",
    }
    TYPE_CHANGED = {
        id: "error-type-changed", level: Breaking, breaks: Client, group: Errors,
        title: "a value in a refusal has another type",
        why: "A client that reads the old type cannot read the refusal.",
        inverse: "error-type-changed",
        at: Refusal, old: "{properties: {code: {type: string}}}", new: "{properties: {code: {type: integer}}}",
    }
    TYPE_WIDENED = {
        id: "error-type-widened", level: Breaking, breaks: Client, group: Errors,
        title: "a value in a refusal can be of more types",
        why: "A client that reads the narrower type cannot read the others.",
        inverse: "error-type-narrowed",
        at: Refusal, old: "{properties: {code: {type: integer}}}", new: "{properties: {code: {type: number}}}",
    }
    TYPE_NARROWED = {
        id: "error-type-narrowed", level: Info, breaks: Server, group: Errors,
        title: "a value in a refusal is of fewer types",
        why: "A server must now keep to the narrower type.",
        inverse: "error-type-widened",
        at: Refusal, old: "{properties: {code: {type: number}}}", new: "{properties: {code: {type: integer}}}",
    }
    FORMAT_CHANGED = {
        id: "error-format-changed", level: Warning, breaks: Client, group: Errors,
        title: "a value in a refusal is written in another format",
        why: "A client that parses the value has to parse it in another way.",
        inverse: "error-format-changed",
        at: Refusal, old: "{properties: {since: {type: string}}}",
        new: "{properties: {since: {type: string, format: date-time}}}",
    }
    ENUM_VALUE_ADDED = {
        id: "error-enum-value-added", level: Warning, breaks: Client, group: Errors,
        title: "a refusal can have another code",
        why: "A client that matches on the codes has no case for it.",
        inverse: "error-enum-value-removed",
        at: Refusal, old: "{properties: {code: {type: string, enum: [lost]}}}",
        new: "{properties: {code: {type: string, enum: [lost, sold]}}}",
    }
    ENUM_VALUE_REMOVED = {
        id: "error-enum-value-removed", level: Warning, breaks: Client, group: Errors,
        title: "a refusal no longer has a code",
        why: "A client that waits for this code waits in vain: what it meant is said in another way.",
        inverse: "error-enum-value-added",
        at: Refusal, old: "{properties: {code: {type: string, enum: [lost, sold]}}}",
        new: "{properties: {code: {type: string, enum: [lost]}}}",
    }
    ENUM_CLOSED = {
        id: "error-enum-closed", level: Info, breaks: Server, group: Errors,
        title: "a value in a refusal is one of a list",
        why: "A server must now keep to the list.",
        inverse: "error-enum-opened",
        at: Refusal, old: "{properties: {code: {type: string}}}",
        new: "{properties: {code: {type: string, enum: [cat]}}}",
    }
    ENUM_OPENED = {
        id: "error-enum-opened", level: Warning, breaks: Client, group: Errors,
        title: "a value in a refusal can be any, no longer one of a list",
        why: "A client that goes by the values has no case for the others.",
        inverse: "error-enum-closed",
        at: Refusal, old: "{properties: {code: {type: string, enum: [cat]}}}",
        new: "{properties: {code: {type: string}}}",
    }
    CONSTRAINT_WIDENED = {
        id: "error-constraint-widened", level: Info, breaks: Client, group: Errors,
        title: "a value in a refusal can be what it could not be",
        why: "A client that relies on the bound, for the width of a column, has to make room.",
        inverse: "error-constraint-narrowed",
        at: Refusal, old: "{properties: {code: {type: string, maxLength: 10}}}",
        new: "{properties: {code: {type: string, maxLength: 20}}}",
    }
    CONSTRAINT_NARROWED = {
        id: "error-constraint-narrowed", level: Info, breaks: Server, group: Errors,
        title: "a value in a refusal keeps to a narrower bound",
        why: "A server must now keep to it.",
        inverse: "error-constraint-widened",
        at: Refusal, old: "{properties: {code: {type: string, maxLength: 20}}}",
        new: "{properties: {code: {type: string, maxLength: 10}}}",
    }
    RESTRICTION_CHANGED = {
        id: "error-restriction-changed", level: Info, breaks: Server, group: Errors,
        title: "a value in a refusal keeps to another restriction",
        why: "Whether it is wider or narrower cannot be told; a server must now keep to it.",
        inverse: "error-restriction-changed",
        at: Refusal, old: "{properties: {code: {type: string, pattern: '^[a-z]+$'}}}",
        new: "{properties: {code: {type: string, pattern: '^[a-z-]+$'}}}",
    }
    VARIANT_ADDED = {
        id: "error-variant-added", level: Warning, breaks: Client, group: Errors,
        title: "a refusal can have another shape",
        why: "A client that knows the shapes has no case for it.",
        inverse: "error-variant-removed",
        at: Refusal, old: "{oneOf: [{title: short, type: string}]}",
        new: "{oneOf: [{title: short, type: string}, {title: long, type: object}]}",
    }
    VARIANT_REMOVED = {
        id: "error-variant-removed", level: Info, breaks: Server, group: Errors,
        title: "a refusal no longer has a shape",
        why: "A server must now keep to the others.",
        inverse: "error-variant-added",
        at: Refusal, old: "{oneOf: [{title: short, type: string}, {title: long, type: object}]}",
        new: "{oneOf: [{title: short, type: string}]}",
    }
}

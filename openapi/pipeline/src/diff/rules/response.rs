//! Rules for responses: the bodies of successes, and the headers of any status.

use super::ExamplePart::{Answer, Operation};
use super::Group::Response;
use super::Level::{Breaking, Info, Warning};
use super::Party::{Client, Server};
use super::{Rule, table};

table! {
    STATUS_REMOVED = {
        id: "response-success-status-removed", level: Breaking, breaks: Client, group: Response,
        title: "an operation no longer succeeds with a status",
        why: "A client that takes this status for the success takes another one for a failure.",
        inverse: "response-success-status-added",
        at: Operation, old: "responses: {'202': {description: Later}}", new: "{}",
    }
    STATUS_ADDED = {
        id: "response-success-status-added", level: Warning, breaks: Client, group: Response,
        title: "an operation can succeed with another status",
        why: "A client that expects one success may read the other one wrongly.",
        inverse: "response-success-status-removed",
        at: Operation, old: "{}", new: "responses: {'202': {description: Later}}",
    }
    MEDIA_TYPE_REMOVED = {
        id: "response-media-type-removed", level: Breaking, breaks: Client, group: Response,
        title: "an answer no longer comes in a media type",
        why: "A client that asks for it gets none, or another one that it cannot read.",
        inverse: "response-media-type-added",
        at: Operation,
        old: "responses: {'200': {content: {text/csv: {schema: {type: string}}}}}", new: "{}",
    }
    MEDIA_TYPE_ADDED = {
        id: "response-media-type-added", level: Info, breaks: Server, group: Response,
        title: "an answer can come in another media type",
        why: "A server must now be able to send it.",
        inverse: "response-media-type-removed",
        at: Operation,
        old: "{}", new: "responses: {'200': {content: {text/csv: {schema: {type: string}}}}}",
    }
    REQUIRED_HEADER_REMOVED = {
        id: "response-required-header-removed", level: Breaking, breaks: Client, group: Response,
        title: "an answer no longer has a header that was always there",
        why: "A client that reads the header fails.",
        inverse: "response-header-added",
        at: Operation,
        old: "responses: {'200': {headers: {X-Total: {required: true, schema: {type: integer}}}}}", new: "{}",
    }
    HEADER_REMOVED = {
        id: "response-header-removed", level: Warning, breaks: Client, group: Response,
        title: "an answer no longer has a header",
        why: "A client that reads the header never finds it again.",
        inverse: "response-header-added",
        at: Operation,
        old: "responses: {'200': {headers: {X-Total: {schema: {type: integer}}}}}", new: "{}",
    }
    HEADER_ADDED = {
        id: "response-header-added", level: Info, breaks: Server, group: Response,
        title: "an answer has another header",
        why: "A server must now send it.",
        inverse: "response-header-removed",
        at: Operation,
        old: "{}", new: "responses: {'200': {headers: {X-Total: {schema: {type: integer}}}}}",
    }
    HEADER_OPTIONAL = {
        id: "response-header-became-optional", level: Warning, breaks: Client, group: Response,
        title: "a header of an answer can be missing",
        why: "A client that relies on the header fails where it is missing.",
        inverse: "response-header-became-required",
        at: Operation,
        old: "responses: {'200': {headers: {X-Total: {required: true, schema: {type: integer}}}}}",
        new: "responses: {'200': {headers: {X-Total: {schema: {type: integer}}}}}",
    }
    HEADER_REQUIRED = {
        id: "response-header-became-required", level: Info, breaks: Server, group: Response,
        title: "a header of an answer is always there",
        why: "A server must now always send it.",
        inverse: "response-header-became-optional",
        at: Operation,
        old: "responses: {'200': {headers: {X-Total: {schema: {type: integer}}}}}",
        new: "responses: {'200': {headers: {X-Total: {required: true, schema: {type: integer}}}}}",
    }
    REQUIRED_PROPERTY_REMOVED = {
        id: "response-required-property-removed", level: Breaking, breaks: Client, group: Response,
        title: "an answer no longer has a member that was always there",
        why: "A client that reads the member fails, or goes on without it.",
        inverse: "response-property-added",
        at: Answer, old: "{required: [name], properties: {name: {type: string}}}", new: "{properties: {}}",
    }
    OPTIONAL_PROPERTY_REMOVED = {
        id: "response-optional-property-removed", level: Warning, breaks: Client, group: Response,
        title: "an answer no longer has a member that could be there",
        why: "A client that reads the member never finds it again.",
        inverse: "response-property-added",
        at: Answer, old: "{properties: {name: {type: string}}}", new: "{properties: {}}",
    }
    PROPERTY_ADDED = {
        id: "response-property-added", level: Info, breaks: Server, group: Response,
        title: "an answer has another member",
        why: "A server must now send it; clients pass over members that they do not know.",
        inverse: "response-optional-property-removed",
        at: Answer, old: "{properties: {}}", new: "{properties: {name: {type: string}}}",
    }
    PROPERTY_OPTIONAL = {
        id: "response-property-became-optional", level: Breaking, breaks: Client, group: Response,
        title: "a member of an answer can be missing",
        why: "A client that relies on the member fails where it is missing.",
        inverse: "response-property-became-required",
        at: Answer, old: "{required: [name], properties: {name: {type: string}}}",
        new: "{properties: {name: {type: string}}}",
    }
    PROPERTY_REQUIRED = {
        id: "response-property-became-required", level: Warning, breaks: Server, group: Response,
        title: "a member of an answer is always there",
        why: "A server must now always send it; generated anew, the field is no longer an `Option`.",
        inverse: "response-property-became-optional",
        at: Answer, old: "{properties: {name: {type: string}}}",
        new: "{required: [name], properties: {name: {type: string}}}",
    }
    NULLABLE = {
        id: "response-became-nullable", level: Breaking, breaks: Client, group: Response,
        title: "a value in an answer can be null",
        why: "A client that relies on the value fails where it is null.",
        inverse: "response-became-non-null",
        at: Answer, old: "{properties: {name: {type: string}}}",
        new: "{properties: {name: {type: string, nullable: true}}}",
    }
    NON_NULL = {
        id: "response-became-non-null", level: Warning, breaks: Server, group: Response,
        title: "a value in an answer is never null",
        why: "A server must now always have one; generated anew, the field is no longer an `Option`.",
        inverse: "response-became-nullable",
        at: Answer, old: "{properties: {name: {type: string, nullable: true}}}",
        new: "{properties: {name: {type: string}}}",
    }
    TYPE_CHANGED = {
        id: "response-type-changed", level: Breaking, breaks: Client, group: Response,
        title: "a value in an answer has another type",
        why: "A client that reads the old type cannot read the answer.",
        inverse: "response-type-changed",
        at: Answer, old: "{properties: {age: {type: string}}}", new: "{properties: {age: {type: integer}}}",
    }
    TYPE_WIDENED = {
        id: "response-type-widened", level: Breaking, breaks: Client, group: Response,
        title: "a value in an answer can be of more types",
        why: "A client that reads the narrower type cannot read the others.",
        inverse: "response-type-narrowed",
        at: Answer, old: "{properties: {age: {type: integer}}}", new: "{properties: {age: {type: number}}}",
    }
    TYPE_NARROWED = {
        id: "response-type-narrowed", level: Warning, breaks: Server, group: Response,
        title: "a value in an answer is of fewer types",
        why: "A server must now keep to the narrower type; generated anew, the field has another type.",
        inverse: "response-type-widened",
        at: Answer, old: "{properties: {age: {type: number}}}", new: "{properties: {age: {type: integer}}}",
    }
    FORMAT_CHANGED = {
        id: "response-format-changed", level: Warning, breaks: Client, group: Response,
        title: "a value in an answer is written in another format",
        why: "A client that parses the value has to parse it in another way.",
        inverse: "response-format-changed",
        at: Answer, old: "{properties: {born: {type: string}}}",
        new: "{properties: {born: {type: string, format: date}}}",
    }
    ENUM_VALUE_ADDED = {
        id: "response-enum-value-added", level: Warning, breaks: Client, group: Response,
        title: "a value in an answer can be another one",
        why: "A client that matches on the values has no case for it.",
        inverse: "response-enum-value-removed",
        at: Answer, old: "{properties: {kind: {type: string, enum: [cat]}}}",
        new: "{properties: {kind: {type: string, enum: [cat, dog]}}}",
    }
    ENUM_VALUE_REMOVED = {
        id: "response-enum-value-removed", level: Info, breaks: Server, group: Response,
        title: "a value in an answer is never this one again",
        why: "A server must now keep to the others.",
        inverse: "response-enum-value-added",
        at: Answer, old: "{properties: {kind: {type: string, enum: [cat, dog]}}}",
        new: "{properties: {kind: {type: string, enum: [cat]}}}",
    }
    ENUM_CLOSED = {
        id: "response-enum-closed", level: Warning, breaks: Server, group: Response,
        title: "a value in an answer is one of a list",
        why: "A server must now keep to the list; generated anew, the field is an enum.",
        inverse: "response-enum-opened",
        at: Answer, old: "{properties: {kind: {type: string}}}",
        new: "{properties: {kind: {type: string, enum: [cat]}}}",
    }
    ENUM_OPENED = {
        id: "response-enum-opened", level: Warning, breaks: Client, group: Response,
        title: "a value in an answer can be any, no longer one of a list",
        why: "A client that matches on the values has no case for the others.",
        inverse: "response-enum-closed",
        at: Answer, old: "{properties: {kind: {type: string, enum: [cat]}}}",
        new: "{properties: {kind: {type: string}}}",
    }
    CONSTRAINT_WIDENED = {
        id: "response-constraint-widened", level: Info, breaks: Client, group: Response,
        title: "a value in an answer can be what it could not be",
        why: "A client that relies on the bound, for the width of a column, has to make room.",
        inverse: "response-constraint-narrowed",
        at: Answer, old: "{properties: {name: {type: string, maxLength: 10}}}",
        new: "{properties: {name: {type: string, maxLength: 20}}}",
    }
    CONSTRAINT_NARROWED = {
        id: "response-constraint-narrowed", level: Info, breaks: Server, group: Response,
        title: "a value in an answer keeps to a narrower bound",
        why: "A server must now keep to it.",
        inverse: "response-constraint-widened",
        at: Answer, old: "{properties: {name: {type: string, maxLength: 20}}}",
        new: "{properties: {name: {type: string, maxLength: 10}}}",
    }
    RESTRICTION_CHANGED = {
        id: "response-restriction-changed", level: Info, breaks: Server, group: Response,
        title: "a value in an answer keeps to another restriction",
        why: "Whether it is wider or narrower cannot be told; a server must now keep to it.",
        inverse: "response-restriction-changed",
        at: Answer, old: "{properties: {name: {type: string, pattern: '^[a-z]+$'}}}",
        new: "{properties: {name: {type: string, pattern: '^[a-z-]+$'}}}",
    }
    VARIANT_ADDED = {
        id: "response-variant-added", level: Warning, breaks: Client, group: Response,
        title: "an answer can have another shape",
        why: "A client that knows the shapes has no case for it.",
        inverse: "response-variant-removed",
        at: Answer, old: "{oneOf: [{title: cat, type: string}]}",
        new: "{oneOf: [{title: cat, type: string}, {title: dog, type: object}]}",
    }
    VARIANT_REMOVED = {
        id: "response-variant-removed", level: Info, breaks: Server, group: Response,
        title: "an answer no longer has a shape",
        why: "A server must now keep to the others.",
        inverse: "response-variant-added",
        at: Answer, old: "{oneOf: [{title: cat, type: string}, {title: dog, type: object}]}",
        new: "{oneOf: [{title: cat, type: string}]}",
    }
}

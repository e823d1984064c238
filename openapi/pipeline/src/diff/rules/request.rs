//! Rules for requests: parameters, bodies, and the values in both.

use super::ExamplePart::{Operation, Request as Body};
use super::Group::Request;
use super::Level::{Breaking, Info, Warning};
use super::Party::{Client, Server};
use super::{Rule, table};

table! {
    PARAMETER_REMOVED = {
        id: "parameter-removed", level: Warning, breaks: Client, group: Request,
        title: "an operation no longer has a parameter",
        why: "A client that sends it is refused, or served as if it had not.",
        inverse: "parameter-added-optional",
        at: Operation, old: "parameters: [{name: tag, in: query, schema: {type: string}}]", new: "parameters: []",
    }
    PARAMETER_ADDED_OPTIONAL = {
        id: "parameter-added-optional", level: Info, breaks: Server, group: Request,
        title: "an operation has another parameter",
        why: "A server must now read it.",
        inverse: "parameter-removed",
        at: Operation, old: "parameters: []", new: "parameters: [{name: tag, in: query, schema: {type: string}}]",
    }
    PARAMETER_ADDED_REQUIRED = {
        id: "parameter-added-required", level: Breaking, breaks: Client, group: Request,
        title: "an operation has another parameter, which must be sent",
        why: "A client that does not send it is refused.",
        inverse: "parameter-removed",
        at: Operation, old: "parameters: []",
        new: "parameters: [{name: tag, in: query, required: true, schema: {type: string}}]",
    }
    PARAMETER_REQUIRED = {
        id: "parameter-became-required", level: Breaking, breaks: Client, group: Request,
        title: "a parameter must be sent",
        why: "A client that does not send it is refused.",
        inverse: "parameter-became-optional",
        at: Operation, old: "parameters: [{name: tag, in: query, schema: {type: string}}]",
        new: "parameters: [{name: tag, in: query, required: true, schema: {type: string}}]",
    }
    PARAMETER_OPTIONAL = {
        id: "parameter-became-optional", level: Info, breaks: Server, group: Request,
        title: "a parameter can be left out",
        why: "A server must now serve calls without it.",
        inverse: "parameter-became-required",
        at: Operation, old: "parameters: [{name: tag, in: query, required: true, schema: {type: string}}]",
        new: "parameters: [{name: tag, in: query, schema: {type: string}}]",
    }
    PARAMETER_MOVED = {
        id: "parameter-moved", level: Breaking, breaks: Client, group: Request,
        title: "a parameter is sent in another place",
        why: "What a client sends in the old place is not read.",
        inverse: "parameter-moved",
        at: Operation, old: "parameters: [{name: tag, in: query, schema: {type: string}}]",
        new: "parameters: [{name: tag, in: header, schema: {type: string}}]",
    }
    PARAMETER_STYLE_CHANGED = {
        id: "parameter-style-changed", level: Breaking, breaks: Client, group: Request,
        title: "a parameter is written in another style",
        why: "What a client writes in the old style is read as another value.",
        inverse: "parameter-style-changed",
        at: Operation, old: "parameters: [{name: tag, in: query, schema: {type: array}}]",
        new: "parameters: [{name: tag, in: query, explode: false, schema: {type: array}}]",
    }
    BODY_ADDED_OPTIONAL = {
        id: "request-body-added-optional", level: Info, breaks: Server, group: Request,
        title: "an operation takes a body",
        why: "A server must now read it.",
        inverse: "request-body-removed",
        at: Operation, old: "{}", new: "requestBody: {content: {application/json: {}}}",
    }
    BODY_ADDED_REQUIRED = {
        id: "request-body-added-required", level: Breaking, breaks: Client, group: Request,
        title: "an operation needs a body",
        why: "A client that sends none is refused.",
        inverse: "request-body-removed",
        at: Operation, old: "{}", new: "requestBody: {required: true, content: {application/json: {}}}",
    }
    BODY_REMOVED = {
        id: "request-body-removed", level: Warning, breaks: Client, group: Request,
        title: "an operation no longer takes a body",
        why: "A client that sends one is refused, or served as if it had not.",
        inverse: "request-body-added-optional",
        at: Operation, old: "requestBody: {content: {application/json: {}}}", new: "{}",
    }
    BODY_REQUIRED = {
        id: "request-body-became-required", level: Breaking, breaks: Client, group: Request,
        title: "a body must be sent",
        why: "A client that sends none is refused.",
        inverse: "request-body-became-optional",
        at: Operation, old: "requestBody: {content: {application/json: {}}}",
        new: "requestBody: {required: true, content: {application/json: {}}}",
    }
    BODY_OPTIONAL = {
        id: "request-body-became-optional", level: Info, breaks: Server, group: Request,
        title: "a body can be left out",
        why: "A server must now serve calls without one.",
        inverse: "request-body-became-required",
        at: Operation, old: "requestBody: {required: true, content: {application/json: {}}}",
        new: "requestBody: {content: {application/json: {}}}",
    }
    MEDIA_TYPE_REMOVED = {
        id: "request-media-type-removed", level: Breaking, breaks: Client, group: Request,
        title: "a body is no longer taken in a media type",
        why: "A client that sends it is refused with 415.",
        inverse: "request-media-type-added",
        at: Operation, old: "requestBody: {content: {application/json: {}, text/csv: {}}}",
        new: "requestBody: {content: {application/json: {}}}",
    }
    MEDIA_TYPE_ADDED = {
        id: "request-media-type-added", level: Info, breaks: Server, group: Request,
        title: "a body is taken in another media type",
        why: "A server must now read it.",
        inverse: "request-media-type-removed",
        at: Operation, old: "requestBody: {content: {application/json: {}}}",
        new: "requestBody: {content: {application/json: {}, text/csv: {}}}",
    }
    ENCODING_CHANGED = {
        id: "request-encoding-changed", level: Breaking, breaks: Client, group: Request,
        title: "a member of a form, or a part of a body, is written in another way",
        why: "What a client writes in the old way is refused, or read as another value.",
        inverse: "request-encoding-changed",
        at: Operation,
        old: "requestBody: {content: {multipart/form-data: {schema: {properties: {photo: {type: string}}}}}}",
        new: "requestBody: {content: {multipart/form-data: {schema: {properties: {photo: {type: string}}}, encoding: {photo: {contentType: image/png}}}}}",
    }
    PROPERTY_REMOVED = {
        id: "request-property-removed", level: Warning, breaks: Client, group: Request,
        title: "a request no longer has a member",
        why: "A client that sends it is refused, or served as if it had not.",
        inverse: "request-property-added-optional",
        at: Body, old: "{properties: {name: {type: string}}}", new: "{properties: {}}",
    }
    PROPERTY_FORBIDDEN = {
        id: "request-property-forbidden", level: Breaking, breaks: Client, group: Request,
        title: "a request may no longer have a member",
        why: "The schema takes no members but its own: a client that sends it is refused.",
        inverse: "request-property-added-optional",
        at: Body, old: "{additionalProperties: false, properties: {name: {type: string}}}",
        new: "{additionalProperties: false, properties: {}}",
    }
    PROPERTY_ADDED_OPTIONAL = {
        id: "request-property-added-optional", level: Info, breaks: Server, group: Request,
        title: "a request can have another member",
        why: "A server must now read it.",
        inverse: "request-property-removed",
        at: Body, old: "{properties: {}}", new: "{properties: {name: {type: string}}}",
    }
    PROPERTY_ADDED_REQUIRED = {
        id: "request-property-added-required", level: Breaking, breaks: Client, group: Request,
        title: "a request must have another member",
        why: "A client that does not send it is refused.",
        inverse: "request-property-removed",
        at: Body, old: "{properties: {}}", new: "{required: [name], properties: {name: {type: string}}}",
    }
    PROPERTY_REQUIRED = {
        id: "request-property-became-required", level: Breaking, breaks: Client, group: Request,
        title: "a member of a request must be sent",
        why: "A client that does not send it is refused.",
        inverse: "request-property-became-optional",
        at: Body, old: "{properties: {name: {type: string}}}",
        new: "{required: [name], properties: {name: {type: string}}}",
    }
    PROPERTY_OPTIONAL = {
        id: "request-property-became-optional", level: Info, breaks: Server, group: Request,
        title: "a member of a request can be left out",
        why: "A server must now serve requests without it.",
        inverse: "request-property-became-required",
        at: Body, old: "{required: [name], properties: {name: {type: string}}}",
        new: "{properties: {name: {type: string}}}",
    }
    NULLABLE = {
        id: "request-became-nullable", level: Info, breaks: Server, group: Request,
        title: "a value in a request can be null",
        why: "A server must now take null.",
        inverse: "request-became-non-null",
        at: Body, old: "{properties: {name: {type: string}}}",
        new: "{properties: {name: {type: string, nullable: true}}}",
    }
    NON_NULL = {
        id: "request-became-non-null", level: Breaking, breaks: Client, group: Request,
        title: "a value in a request may no longer be null",
        why: "A client that sends null is refused.",
        inverse: "request-became-nullable",
        at: Body, old: "{properties: {name: {type: string, nullable: true}}}",
        new: "{properties: {name: {type: string}}}",
    }
    TYPE_CHANGED = {
        id: "request-type-changed", level: Breaking, breaks: Client, group: Request,
        title: "a value in a request has another type",
        why: "A client that sends the old type is refused.",
        inverse: "request-type-changed",
        at: Body, old: "{properties: {age: {type: string}}}", new: "{properties: {age: {type: integer}}}",
    }
    TYPE_WIDENED = {
        id: "request-type-widened", level: Warning, breaks: Server, group: Request,
        title: "a value in a request can be of more types",
        why: "A server must now take the wider type; generated anew, the field has another type.",
        inverse: "request-type-narrowed",
        at: Body, old: "{properties: {age: {type: integer}}}", new: "{properties: {age: {type: number}}}",
    }
    TYPE_NARROWED = {
        id: "request-type-narrowed", level: Breaking, breaks: Client, group: Request,
        title: "a value in a request can be of fewer types",
        why: "A client that sends one of the others is refused.",
        inverse: "request-type-widened",
        at: Body, old: "{properties: {age: {type: number}}}", new: "{properties: {age: {type: integer}}}",
    }
    FORMAT_CHANGED = {
        id: "request-format-changed", level: Warning, breaks: Client, group: Request,
        title: "a value in a request is written in another format",
        why: "A client that writes the old one may be refused.",
        inverse: "request-format-changed",
        at: Body, old: "{properties: {born: {type: string}}}",
        new: "{properties: {born: {type: string, format: date}}}",
    }
    ENUM_VALUE_ADDED = {
        id: "request-enum-value-added", level: Info, breaks: Server, group: Request,
        title: "a value in a request can be another one",
        why: "A server must now take it.",
        inverse: "request-enum-value-removed",
        at: Body, old: "{properties: {kind: {type: string, enum: [cat]}}}",
        new: "{properties: {kind: {type: string, enum: [cat, dog]}}}",
    }
    ENUM_VALUE_REMOVED = {
        id: "request-enum-value-removed", level: Breaking, breaks: Client, group: Request,
        title: "a value in a request may no longer be this one",
        why: "A client that sends it is refused.",
        inverse: "request-enum-value-added",
        at: Body, old: "{properties: {kind: {type: string, enum: [cat, dog]}}}",
        new: "{properties: {kind: {type: string, enum: [cat]}}}",
    }
    ENUM_CLOSED = {
        id: "request-enum-closed", level: Breaking, breaks: Client, group: Request,
        title: "a value in a request must be one of a list",
        why: "A client that sends another one is refused.",
        inverse: "request-enum-opened",
        at: Body, old: "{properties: {kind: {type: string}}}",
        new: "{properties: {kind: {type: string, enum: [cat]}}}",
    }
    ENUM_OPENED = {
        id: "request-enum-opened", level: Warning, breaks: Server, group: Request,
        title: "a value in a request can be any, no longer one of a list",
        why: "A server must now take every value; generated anew, the field is no longer an enum.",
        inverse: "request-enum-closed",
        at: Body, old: "{properties: {kind: {type: string, enum: [cat]}}}",
        new: "{properties: {kind: {type: string}}}",
    }
    CONSTRAINT_WIDENED = {
        id: "request-constraint-widened", level: Info, breaks: Server, group: Request,
        title: "a value in a request can be what it could not be",
        why: "A server must now take it.",
        inverse: "request-constraint-narrowed",
        at: Body, old: "{properties: {name: {type: string, maxLength: 10}}}",
        new: "{properties: {name: {type: string, maxLength: 20}}}",
    }
    CONSTRAINT_NARROWED = {
        id: "request-constraint-narrowed", level: Breaking, breaks: Client, group: Request,
        title: "a value in a request has to keep to a narrower bound",
        why: "A client that sends what was within the old bound is refused.",
        inverse: "request-constraint-widened",
        at: Body, old: "{properties: {name: {type: string, maxLength: 20}}}",
        new: "{properties: {name: {type: string, maxLength: 10}}}",
    }
    RESTRICTION_CHANGED = {
        id: "request-restriction-changed", level: Warning, breaks: Client, group: Request,
        title: "a value in a request has to keep to another restriction",
        why: "Whether it is wider or narrower cannot be told: what a client sends may be refused.",
        inverse: "request-restriction-changed",
        at: Body, old: "{properties: {name: {type: string, pattern: '^[a-z]+$'}}}",
        new: "{properties: {name: {type: string, pattern: '^[a-z-]+$'}}}",
    }
    VARIANT_ADDED = {
        id: "request-variant-added", level: Info, breaks: Server, group: Request,
        title: "a request can have another shape",
        why: "A server must now take it.",
        inverse: "request-variant-removed",
        at: Body, old: "{oneOf: [{title: cat, type: string}]}",
        new: "{oneOf: [{title: cat, type: string}, {title: dog, type: object}]}",
    }
    VARIANT_REMOVED = {
        id: "request-variant-removed", level: Breaking, breaks: Client, group: Request,
        title: "a request may no longer have a shape",
        why: "A client that sends it is refused.",
        inverse: "request-variant-added",
        at: Body, old: "{oneOf: [{title: cat, type: string}, {title: dog, type: object}]}",
        new: "{oneOf: [{title: cat, type: string}]}",
    }
    DEFAULT_CHANGED = {
        id: "request-default-changed", level: Warning, breaks: Client, group: Request,
        title: "what is left out counts as another value",
        why: "A client that leaves it out gets another behaviour than before.",
        inverse: "request-default-changed",
        at: Operation, old: "parameters: [{name: size, in: query, schema: {type: integer, default: 20}}]",
        new: "parameters: [{name: size, in: query, schema: {type: integer, default: 50}}]",
    }
}

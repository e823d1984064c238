//! Rules for the surface: the operations, their names and servers, and deprecations.

use super::ExamplePart::{Answer, Document, Operation};
use super::Group::{Request, Surface};
use super::Level::{Breaking, Info, Warning};
use super::Party::{Client, Nobody, Server};
use super::{Rule, table};

table! {
    OPERATION_REMOVED = {
        id: "operation-removed", level: Breaking, breaks: Client, group: Surface,
        title: "an operation went",
        why: "A client that calls it is answered with 404 or 405.",
        inverse: "operation-added",
        at: Document, old: "{}", new: "paths: {/pets: {post: null}}",
    }
    OPERATION_ADDED = {
        id: "operation-added", level: Info, breaks: Server, group: Surface,
        title: "an operation is new",
        why: "A server must now offer it.",
        inverse: "operation-removed",
        at: Document, old: "{}",
        new: "paths: {/pets: {delete: {operationId: pets-clear, responses: {'204': {description: Gone}}}}}",
    }
    OPERATION_RENAMED = {
        id: "operation-renamed", level: Warning, breaks: Client, group: Surface,
        title: "an operation has another operationId",
        why: "The requests stay the same, but the method of a generated client has another name.",
        inverse: "operation-renamed",
        at: Operation, old: "{}", new: "operationId: list-pets",
    }
    OPERATION_DEPRECATED = {
        id: "operation-deprecated", level: Warning, breaks: Client, group: Surface,
        title: "an operation is deprecated",
        why: "It still works; clients should leave it before it goes.",
        inverse: "operation-undeprecated",
        at: Operation, old: "{}", new: "deprecated: true",
    }
    OPERATION_UNDEPRECATED = {
        id: "operation-undeprecated", level: Info, breaks: Nobody, group: Surface,
        title: "an operation is no longer deprecated",
        why: "Clients may stay with it.",
        inverse: "operation-deprecated",
        at: Operation, old: "deprecated: true", new: "{}",
    }
    PARAMETER_DEPRECATED = {
        id: "parameter-deprecated", level: Info, breaks: Client, group: Request,
        title: "a parameter is deprecated",
        why: "It still works; clients should leave it out before it goes.",
        inverse: "parameter-undeprecated",
        at: Operation, old: "parameters: [{name: tag, in: query, schema: {type: string}}]",
        new: "parameters: [{name: tag, in: query, deprecated: true, schema: {type: string}}]",
    }
    PARAMETER_UNDEPRECATED = {
        id: "parameter-undeprecated", level: Info, breaks: Nobody, group: Request,
        title: "a parameter is no longer deprecated",
        why: "Clients may stay with it.",
        inverse: "parameter-deprecated",
        at: Operation, old: "parameters: [{name: tag, in: query, deprecated: true, schema: {type: string}}]",
        new: "parameters: [{name: tag, in: query, schema: {type: string}}]",
    }
    PROPERTY_DEPRECATED = {
        id: "property-deprecated", level: Info, breaks: Client, group: Surface,
        title: "a member is deprecated",
        why: "It still works; clients should leave it before it goes.",
        inverse: "property-undeprecated",
        at: Answer, old: "{properties: {name: {type: string}}}",
        new: "{properties: {name: {type: string, deprecated: true}}}",
    }
    PROPERTY_UNDEPRECATED = {
        id: "property-undeprecated", level: Info, breaks: Nobody, group: Surface,
        title: "a member is no longer deprecated",
        why: "Clients may stay with it.",
        inverse: "property-deprecated",
        at: Answer, old: "{properties: {name: {type: string, deprecated: true}}}",
        new: "{properties: {name: {type: string}}}",
    }
    PATH_PARAMETER_RENAMED = {
        id: "path-parameter-renamed", level: Warning, breaks: Client, group: Request,
        title: "a parameter in the path has another name",
        why: "The requests stay the same, but the argument of a generated client has another name.",
        inverse: "path-parameter-renamed",
        at: Document,
        old: "paths: {'/pets/{id}': {get: {operationId: pets-get, parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {}}}}",
        new: "paths: {'/pets/{pet}': {get: {operationId: pets-get, parameters: [{name: pet, in: path, required: true, schema: {type: string}}], responses: {}}}}",
    }
    SCHEMA_RENAMED = {
        id: "schema-renamed", level: Warning, breaks: Client, group: Surface,
        title: "a schema has another name",
        why: "What is sent stays the same, but the type of a generated client has another name.",
        inverse: "schema-renamed",
        at: Document,
        old: "{components: {schemas: {Pet: {type: object}}}, paths: {/pets: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}}}}}",
        new: "{components: {schemas: {Animal: {type: object}}}, paths: {/pets: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Animal'}}}}}}}}}",
    }
    ENUM_VALUE_RENAMED = {
        id: "enum-value-renamed", level: Warning, breaks: Client, group: Surface,
        title: "a value of an enum has another name",
        why: "What is sent stays the same, but the variant of a generated client has another name, or is a number as before.",
        inverse: "enum-value-renamed",
        at: Answer, old: "{type: integer, enum: [1, 2], x-enum-varnames: [Small, Large]}",
        new: "{type: integer, enum: [1, 2], x-enum-varnames: [Small, Huge]}",
    }
    DISCRIMINATOR_CHANGED = {
        id: "discriminator-changed", level: Breaking, breaks: Client, group: Surface,
        title: "another member, or another value of it, says which shape it is",
        why: "A client that goes by the old one takes a value for another shape.",
        inverse: "discriminator-changed",
        at: Answer, old: "{discriminator: {propertyName: kind}, oneOf: [{type: object}]}",
        new: "{discriminator: {propertyName: type}, oneOf: [{type: object}]}",
    }
    SERVER_REMOVED = {
        id: "server-removed", level: Breaking, breaks: Client, group: Surface,
        title: "a server went",
        why: "A client that calls it reaches nobody, or a stranger.",
        inverse: "server-added",
        at: Document, old: "servers: [{url: https://api.example.com}, {url: https://eu.example.com}]", new: "{}",
    }
    SERVER_ADDED = {
        id: "server-added", level: Info, breaks: Server, group: Surface,
        title: "there is another server",
        why: "It must now answer.",
        inverse: "server-removed",
        at: Document, old: "{}", new: "servers: [{url: https://api.example.com}, {url: https://eu.example.com}]",
    }
    SERVER_ORDER_CHANGED = {
        id: "server-order-changed", level: Warning, breaks: Client, group: Surface,
        title: "another server stands first",
        why: "The first one is the base URL of a generated client: it calls another server than before.",
        inverse: "server-order-changed",
        at: Document, old: "servers: [{url: https://api.example.com}, {url: https://eu.example.com}]",
        new: "servers: [{url: https://eu.example.com}, {url: https://api.example.com}]",
    }
    BASE_PATH_MOVED = {
        id: "base-path-moved", level: Info, breaks: Nobody, group: Surface,
        title: "a part of the URLs moved between servers and paths",
        why: "The URLs are the same; only a base URL that somebody set by hand has to follow when the client is generated anew.",
        inverse: "base-path-moved",
        at: Document, old: "servers: [{url: https://api.example.com/v1}]",
        new: "paths: {/pets: null, /v1/pets: {get: {operationId: pets-list, responses: {'200': {description: The pets}}}, post: {operationId: pets-create, security: [{key: []}, {login: []}, {web: []}], responses: {'201': {description: The pet}}}}}",
    }
    NOT_COMPARED = {
        id: "not-compared", level: Breaking, breaks: Client, group: Surface,
        title: "a part could not be compared",
        why: "What has changed there is not known, and may break any client: compare it by hand, and accept it with a reason.",
        inverse: "not-compared",
        at: Answer, old: "{$ref: 'pets.yaml#/Pet'}", new: "{$ref: 'animals.yaml#/Pet'}",
    }
}

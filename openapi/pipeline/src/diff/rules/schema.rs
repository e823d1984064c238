//! The rules for changes of a schema, by direction: requests, successful responses, and error responses.

use super::{Rule, errors as error, request as req, response as resp};

/// The direction in which a value is sent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::diff) enum Direction {
    /// From client to server.
    Request,
    /// From server to client, in a success.
    Response,
    /// From server to client, in an error response.
    Error,
}

/// The rules for the schemas of one direction.
pub(in crate::diff) struct SchemaRules {
    /// The flag of members that are never sent in this direction.
    pub(in crate::diff) hidden: &'static str,
    pub(in crate::diff) direction: Direction,
    pub(in crate::diff) property_removed: &'static Rule,
    /// The more severe rule: the member may no longer be sent, or was always present.
    pub(in crate::diff) property_lost: &'static Rule,
    pub(in crate::diff) property_added: &'static Rule,
    pub(in crate::diff) property_added_required: &'static Rule,
    pub(in crate::diff) property_required: &'static Rule,
    pub(in crate::diff) property_optional: &'static Rule,
    pub(in crate::diff) nullable: &'static Rule,
    pub(in crate::diff) non_null: &'static Rule,
    pub(in crate::diff) type_changed: &'static Rule,
    pub(in crate::diff) type_widened: &'static Rule,
    pub(in crate::diff) type_narrowed: &'static Rule,
    pub(in crate::diff) format_changed: &'static Rule,
    pub(in crate::diff) enum_value_added: &'static Rule,
    pub(in crate::diff) enum_value_removed: &'static Rule,
    /// A list of values or shapes was added or removed.
    pub(in crate::diff) enum_closed: &'static Rule,
    pub(in crate::diff) enum_opened: &'static Rule,
    pub(in crate::diff) constraint_widened: &'static Rule,
    pub(in crate::diff) constraint_narrowed: &'static Rule,
    pub(in crate::diff) restriction_changed: &'static Rule,
    pub(in crate::diff) variant_added: &'static Rule,
    pub(in crate::diff) variant_removed: &'static Rule,
}

pub(in crate::diff) static REQUEST: SchemaRules = SchemaRules {
    hidden: "readOnly",
    direction: Direction::Request,
    property_removed: &req::PROPERTY_REMOVED,
    property_lost: &req::PROPERTY_FORBIDDEN,
    property_added: &req::PROPERTY_ADDED_OPTIONAL,
    property_added_required: &req::PROPERTY_ADDED_REQUIRED,
    property_required: &req::PROPERTY_REQUIRED,
    property_optional: &req::PROPERTY_OPTIONAL,
    nullable: &req::NULLABLE,
    non_null: &req::NON_NULL,
    type_changed: &req::TYPE_CHANGED,
    type_widened: &req::TYPE_WIDENED,
    type_narrowed: &req::TYPE_NARROWED,
    format_changed: &req::FORMAT_CHANGED,
    enum_value_added: &req::ENUM_VALUE_ADDED,
    enum_value_removed: &req::ENUM_VALUE_REMOVED,
    enum_closed: &req::ENUM_CLOSED,
    enum_opened: &req::ENUM_OPENED,
    constraint_widened: &req::CONSTRAINT_WIDENED,
    constraint_narrowed: &req::CONSTRAINT_NARROWED,
    restriction_changed: &req::RESTRICTION_CHANGED,
    variant_added: &req::VARIANT_ADDED,
    variant_removed: &req::VARIANT_REMOVED,
};

pub(in crate::diff) static RESPONSE: SchemaRules = SchemaRules {
    hidden: "writeOnly",
    direction: Direction::Response,
    property_removed: &resp::OPTIONAL_PROPERTY_REMOVED,
    property_lost: &resp::REQUIRED_PROPERTY_REMOVED,
    property_added: &resp::PROPERTY_ADDED,
    property_added_required: &resp::PROPERTY_ADDED,
    property_required: &resp::PROPERTY_REQUIRED,
    property_optional: &resp::PROPERTY_OPTIONAL,
    nullable: &resp::NULLABLE,
    non_null: &resp::NON_NULL,
    type_changed: &resp::TYPE_CHANGED,
    type_widened: &resp::TYPE_WIDENED,
    type_narrowed: &resp::TYPE_NARROWED,
    format_changed: &resp::FORMAT_CHANGED,
    enum_value_added: &resp::ENUM_VALUE_ADDED,
    enum_value_removed: &resp::ENUM_VALUE_REMOVED,
    enum_closed: &resp::ENUM_CLOSED,
    enum_opened: &resp::ENUM_OPENED,
    constraint_widened: &resp::CONSTRAINT_WIDENED,
    constraint_narrowed: &resp::CONSTRAINT_NARROWED,
    restriction_changed: &resp::RESTRICTION_CHANGED,
    variant_added: &resp::VARIANT_ADDED,
    variant_removed: &resp::VARIANT_REMOVED,
};

pub(in crate::diff) static ERROR: SchemaRules = SchemaRules {
    hidden: "writeOnly",
    direction: Direction::Error,
    property_removed: &error::OPTIONAL_PROPERTY_REMOVED,
    property_lost: &error::REQUIRED_PROPERTY_REMOVED,
    property_added: &error::PROPERTY_ADDED,
    property_added_required: &error::PROPERTY_ADDED,
    property_required: &error::PROPERTY_REQUIRED,
    property_optional: &error::PROPERTY_OPTIONAL,
    nullable: &error::NULLABLE,
    non_null: &error::NON_NULL,
    type_changed: &error::TYPE_CHANGED,
    type_widened: &error::TYPE_WIDENED,
    type_narrowed: &error::TYPE_NARROWED,
    format_changed: &error::FORMAT_CHANGED,
    enum_value_added: &error::ENUM_VALUE_ADDED,
    enum_value_removed: &error::ENUM_VALUE_REMOVED,
    enum_closed: &error::ENUM_CLOSED,
    enum_opened: &error::ENUM_OPENED,
    constraint_widened: &error::CONSTRAINT_WIDENED,
    constraint_narrowed: &error::CONSTRAINT_NARROWED,
    restriction_changed: &error::RESTRICTION_CHANGED,
    variant_added: &error::VARIANT_ADDED,
    variant_removed: &error::VARIANT_REMOVED,
};

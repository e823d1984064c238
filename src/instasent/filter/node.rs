//! The trees of conditions that contacts and events are searched by.

use serde_json::{Map, Value, json};

use super::Predicate;
use super::invalid::{InvalidFilter, key, some};
use crate::codegen::{IntoArgumentBy, rule};

/// A condition on contacts, or a group of conditions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AudienceNode(Map<String, Value>);

/// A condition on events, or a group of conditions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventNode(Map<String, Value>);

/// A condition on an event. It is a node of either tree: among contacts it asks for those that have such an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventCondition(Map<String, Value>);

/// The part of an event that a condition is on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EventKey(String);

/// A condition on an attribute of a contact, such as `_country_code` or one of the project's own.
///
/// # Errors
/// Returns an error if the key is empty.
pub fn attribute(attribute: &str, predicate: Predicate) -> Result<AudienceNode, InvalidFilter> {
    Ok(AudienceNode(predicate.condition("attribute_condition", &key("attribute", attribute)?)))
}

/// A condition on an event.
pub fn event(key: &EventKey, predicate: Predicate) -> EventCondition {
    EventCondition(predicate.condition("event_condition", &key.0))
}

impl EventKey {
    /// The type of the event.
    pub fn event_type() -> Self {
        Self("event-type".to_owned())
    }

    /// When it happened.
    pub fn created_at() -> Self {
        Self("created-at".to_owned())
    }

    /// A parameter of one type of event, such as `order-euro-amount` of `ecommerce_order_create`.
    ///
    /// # Errors
    /// Returns an error if the type or the parameter is empty, or the type has a dot, which separates the two.
    pub fn parameter(event_type: &str, parameter: &str) -> Result<Self, InvalidFilter> {
        let event_type = key("event type", event_type)?;
        if event_type.contains('.') {
            let place = format!("event type {event_type:?}");
            return Err(InvalidFilter::new(place, "it has a dot", "give the type alone, and the parameter by itself"));
        }
        Ok(Self(format!("{event_type}.{}", key("event parameter", parameter)?)))
    }
}

impl AudienceNode {
    /// All of these hold.
    ///
    /// # Errors
    /// Returns an error if there are no conditions.
    pub fn all(children: impl IntoIterator<Item = impl Into<Self>>) -> Result<Self, InvalidFilter> {
        group("group", Some("and"), some::<Self>("conditions of a group", children)?).map(Self)
    }

    /// One of these holds.
    ///
    /// # Errors
    /// Returns an error if there are no conditions.
    pub fn any(children: impl IntoIterator<Item = impl Into<Self>>) -> Result<Self, InvalidFilter> {
        group("group", Some("or"), some::<Self>("conditions of a group", children)?).map(Self)
    }

    /// All of these hold for one and the same event: `group_event`. Its conditions are on one type of event; that they
    /// stand in `children` is inferred from the other groups.
    ///
    /// # Errors
    /// Returns an error if there are no conditions, or they have parameters of several types of event.
    pub fn same_event(conditions: impl IntoIterator<Item = EventCondition>) -> Result<Self, InvalidFilter> {
        let conditions = some::<EventCondition>("conditions on one event", conditions)?;
        let mut types = conditions.iter().filter_map(EventCondition::parameter_of);
        if let Some(first) = types.next()
            && let Some(other) = types.find(|other| *other != first)
        {
            let problem = format!("there are parameters of {first:?} and of {other:?}");
            return Err(InvalidFilter::new("conditions on one event", problem, "use `all` for several events"));
        }
        group("group_event", None, conditions).map(Self)
    }

    /// A node of a type that is not known here, such as `segment_condition`, with its members as they are.
    ///
    /// # Errors
    /// Returns an error if the type is empty.
    pub fn unchecked(node_type: &str, members: Map<String, Value>) -> Result<Self, InvalidFilter> {
        unchecked(node_type, members).map(Self)
    }

    /// The node as JSON.
    pub fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

impl EventNode {
    /// All of these hold.
    ///
    /// # Errors
    /// Returns an error if there are no conditions.
    pub fn all(children: impl IntoIterator<Item = impl Into<Self>>) -> Result<Self, InvalidFilter> {
        group("group", Some("and"), some::<Self>("conditions of a group", children)?).map(Self)
    }

    /// One of these holds.
    ///
    /// # Errors
    /// Returns an error if there are no conditions.
    pub fn any(children: impl IntoIterator<Item = impl Into<Self>>) -> Result<Self, InvalidFilter> {
        group("group", Some("or"), some::<Self>("conditions of a group", children)?).map(Self)
    }

    /// A node of a type that is not known here, with its members as they are.
    ///
    /// # Errors
    /// Returns an error if the type is empty.
    pub fn unchecked(node_type: &str, members: Map<String, Value>) -> Result<Self, InvalidFilter> {
        unchecked(node_type, members).map(Self)
    }

    /// The node as JSON.
    pub fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

impl EventCondition {
    /// The type of event whose parameter the condition is on.
    fn parameter_of(&self) -> Option<&str> {
        self.0["key"].as_str()?.split_once('.').map(|(event_type, _)| event_type)
    }
}

impl From<EventCondition> for AudienceNode {
    fn from(condition: EventCondition) -> Self {
        Self(condition.0)
    }
}

impl From<EventCondition> for EventNode {
    fn from(condition: EventCondition) -> Self {
        Self(condition.0)
    }
}

macro_rules! into_map {
    ($($node:ty),+) => {
        $(impl From<$node> for Map<String, Value> {
            fn from(node: $node) -> Self {
                node.0
            }
        }

        impl IntoArgumentBy<Map<String, Value>, rule::Map> for $node {
            fn into_argument_by(self) -> Result<Map<String, Value>, String> {
                Ok(self.0)
            }
        })+
    };
}

into_map!(AudienceNode, EventNode, EventCondition);

fn group<N: Into<Map<String, Value>>>(
    node_type: &str,
    join: Option<&str>,
    children: Vec<N>,
) -> Result<Map<String, Value>, InvalidFilter> {
    let mut members = Map::new();
    if let Some(join) = join {
        members.insert("join".to_owned(), json!(join));
    }
    members.insert("children".to_owned(), children.into_iter().map(|child| Value::Object(child.into())).collect());
    unchecked(node_type, members)
}

fn unchecked(node_type: &str, members: Map<String, Value>) -> Result<Map<String, Value>, InvalidFilter> {
    let mut node = Map::from_iter([("type".to_owned(), json!(key("type of a node", node_type)?))]);
    // The type that was asked for, whatever the members say.
    node.extend(members.into_iter().filter(|(name, _)| name != "type"));
    Ok(node)
}

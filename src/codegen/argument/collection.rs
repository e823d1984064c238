//! Lists and maps.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use serde_json::{Map, Value};

use super::{ArgumentType, IntoArgument, IntoArgumentBy, rule};
use crate::client::batch::{Batch, InvalidBatch};

/// The forms in which a list is given.
pub trait Items {
    /// A value of an item.
    type Item;

    /// The values.
    fn items(self) -> impl Iterator<Item = Self::Item>;
}

impl<U> Items for Vec<U> {
    type Item = U;

    fn items(self) -> impl Iterator<Item = U> {
        self.into_iter()
    }
}

impl<U, const N: usize> Items for [U; N] {
    type Item = U;

    fn items(self) -> impl Iterator<Item = U> {
        self.into_iter()
    }
}

impl<U: Clone> Items for &[U] {
    type Item = U;

    fn items(self) -> impl Iterator<Item = U> {
        self.iter().cloned()
    }
}

impl<U: Clone> Items for &Vec<U> {
    type Item = U;

    fn items(self) -> impl Iterator<Item = U> {
        self.iter().cloned()
    }
}

impl<U: Clone, const N: usize> Items for &[U; N] {
    type Item = U;

    fn items(self) -> impl Iterator<Item = U> {
        self.iter().cloned()
    }
}

impl<T: ArgumentType> ArgumentType for Vec<T> {
    type Rule = rule::List;
}

impl<T, L: Items<Item: IntoArgument<T>>> IntoArgumentBy<Vec<T>, rule::List> for L {
    fn into_argument_by(self) -> Result<Vec<T>, String> {
        let item = |(index, value): (usize, L::Item)| {
            value.into_argument().map_err(|reason| format!("item {index}: {reason}"))
        };
        self.items().enumerate().map(item).collect()
    }
}

impl<T: ArgumentType, const MAX: usize> ArgumentType for Batch<T, MAX> {
    type Rule = rule::List;
}

impl<T, L: Items<Item: IntoArgument<T>>, const MAX: usize> IntoArgumentBy<Batch<T, MAX>, rule::List> for L {
    fn into_argument_by(self) -> Result<Batch<T, MAX>, String> {
        let items = <L as IntoArgumentBy<Vec<T>, rule::List>>::into_argument_by(self)?;
        items.try_into().map_err(|reason: InvalidBatch| reason.to_string())
    }
}

impl<T, const MAX: usize> IntoArgumentBy<Batch<T, MAX>, rule::List> for Batch<T, MAX> {
    fn into_argument_by(self) -> Result<Batch<T, MAX>, String> {
        Ok(self)
    }
}

impl<T, const MAX: usize> IntoArgumentBy<Batch<T, MAX>, rule::List> for &Batch<T, MAX> {
    fn into_argument_by(self) -> Result<Batch<T, MAX>, String> {
        Ok(self.clone())
    }
}

/// The forms in which a map is given.
pub trait Pairs {
    /// A name.
    type Name;
    /// Its value.
    type Value;

    /// The pairs.
    fn pairs(self) -> impl Iterator<Item = (Self::Name, Self::Value)>;
}

macro_rules! pairs {
    ($([$($generic:tt)*] $name:ty, $value:ty, $kind:ty);*) => {
        $(impl<$($generic)*> Pairs for $kind {
            type Name = $name;
            type Value = $value;

            fn pairs(self) -> impl Iterator<Item = ($name, $value)> {
                self.into_iter()
            }
        })*
    };
}
pairs!(
    [K, V, S] K, V, HashMap<K, V, S>;
    [K, V] K, V, BTreeMap<K, V>;
    [K, V] K, V, Vec<(K, V)>;
    [K, V, const N: usize] K, V, [(K, V); N];
    [] String, Value, Map<String, Value>
);

fn pairs<K, V, P: Pairs<Name: IntoArgument<K>, Value: IntoArgument<V>>>(
    pairs: P,
    mut insert: impl FnMut(K, V) -> Option<V>,
) -> Result<(), String> {
    for (index, (name, value)) in pairs.pairs().enumerate() {
        let at = |reason| format!("pair {index}: {reason}");
        if insert(name.into_argument().map_err(at)?, value.into_argument().map_err(at)?).is_some() {
            return Err(at("its name stands twice".to_owned()));
        }
    }
    Ok(())
}

impl<K: ArgumentType, V: ArgumentType, S> ArgumentType for HashMap<K, V, S> {
    type Rule = rule::Map;
}

impl<K, V, S, P> IntoArgumentBy<HashMap<K, V, S>, rule::Map> for P
where
    K: Eq + Hash,
    S: BuildHasher + Default,
    P: Pairs<Name: IntoArgument<K>, Value: IntoArgument<V>>,
{
    fn into_argument_by(self) -> Result<HashMap<K, V, S>, String> {
        let mut map = HashMap::default();
        pairs(self, |name, value| map.insert(name, value))?;
        Ok(map)
    }
}

impl ArgumentType for Map<String, Value> {
    type Rule = rule::Map;
}

impl<P: Pairs<Name: IntoArgument<String>, Value: IntoArgument<Value>>> IntoArgumentBy<Map<String, Value>, rule::Map>
    for P
{
    fn into_argument_by(self) -> Result<Map<String, Value>, String> {
        let mut map = Map::new();
        pairs(self, |name, value| map.insert(name, value))?;
        Ok(map)
    }
}

/// The value that `json!({..})` returns.
impl IntoArgumentBy<Map<String, Value>, rule::Map> for Value {
    fn into_argument_by(self) -> Result<Map<String, Value>, String> {
        match self {
            Value::Object(map) => Ok(map),
            _ => Err("it is not a JSON object".to_owned()),
        }
    }
}

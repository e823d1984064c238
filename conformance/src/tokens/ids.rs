//! Values of path parameters: by the name of the parameter, or by a path if one name has several meanings.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use keyfit_openapi::is_same_template;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// The values of path parameters. In a file, a table of names, in which a key that begins with `/` is a table for the paths that begin with
/// this template, whatever the names of its parameters.
#[derive(Clone, Debug)]
pub struct Ids<T = String> {
    by_name: BTreeMap<String, T>,
    by_path: BTreeMap<String, BTreeMap<String, T>>,
}

impl<T> Ids<T> {
    /// Returns the value for a parameter of a path: that of the longest matching template, or else that of the name.
    pub fn get(&self, path: &str, name: &str) -> Option<&T> {
        let template = self.template(path, name);
        template.map_or_else(|| self.by_name.get(name), |template| self.by_path[&template].get(name))
    }

    /// Returns the value for a parameter of a path, mutably.
    pub fn get_mut(&mut self, path: &str, name: &str) -> Option<&mut T> {
        match self.template(path, name) {
            Some(template) => self.by_path.get_mut(&template)?.get_mut(name),
            None => self.by_name.get_mut(name),
        }
    }

    fn template(&self, path: &str, name: &str) -> Option<String> {
        let fitting = self.by_path.iter().filter(|(template, ids)| begins(path, template) && ids.contains_key(name));
        fitting.map(|(template, _)| template).max_by_key(|template| template.len()).cloned()
    }

    /// Returns its templates.
    pub fn templates(&self) -> impl Iterator<Item = &str> {
        self.by_path.keys().map(String::as_str)
    }

    /// Returns the names of parameters, each with the template to which it is restricted; `None` for all paths.
    pub fn names(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        let of_paths =
            self.by_path.iter().flat_map(|(template, ids)| ids.keys().map(move |name| (Some(template), name)));
        let all = self.by_name.keys().map(|name| (None, name)).chain(of_paths);
        all.map(|(template, name)| (template.map(String::as_str), name.as_str()))
    }
}

impl<T: Clone> Ids<T> {
    /// Returns the values of the parameters of a path, by name.
    pub fn at(&self, path: &str) -> BTreeMap<String, T> {
        let mut fitting: Vec<_> = self.by_path.iter().filter(|(template, _)| begins(path, template)).collect();
        fitting.sort_by_key(|(template, _)| template.len());
        let mut ids = self.by_name.clone();
        ids.extend(fitting.into_iter().flat_map(|(_, ids)| ids.clone()));
        ids
    }

    /// Adds the values of others for parameters without a value.
    #[must_use]
    pub fn or(mut self, others: &Self) -> Self {
        for (name, value) in &others.by_name {
            self.by_name.entry(name.clone()).or_insert_with(|| value.clone());
        }
        for (template, ids) in &others.by_path {
            let own = self.by_path.entry(template.clone()).or_default();
            for (name, value) in ids {
                own.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        self
    }
}

impl<T> Default for Ids<T> {
    fn default() -> Self {
        Self { by_name: BTreeMap::new(), by_path: BTreeMap::new() }
    }
}

impl<T> From<BTreeMap<String, T>> for Ids<T> {
    fn from(by_name: BTreeMap<String, T>) -> Self {
        Self { by_name, by_path: BTreeMap::new() }
    }
}

/// Returns whether a path equals a template or is below it.
pub(crate) fn begins(path: &str, template: &str) -> bool {
    let template = template.trim_end_matches('/');
    let end = path.match_indices('/').nth(template.matches('/').count()).map_or(path.len(), |(end, _)| end);
    is_same_template(&path[..end], template)
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ids<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Tables(PhantomData))
    }
}

struct Tables<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Tables<T> {
    type Value = Ids<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a table of path parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut ids = Ids::default();
        while let Some(key) = map.next_key::<String>()? {
            if key.starts_with('/') {
                ids.by_path.insert(key, map.next_value()?);
            } else {
                ids.by_name.insert(key, map.next_value()?);
            }
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Ids {
        let text =
            "id = \"any\"\nshop = \"s\"\n[\"/users/{id}\"]\nid = \"u\"\n[\"/users/{id}/keys/{id2}\"]\nid = \"k\"\n";
        toml::from_str(text).expect("a table")
    }

    #[test]
    fn the_longest_template_that_a_path_begins_with_counts() {
        for (path, name, expected) in [
            ("/orders/{id}", "id", Some("any")),
            ("/users/{id}", "id", Some("u")),
            ("/users/{id}/posts", "id", Some("u")),
            ("/users/{user}/posts", "id", Some("u")),
            ("/users/{id}/keys/{key}", "id", Some("k")),
            ("/usersmore/{id}", "id", Some("any")),
            ("/users", "id", Some("any")),
            ("/users/{id}", "shop", Some("s")),
            ("/users/{id}", "other", None),
        ] {
            assert_eq!(ids().get(path, name).map(String::as_str), expected, "{path} {name}");
            assert_eq!(ids().get_mut(path, name).map(|id| id.as_str()), expected, "{path} {name}");
            assert_eq!(ids().at(path).get(name).map(String::as_str), expected, "{path} {name}");
        }
    }

    #[test]
    fn what_somebody_has_for_himself_goes_before_what_all_have() {
        let own: Ids = toml::from_str("id = \"own\"").expect("a table");
        let both = own.or(&ids());
        assert_eq!(both.get("/orders/{id}", "id").map(String::as_str), Some("own"));
        assert_eq!(both.get("/orders/{id}", "shop").map(String::as_str), Some("s"));
        assert_eq!(
            both.get("/users/{id}", "id").map(String::as_str),
            Some("u"),
            "what is said of a path is said of it"
        );
    }

    #[test]
    fn what_is_no_table_of_texts_is_refused_with_what_is_wrong() {
        let wrong = toml::from_str::<Ids>("id = 1").expect_err("a number");
        assert!(wrong.to_string().contains("expected a string"), "{wrong}");
        assert!(toml::from_str::<Ids>("\"/a\" = \"b\"").is_err());
    }
}

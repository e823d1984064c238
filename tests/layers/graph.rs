//! Which module names which. A name that a module passes on leads to the module that defines it.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Name, Place, Tree};

/// How often a name may be passed on: more is a circle of imports.
const PASSED_ON: usize = 16;

/// The arrows between modules that are files.
pub(crate) struct Graph(BTreeMap<Place, BTreeSet<Place>>);

/// What a path leads to.
enum End {
    Module(Place),
    /// An item, and the module that defines it.
    Item(Place),
}

impl Graph {
    pub(crate) fn of(tree: &Tree) -> Self {
        let mut arrows: BTreeMap<Place, BTreeSet<Place>> = BTreeMap::new();
        // The root defines nothing: what it passes on is no use of it.
        for (place, module) in tree.modules().filter(|(_, module)| !module.file.is_empty()) {
            let imports = module.imports.iter().filter_map(|path| resolve(tree, place, path, 0));
            let paths = module.paths.iter().filter_map(|path| match resolve(tree, place, path, 0)? {
                // One word is a name of anything: of a variable as well.
                End::Module(_) if path.len() == 1 => None,
                end => Some(end),
            });
            let files = imports.chain(paths).filter_map(|(End::Module(to) | End::Item(to))| Some(&tree.get(&to)?.file));
            arrows.entry(module.file.clone()).or_default().extend(files.filter(|to| **to != module.file).cloned());
        }
        Self(arrows)
    }

    pub(crate) fn arrows(&self) -> impl Iterator<Item = (&Place, &Place)> {
        self.0.iter().flat_map(|(from, targets)| targets.iter().map(move |to| (from, to)))
    }

    /// For each set of modules that name each other one circle through it.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let mut circles = Vec::new();
        let mut seen = BTreeSet::new();
        for start in self.0.keys() {
            if seen.contains(start) {
                continue;
            }
            if let Some(circle) = self.way(start, start) {
                seen.extend(
                    self.0.keys().filter(|other| self.way(start, other).is_some() && self.way(other, start).is_some()),
                );
                circles.push(circle.iter().map(|place| place.join("::")).collect());
            }
        }
        circles
    }

    /// A shortest way along arrows, both ends included.
    fn way<'a>(&'a self, from: &'a Place, to: &Place) -> Option<Vec<&'a Place>> {
        let mut before: BTreeMap<&Place, &Place> = BTreeMap::new();
        let mut next = vec![from];
        while !next.is_empty() {
            let mut after = Vec::new();
            for place in next {
                for target in self.0.get(place).into_iter().flatten() {
                    if target == to {
                        let mut way = vec![target, place];
                        while way.last().is_some_and(|last| *last != from) {
                            way.push(before[way[way.len() - 1]]);
                        }
                        way.reverse();
                        return Some(way);
                    }
                    if target != from && !before.contains_key(target) {
                        before.insert(target, place);
                        after.push(target);
                    }
                }
            }
            next = after;
        }
        None
    }
}

/// Where a path of a module leads; nowhere for paths of other crates.
fn resolve(tree: &Tree, from: &[String], path: &[String], passed_on: usize) -> Option<End> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" | "keyfit" => walk(tree, Vec::new(), rest, passed_on),
        "self" => walk(tree, from.to_vec(), rest, passed_on),
        "super" => {
            let mut place = from.to_vec();
            place.pop()?;
            let more = rest.iter().take_while(|name| *name == "super").count();
            place.truncate(place.len().checked_sub(more)?);
            walk(tree, place, &rest[more..], passed_on)
        }
        _ => {
            let module = tree.get(from)?;
            let is_known = module.names.contains_key(first);
            let behind_globs =
                || module.globs.iter().any(|glob| named_by_glob(tree, from, glob, first, passed_on).is_some());
            if is_known || behind_globs() { walk(tree, from.to_vec(), path, passed_on) } else { None }
        }
    }
}

/// Goes on from a module.
fn walk(tree: &Tree, mut place: Place, path: &[String], passed_on: usize) -> Option<End> {
    for (at, name) in path.iter().enumerate() {
        let module = tree.get(&place)?;
        let end = match module.names.get(name) {
            Some(Name::Child) => {
                place.push(name.clone());
                continue;
            }
            Some(Name::Item) => return Some(End::Item(place)),
            Some(Name::Import(import)) if passed_on < PASSED_ON => resolve(tree, &place, import, passed_on + 1)?,
            Some(Name::Import(_)) => return None,
            None => {
                let found = module.globs.iter().find_map(|glob| named_by_glob(tree, &place, glob, name, passed_on));
                // What is not written is generated, and defined where it is included.
                found.unwrap_or(End::Item(place.clone()))
            }
        };
        match end {
            End::Module(to) => return walk(tree, to, &path[at + 1..], passed_on),
            item @ End::Item(_) => return Some(item),
        }
    }
    Some(End::Module(place))
}

/// What a name is that `use glob::*` brings.
fn named_by_glob(tree: &Tree, from: &[String], glob: &[String], name: &str, passed_on: usize) -> Option<End> {
    let End::Module(to) = resolve(tree, from, glob, passed_on + 1).filter(|_| passed_on < PASSED_ON)? else {
        return None;
    };
    tree.get(&to)?.names.contains_key(name).then(|| walk(tree, to, &[name.to_owned()], passed_on + 1))?
}

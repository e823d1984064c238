//! The merge of equal types: those of a request and its response without differences, and equal types from inside several
//! schemas. Two types are equal if all their code is the same, including the types in them. A name from the document remains
//! as an alias; names that only the generator gave are removed.

use std::collections::{BTreeMap, HashMap, HashSet};

use quote::format_ident;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Ident, ImplItem, Item, ItemImpl, Path, Type, TypePath, parse_quote};

use super::{MODULES, aliases, exact, implemented, leads_into, module, own_type};

/// The text that replaces references to types for comparisons.
const TYPE_MARK: &str = "__type_";

/// The traits that only request types have.
const OF_REQUESTS: [&str; 2] = ["ArgumentType", "IntoArgumentBy"];

/// Merges the types of a file. `named` are the names that the document gives.
pub(super) fn merge_equal_types(file: &mut syn::File, named: &HashSet<String>) {
    let types = TypeTexts::of(file);
    let merged = types.merged(named);
    if merged.is_empty() {
        return;
    }
    for name in MODULES {
        let Some(items) = module(&mut file.items, name) else { continue };
        let removed: HashMap<&str, &str> = merged
            .iter()
            .filter(|(removed, _)| removed.0 == name)
            .map(|(removed, kept)| (&*removed.1, &**kept))
            .collect();
        remove_merged(items, &removed, named);
        if let Some(builders) = module(items, "builder") {
            builders.retain(|item| !owner(item).is_some_and(|owner| removed.contains_key(&*owner)));
        }
        let aliases = removed.iter().map(|(removed, kept)| {
            let kept = format_ident!("{kept}");
            ((*removed).to_owned(), parse_quote!(#kept))
        });
        aliases::remove_ambiguous_conversions(items, &aliases.collect());
    }
    let mut rename = TypeRenamer { merged: &merged, named, within: Vec::new() };
    file.items.iter_mut().for_each(|item| rename.visit_item_mut(item));
}

/// Removes types from their module, and leaves an alias for names of the document.
fn remove_merged(items: &mut Vec<Item>, removed: &HashMap<&str, &str>, named: &HashSet<String>) {
    let is_of_gone = |block: &ItemImpl| {
        own_type(block).or_else(|| convertible_from(block)).is_some_and(|name| removed.contains_key(&*name))
    };
    items.retain(|item| !matches!(item, Item::Impl(block) if is_of_gone(block)));
    let mut kept = Vec::new();
    for item in std::mem::take(items) {
        let defined = definition(&item).map(|(name, attributes)| (name.clone(), attributes.to_vec()));
        match defined {
            Some((name, attributes)) if removed.contains_key(&*name.to_string()) => {
                if named.contains(&name.to_string()) {
                    let docs = attributes.into_iter().filter(|attribute| attribute.path().is_ident("doc"));
                    let other = format_ident!("{}", removed[&*name.to_string()]);
                    kept.push(parse_quote!(#(#docs)* pub type #name = #other;));
                }
            }
            _ => kept.push(item),
        }
    }
    *items = kept;
}

/// Returns the type that another one can be made from: `T` of `impl From<T> for Vec<T>`.
fn convertible_from(block: &ItemImpl) -> Option<String> {
    Some(implemented(block)?.strip_prefix("From<")?.strip_suffix('>')?.to_owned())
}

/// Returns name and attributes of a type that can be merged.
fn definition(item: &Item) -> Option<(&Ident, &[Attribute])> {
    match item {
        Item::Struct(item) => Some((&item.ident, &item.attrs)),
        Item::Enum(item) => Some((&item.ident, &item.attrs)),
        _ => None,
    }
}

/// Returns the type whose builder an item belongs to.
fn owner(item: &Item) -> Option<String> {
    let made = |block: &ItemImpl| Some(implemented(block)?.strip_prefix("TryFrom<")?.strip_suffix('>')?.to_owned());
    match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Impl(block) => own_type(block).or_else(|| made(block)),
        _ => None,
    }
}

/// A type by its module and name.
type TypeKey = (&'static str, String);

struct TypeTexts {
    keys: Vec<TypeKey>,
    /// The code of each type: texts, and the types between them.
    written: Vec<(Vec<String>, Vec<usize>)>,
    /// True if requests use the type.
    is_request: Vec<bool>,
}

impl TypeTexts {
    fn of(file: &syn::File) -> Self {
        let CollectedTypes { known, aliases, items } = CollectedTypes::default().read(file);
        let (mut keys, mut written, mut is_request) = (Vec::new(), Vec::new(), Vec::new());
        for (key, item, blocks) in items {
            keys.push(key.clone());
            let mut mark = TypeMarker { known: &known, aliases: &aliases, of: key, depth: 0 };
            // One copy at a time: all copies would be as large as the file.
            let mut texts = vec![mark.text(item.clone())];
            let mut own: Vec<String> = Vec::new();
            let mut asked = false;
            for block in blocks {
                let implemented = implemented(block).unwrap_or_default();
                if OF_REQUESTS.contains(&implemented.split('<').next().unwrap_or_default()) {
                    asked = true;
                } else {
                    own.extend(mark.block(block.clone()));
                }
            }
            own.sort();
            texts.extend(own);
            written.push(split(&texts.join("\n")));
            is_request.push(asked);
        }
        Self { keys, written, is_request }
    }

    /// Returns the class of each type: two types are in one class if they are equal at every depth.
    fn classes(&self) -> Vec<usize> {
        let mut texts: HashMap<&[String], usize> = HashMap::new();
        let mut classes: Vec<usize> = Vec::new();
        for (written, _) in &self.written {
            let new = texts.len();
            classes.push(*texts.entry(written).or_insert(new));
        }
        let mut count = texts.len();
        loop {
            let mut known: HashMap<(usize, Vec<usize>), usize> = HashMap::new();
            let step = |(index, (_, inner)): (usize, &(Vec<String>, Vec<usize>))| {
                let inner = inner.iter().map(|inner| classes[*inner]).collect();
                let new = known.len();
                *known.entry((classes[index], inner)).or_insert(new)
            };
            let next: Vec<usize> = self.written.iter().enumerate().map(step).collect();
            let found = known.len();
            classes = next;
            if found == count {
                return classes;
            }
            count = found;
        }
    }

    /// Returns the types to remove, each with the name of the type that remains.
    fn merged(&self, named: &HashSet<String>) -> HashMap<TypeKey, String> {
        let mut classes: BTreeMap<(&str, usize), Vec<usize>> = BTreeMap::new();
        for (index, class) in self.classes().into_iter().enumerate() {
            classes.entry((self.keys[index].0, class)).or_default().push(index);
        }
        let mut merged = HashMap::new();
        for members in classes.into_values() {
            let name = |index: usize| &self.keys[index].1;
            let rank = |index: &usize| {
                let index = *index;
                (!self.is_request[index], !named.contains(name(index)), name(index).len(), index)
            };
            let Some(kept) = members.iter().copied().min_by_key(rank) else { continue };
            let removed = members.into_iter().filter(|index| *index != kept);
            merged.extend(removed.map(|index| (self.keys[index].clone(), name(kept).clone())));
        }
        merged
    }
}

/// Splits a text at the marks of types.
fn split(text: &str) -> (Vec<String>, Vec<usize>) {
    let (mut texts, mut inner) = (Vec::new(), Vec::new());
    for part in text.split(TYPE_MARK) {
        let digits = if texts.is_empty() { 0 } else { part.bytes().take_while(u8::is_ascii_digit).count() };
        if !texts.is_empty() {
            inner.extend(part[..digits].parse::<usize>());
        }
        texts.push(part[digits..].to_owned());
    }
    (texts, inner)
}

/// The types of a file with their impl blocks, and the aliases.
#[derive(Default)]
struct CollectedTypes<'a> {
    known: HashMap<TypeKey, usize>,
    aliases: HashMap<String, &'a Type>,
    items: Vec<(TypeKey, &'a Item, Vec<&'a ItemImpl>)>,
}

impl<'a> CollectedTypes<'a> {
    fn read(mut self, file: &'a syn::File) -> Self {
        for within in MODULES {
            let module = file.items.iter().find_map(|item| match item {
                Item::Mod(module) if module.ident == within => module.content.as_ref().map(|(_, items)| items),
                _ => None,
            });
            for item in module.into_iter().flatten() {
                if let Some((name, _)) = definition(item) {
                    let key = (within, name.to_string());
                    self.known.insert(key.clone(), self.items.len());
                    self.items.push((key, item, Vec::new()));
                } else if let Item::Type(item) = item {
                    self.aliases.insert(item.ident.to_string(), &item.ty);
                }
            }
            for item in module.into_iter().flatten() {
                if let Item::Impl(block) = item
                    && let Some(name) = own_type(block)
                    && let Some(index) = self.known.get(&(within, name))
                {
                    self.items[*index].2.push(block);
                }
            }
        }
        self
    }
}

/// The maximum number of aliases that are followed.
const MAX_ALIASES: usize = 16;

/// Writes types as marks, and the current type as `Self`.
struct TypeMarker<'a> {
    known: &'a HashMap<TypeKey, usize>,
    aliases: &'a HashMap<String, &'a Type>,
    of: TypeKey,
    depth: usize,
}

impl TypeMarker<'_> {
    /// Returns the code of a type, without its name and its documentation.
    fn text(&mut self, mut item: Item) -> String {
        let (ident, attributes) = match &mut item {
            Item::Struct(item) => (&mut item.ident, &mut item.attrs),
            Item::Enum(item) => (&mut item.ident, &mut item.attrs),
            _ => return String::new(),
        };
        *ident = format_ident!("Own");
        attributes.retain(|attribute| !attribute.path().is_ident("doc"));
        self.visit_item_mut(&mut item);
        exact(&item)
    }

    /// Returns the code of an impl block, without the function that returns a builder.
    fn block(&mut self, mut block: ItemImpl) -> Option<String> {
        let is_own = block.trait_.is_none();
        block.items.retain(|item| !matches!(item, ImplItem::Fn(function) if is_own && function.sig.ident == "builder"));
        if is_own && block.items.is_empty() {
            return None;
        }
        self.visit_item_impl_mut(&mut block);
        Some(exact(&block))
    }

    fn mark(&self, path: &Path) -> Option<Ident> {
        let name = path.segments.last()?.ident.to_string();
        let before = path.segments.iter().nth_back(1).map(|segment| segment.ident.to_string());
        let within = match before.as_deref() {
            None => self.of.0,
            Some(before) => MODULES.into_iter().find(|module| *module == before)?,
        };
        if within == self.of.0 && name == self.of.1 {
            return Some(format_ident!("Own"));
        }
        let index = self.known.get(&(within, name))?;
        Some(format_ident!("{TYPE_MARK}{index}"))
    }
}

impl VisitMut for TypeMarker<'_> {
    fn visit_type_mut(&mut self, kind: &mut Type) {
        if let Type::Path(TypePath { path, .. }) = kind
            && let Some(alias) = path.get_ident().and_then(|name| self.aliases.get(&name.to_string()))
            && self.depth < MAX_ALIASES
        {
            *kind = (**alias).clone();
            self.depth += 1;
            self.visit_type_mut(kind);
            self.depth -= 1;
            return;
        }
        visit_mut::visit_type_mut(self, kind);
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        if let Some(mark) = self.mark(path) {
            *path = Path::from(mark);
        }
    }
}

/// Renames the remaining references to removed types.
struct TypeRenamer<'a> {
    merged: &'a HashMap<TypeKey, String>,
    /// The names that are aliases now.
    named: &'a HashSet<String>,
    /// The enclosing modules.
    within: Vec<String>,
}

impl VisitMut for TypeRenamer<'_> {
    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        self.within.push(module.ident.to_string());
        visit_mut::visit_item_mod_mut(self, module);
        self.within.pop();
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let Some(module) = leads_into(path, &self.within) else { return };
        let is_builder = path.segments.iter().any(|segment| segment.ident == "builder")
            || path.segments.len() == 1 && self.within.last().is_some_and(|within| within == "builder");
        let Some(last) = path.segments.last_mut() else { return };
        if self.named.contains(&last.ident.to_string()) && !is_builder {
            return;
        }
        if let Some(kept) = self.merged.get(&(module, last.ident.to_string())) {
            last.ident = format_ident!("{kept}");
        }
    }
}

#[cfg(test)]
mod tests;

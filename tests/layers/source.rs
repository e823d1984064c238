//! The modules of a library, read from its sources: what each defines, what it imports, and what it names.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Item, ItemMacro, ItemMod, UseTree, Visibility};

/// A module's place: the names from the root.
pub(crate) type Place = Vec<String>;

/// All modules of a library by their place.
#[derive(Debug, Default)]
pub(crate) struct Tree(BTreeMap<Place, Module>);

/// What a module holds. What is there for tests alone is left out.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// The names that it knows.
    pub(crate) names: BTreeMap<String, Name>,
    /// What is behind `use a::*`.
    pub(crate) globs: Vec<Place>,
    /// The paths that it imports for itself.
    pub(crate) imports: Vec<Place>,
    /// The paths that stand in its items.
    pub(crate) paths: Vec<Place>,
    /// The macros that it exports.
    pub(crate) macros: Vec<String>,
    /// The module that is its file: another one for a module that is written within it.
    pub(crate) file: Place,
}

/// What a name stands for in a module.
#[derive(Debug)]
pub(crate) enum Name {
    /// An item of this module.
    Item,
    /// A module below it.
    Child,
    /// What is at this path.
    Import(Place),
}

impl Tree {
    /// Reads the library of a folder.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                    files.insert(name, fs::read_to_string(&path)?);
                }
            }
        }
        Ok(Self::of(&files))
    }

    /// The library of these files, by their paths below its folder.
    pub(crate) fn of(files: &BTreeMap<String, String>) -> Self {
        let mut tree = Self::default();
        tree.add_file(files, "lib.rs", &Vec::new());
        tree.export_macros();
        tree
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = (&Place, &Module)> {
        self.0.iter()
    }

    pub(crate) fn get(&self, place: &[String]) -> Option<&Module> {
        self.0.get(place)
    }

    fn add_file(&mut self, files: &BTreeMap<String, String>, file: &str, place: &Place) {
        let text = files.get(file).unwrap_or_else(|| panic!("{file} is not there"));
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.add(files, parsed.items, place.clone(), place);
    }

    fn add(&mut self, files: &BTreeMap<String, String>, items: Vec<Item>, place: Place, file: &Place) {
        let mut module = Module { file: file.clone(), ..Module::default() };
        for item in items {
            match item {
                Item::Mod(item) if !is_for_tests(&item.attrs) => {
                    module.names.insert(item.ident.to_string(), Name::Child);
                    self.add_child(files, item, &place, file);
                }
                Item::Use(item) if !is_for_tests(&item.attrs) => {
                    let mut found = Vec::new();
                    flatten(&item.tree, &mut Vec::new(), &mut found);
                    for (name, path) in found {
                        // What is passed on is not used by that.
                        if matches!(item.vis, Visibility::Inherited) {
                            module.imports.push(path.clone());
                        }
                        match name.as_deref() {
                            Some("_") => {}
                            Some(name) => drop(module.names.insert(name.to_owned(), Name::Import(path))),
                            None => module.globs.push(path),
                        }
                    }
                }
                Item::Mod(_) | Item::Use(_) => {}
                item if is_for_tests(attributes(&item)) => {}
                item => {
                    if let Item::Macro(ItemMacro { attrs, ident: Some(name), .. }) = &item
                        && attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"))
                    {
                        module.names.insert(name.to_string(), Name::Item);
                        module.macros.push(name.to_string());
                    }
                    if let Some(name) = name(&item) {
                        module.names.insert(name, Name::Item);
                    }
                    paths(item.into_token_stream(), &mut module.paths);
                }
            }
        }
        self.0.insert(place, module);
    }

    /// An exported macro is called by the root's name, wherever it stands.
    fn export_macros(&mut self) {
        let exported: Vec<(String, Place)> = self
            .0
            .iter()
            .flat_map(|(place, module)| module.macros.iter().map(move |name| (name.clone(), place.clone())))
            .collect();
        for (name, place) in exported.into_iter().filter(|(_, place)| !place.is_empty()) {
            let path = [vec!["crate".to_owned()], place, vec![name.clone()]].concat();
            if let Some(root) = self.0.get_mut(&Vec::new()) {
                // A module may have the same name.
                root.names.entry(name).or_insert(Name::Import(path));
            }
        }
    }

    fn add_child(&mut self, files: &BTreeMap<String, String>, item: ItemMod, parent: &[String], file: &Place) {
        let mut place = parent.to_vec();
        place.push(item.ident.to_string());
        if let Some((_, items)) = item.content {
            return self.add(files, items, place, file);
        }
        let file = place.join("/");
        let file = [format!("{file}.rs"), format!("{file}/mod.rs")].into_iter().find(|file| files.contains_key(file));
        let file = file.unwrap_or_else(|| panic!("the module {} has no file", place.join("::")));
        self.add_file(files, &file, &place);
    }
}

/// The paths of an import, with the name that each has here; none for all names of a module.
fn flatten(tree: &UseTree, before: &mut Place, found: &mut Vec<(Option<String>, Place)>) {
    let with = |last: &str| {
        let mut path = before.clone();
        // `a::{self}` is `a`.
        if last != "self" || path.is_empty() {
            path.push(last.to_owned());
        }
        path
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        UseTree::Name(name) => {
            let path = with(&name.ident.to_string());
            found.push((path.last().cloned(), path));
        }
        UseTree::Rename(rename) => found.push((Some(rename.rename.to_string()), with(&rename.ident.to_string()))),
        UseTree::Glob(_) => found.push((None, before.clone())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, found)),
    }
}

/// Every path in these tokens, also within macros, where nothing else is known of them.
fn paths(tokens: TokenStream, found: &mut Vec<Place>) {
    let mut path: Place = Vec::new();
    // What may still come: after a name `::`, after `::` a name. A field or a method is no path.
    let (mut colons, mut is_member) = (0, false);
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if path.is_empty() || colons == 2 => {
                if is_member {
                    is_member = false;
                } else {
                    path.push(ident.to_string());
                }
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' && colons < 2 => colons += 1,
            token => {
                found.extend(Some(std::mem::take(&mut path)).filter(|path| !path.is_empty()));
                (colons, is_member) = (0, false);
                match token {
                    TokenTree::Group(group) => paths(group.stream(), found),
                    TokenTree::Ident(ident) => path.push(ident.to_string()),
                    TokenTree::Punct(punct) => is_member = punct.as_char() == '.',
                    TokenTree::Literal(_) => {}
                }
            }
        }
    }
    found.extend(Some(path).filter(|path| !path.is_empty()));
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let tokens = attribute.meta.to_token_stream().to_string().replace(' ', "");
        tokens == "cfg(test)" || tokens.starts_with("cfg(all(test,")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        _ => &[],
    }
}

fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

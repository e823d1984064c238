//! Generated code as text, a part at a time: each goes when it is written, since code takes several times the memory of its text.

use std::collections::HashMap;

use syn::{File, Item, ItemMod, parse_quote};

use super::{docs, paths};

/// The text of modules that are done before the rest: what stands in them, by their names.
#[derive(Default)]
pub(crate) struct Written(HashMap<String, String>);

impl Written {
    /// Writes what stands in a module of a file, in which nothing changes any more, after `look` has seen it. `None` where there is no
    /// such module.
    pub(crate) fn module<T>(&mut self, file: &mut File, name: &str, look: impl FnOnce(&[Item]) -> T) -> Option<T> {
        let module = file.items.iter_mut().find_map(|item| match item {
            Item::Mod(module) if module.ident == name => Some(module),
            _ => None,
        })?;
        paths::settle_module(module);
        let items = module.content.as_mut().map(|(_, items)| std::mem::take(items))?;
        let seen = look(&items);
        let mut text = String::new();
        Self::default().write(items, DEPTH + 1, &mut text);
        self.0.insert(name.to_owned(), text);
        Some(seen)
    }

    /// The text of items, with those modules, as it would be printed as a whole.
    pub(crate) fn text(&self, items: Vec<Item>) -> String {
        let mut text = String::new();
        self.write(items, 0, &mut text);
        text
    }

    fn write(&self, items: Vec<Item>, depth: usize, text: &mut String) {
        let mut plain = Vec::new();
        for item in items {
            let Item::Mod(mut module) = item else {
                plain.push(item);
                if plain.len() == AT_ONCE {
                    text.push_str(&printed(std::mem::take(&mut plain), depth));
                }
                continue;
            };
            text.push_str(&printed(std::mem::take(&mut plain), depth));
            let inside = module.content.as_mut().map(|(_, items)| std::mem::take(items)).unwrap_or_default();
            let known = self.0.get(&module.ident.to_string()).filter(|_| depth == DEPTH);
            let empty = printed(vec![Item::Mod(module)], depth);
            let is_empty = inside.is_empty() && known.is_none_or(String::is_empty);
            let Some(head) = empty.strip_suffix("{}\n").filter(|_| !is_empty) else {
                text.push_str(&empty);
                continue;
            };
            text.push_str(head);
            text.push_str("{\n");
            text.push_str(known.map_or("", String::as_str));
            self.write(inside, depth + 1, text);
            text.extend(std::iter::repeat_n(INDENT, depth));
            text.push_str("}\n");
        }
        text.push_str(&printed(plain, depth));
    }
}

/// In how many modules those of the file stand.
const DEPTH: usize = 1;

/// How many items are printed at once.
const AT_ONCE: usize = 64;

/// The printer's own.
const INDENT: &str = "    ";

/// Items as they stand in so many modules.
fn printed(mut items: Vec<Item>, depth: usize) -> String {
    if items.is_empty() {
        return String::new();
    }
    items.iter_mut().for_each(docs::in_lines);
    for _ in 0..depth {
        let mut around: ItemMod = parse_quote!(
            mod m {}
        );
        around.content.get_or_insert_default().1 = items;
        items = vec![Item::Mod(around)];
    }
    let mut file: File = parse_quote!();
    file.items = items;
    let whole = prettyplease::unparse(&file);
    let (mut start, mut end) = (0, whole.len());
    for level in 0..depth {
        start += level * INDENT.len() + "mod m {\n".len();
        end -= level * INDENT.len() + "}\n".len();
    }
    whole[start..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_parts_it_is_the_same_as_all_at_once() {
        let file: File = parse_quote! {
            #[allow(unused)]
            mod generated {
                /// Types.
                pub mod types {
                    #[doc = " One."]
                    #[derive(Clone)]
                    pub struct One { pub field: ::std::option::Option<::std::collections::HashMap<String, Vec<u8>>> }
                    impl One { pub fn text() -> &'static str { "two\nlines" } }
                    pub mod builder { pub struct One; }
                    pub mod empty {}
                }
                pub fn long(first: ::std::string::String, second: ::std::string::String, third: u8) -> u8 { third }
                pub mod elsewhere;
            }
            pub use generated::*;
        };
        let whole = prettyplease::unparse(&file);
        assert_eq!(Written::default().text(file.items.clone()), whole);
        let Some(Item::Mod(mut generated)) = file.items.first().cloned() else { panic!("it is a module") };
        let mut inside: File = parse_quote!();
        inside.items = generated.content.take().expect("it has items").1;
        let mut written = Written::default();
        let count = written.module(&mut inside, "types", <[Item]>::len);
        assert_eq!((count, written.module(&mut inside, "nowhere", <[Item]>::len)), (Some(4), None));
        generated.content.get_or_insert_default().1 = inside.items;
        let exported = file.items.last().cloned().expect("it is there");
        assert_eq!(written.text(vec![Item::Mod(generated), exported]), whole);
    }
}

//! Generated code as text, an item at a time: each goes when it is written, since code takes several times the memory of its text.

use syn::{File, Item, ItemMod, parse_quote};

/// The text of items, as it would be printed as a whole.
pub(crate) fn text(items: Vec<Item>) -> String {
    let mut text = String::new();
    write(items, 0, &mut text);
    text
}

fn write(items: Vec<Item>, depth: usize, text: &mut String) {
    for item in items {
        match item {
            Item::Mod(mut module) => {
                let inside = module.content.as_mut().map(|(_, items)| std::mem::take(items)).unwrap_or_default();
                let empty = printed(Item::Mod(module), depth);
                match empty.strip_suffix("{}\n").filter(|_| !inside.is_empty()) {
                    Some(head) => {
                        text.push_str(head);
                        text.push_str("{\n");
                        write(inside, depth + 1, text);
                        text.extend(std::iter::repeat_n(INDENT, depth));
                        text.push_str("}\n");
                    }
                    None => text.push_str(&empty),
                }
            }
            item => text.push_str(&printed(item, depth)),
        }
    }
}

/// The printer's own.
const INDENT: &str = "    ";

/// An item as it stands in so many modules.
fn printed(mut item: Item, depth: usize) -> String {
    for _ in 0..depth {
        let mut around: ItemMod = parse_quote!(
            mod m {}
        );
        around.content.get_or_insert_default().1.push(item);
        item = Item::Mod(around);
    }
    let mut file: File = parse_quote!();
    file.items.push(item);
    let whole = prettyplease::unparse(&file);
    let (mut start, mut end) = (0, whole.len());
    for level in 0..depth {
        start += format!("{}mod m {{\n", INDENT.repeat(level)).len();
        end -= format!("{}}}\n", INDENT.repeat(level)).len();
    }
    whole[start..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_at_a_time_is_the_same_as_all_at_once() {
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
        assert_eq!(text(file.items.clone()), prettyplease::unparse(&file));
    }
}

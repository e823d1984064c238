//! The generator's code as text, one item at a time: parsed as a whole it would need several times the memory of the part
//! that is kept.

use std::fmt::Write as _;
use std::ops::Range;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{Item, ItemMod};

/// The module of the type builders. Most of them belong to responses and are dropped.
const BUILDERS: [&str; 2] = ["types", "builder"];

/// Code as the generator wrote it.
#[derive(Default)]
pub(crate) struct GeneratedTokens {
    text: String,
    parts: Vec<ItemText>,
}

/// An item.
struct ItemText {
    /// The range of its text, without the content of a module.
    text: Range<usize>,
    /// The word before its braces: the name of a type or module, or the type of an impl.
    name: Option<Box<str>>,
    /// The content of a module.
    module: Option<Vec<ItemText>>,
}

/// Items that are parsed on demand.
pub(crate) struct UnparsedItems {
    text: String,
    /// In the order of the text.
    items: Vec<(Option<Box<str>>, Range<usize>)>,
}

impl GeneratedTokens {
    /// Converts tokens to text.
    pub(crate) fn of(tokens: TokenStream) -> Self {
        let mut code = Self::default();
        code.parts = code.split_items(tokens);
        code
    }

    /// Parses the file without the type builders, whose module is empty, and returns the builders unparsed. Returns `None` if
    /// the code is not valid Rust.
    pub(crate) fn parse(mut self) -> Option<(syn::File, UnparsedItems)> {
        let parts = std::mem::take(&mut self.parts);
        let mut unread = UnparsedItems { text: self.text, items: Vec::new() };
        let mut file = syn::parse_file("").ok()?;
        unread.parse(parts, &mut Vec::new(), &mut file)?;
        unread.keep_only();
        Some((file, unread))
    }

    /// Splits tokens into items: each ends with its braces or a semicolon.
    fn split_items(&mut self, tokens: TokenStream) -> Vec<ItemText> {
        let mut found = Vec::new();
        let mut item: Vec<TokenTree> = Vec::new();
        let mut rest = tokens.into_iter().peekable();
        while let Some(token) = rest.next() {
            let is_semicolon = is_semicolon(&token);
            let is_body = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
            item.push(token);
            // `use a::{b, c};`
            if is_semicolon || is_body && !rest.peek().is_some_and(self::is_semicolon) {
                found.push(self.item_text(std::mem::take(&mut item)));
            }
        }
        if !item.is_empty() {
            found.push(self.item_text(item));
        }
        found
    }

    fn item_text(&mut self, mut item: Vec<TokenTree>) -> ItemText {
        let name = match item.as_slice() {
            [.., TokenTree::Ident(name), TokenTree::Group(_)] => Some(name.to_string().into_boxed_str()),
            _ => None,
        };
        let mut module = None;
        if let [.., TokenTree::Ident(word), TokenTree::Ident(_), TokenTree::Group(body)] = item.as_mut_slice()
            && word == "mod"
        {
            module = Some(self.split_items(body.stream()));
            *body = Group::new(Delimiter::Brace, TokenStream::new());
        }
        let start = self.text.len();
        // Writing to a text cannot fail.
        let _ = write!(self.text, "{}", item.into_iter().collect::<TokenStream>());
        ItemText { text: start..self.text.len(), name, module }
    }
}

impl UnparsedItems {
    /// Returns the texts of the items of each selected type, and of items without a type.
    pub(crate) fn of_types(&self, is_kept: impl Fn(&str) -> bool) -> impl Iterator<Item = Vec<&str>> {
        let groups = self.items.chunk_by(|(before, _), (name, _)| before == name);
        let kept = groups
            .filter(move |group| group.first().and_then(|(name, _)| name.as_ref()).is_none_or(|name| is_kept(name)));
        kept.map(|group| group.iter().filter_map(|(_, range)| self.text.get(range.clone())).collect())
    }

    /// Drops the text that was parsed.
    fn keep_only(&mut self) {
        let end = self.items.last().map_or(0, |(_, range)| range.end);
        let start = self.items.first().map_or(end, |(_, range)| range.start);
        self.text.truncate(end);
        self.text.drain(..start);
        self.text.shrink_to_fit();
        for (_, range) in &mut self.items {
            *range = range.start - start..range.end - start;
        }
    }

    fn parse(&mut self, parts: Vec<ItemText>, within: &mut Vec<Box<str>>, file: &mut syn::File) -> Option<()> {
        for ItemText { text, name, module } in parts {
            let mut part = syn::parse_file(self.text.get(text)?).ok()?;
            if let (Some(name), Some(inside)) = (name, module) {
                within.push(name);
                if within.iter().map(|name| &**name).eq(BUILDERS) {
                    self.items.extend(inside.into_iter().map(|part| (part.name, part.text)));
                } else {
                    let mut whole = syn::parse_file("").ok()?;
                    self.parse(inside, within, &mut whole)?;
                    if let Some(Item::Mod(ItemMod { attrs, content, .. })) = part.items.last_mut() {
                        attrs.extend(whole.attrs);
                        content.get_or_insert_default().1 = whole.items;
                    }
                }
                within.pop();
            }
            file.attrs.extend(part.attrs);
            file.items.extend(part.items);
        }
        Some(())
    }
}

fn is_semicolon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';')
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens as _, quote};

    use super::*;

    #[test]
    fn every_item_is_found_again_and_builders_wait_to_be_asked_for() {
        let tokens = quote! {
            #![allow(dead_code)]
            use a::{b, c};
            pub mod types {
                use super::d;
                pub struct A(u8);
                #[doc = "builders"]
                pub mod builder { struct A { x: u8 } impl A {} }
                pub mod error { pub struct E; }
            }
            pub mod builder { fn f() {} }
            const ONE: u8 = { 1 };
            fn last() {}
        };
        let (file, builders) = GeneratedTokens::of(tokens.clone()).parse().expect("it is Rust");
        let whole = tokens.to_string().replace("struct A { x : u8 } impl A { }", "");
        let spaceless = |text: String| text.replace(' ', "");
        assert_eq!(spaceless(file.into_token_stream().to_string()), spaceless(whole));
        let builders: Vec<Vec<&str>> = builders.of_types(|name| name == "A").collect();
        assert_eq!(builders, [["struct A { x : u8 }", "impl A { }"]]);
    }
}

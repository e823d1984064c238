//! Code as text. This module lays out modules, and the printer formats their items one at a time: the width of a line does
//! not depend on its depth, and at most one item is in memory twice.

use std::fmt::Write as _;

use proc_macro2::{Spacing, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Item, ItemMacro, ItemMod, ItemStatic, LitStr, parse_quote};

use super::compact::IN_MACRO;

/// The indentation of a module's content.
const INDENT: usize = 4;

/// The static with the table of operations.
const TABLE_NAME: &str = "API";
/// The width beyond which a row of it is wrapped.
const WIDTH: usize = 100;

/// Returns the text of items.
pub(crate) fn text(file: Vec<Item>) -> String {
    let mut text = String::new();
    items(file, 0, &mut text);
    text
}

fn items(items: Vec<Item>, depth: usize, text: &mut String) {
    for item in items {
        match item {
            Item::Mod(ItemMod { attrs, vis, ident, content: Some((_, inner)), .. }) => {
                let head = printed(parse_quote!(#(#attrs)* #vis mod #ident {}));
                let head = head.trim_end().trim_end_matches('}');
                lines(head, depth, text);
                self::items(inner, depth + 1, text);
                lines("}", depth, text);
            }
            Item::Static(table) if table.ident == TABLE_NAME => lines(&rows(&table), depth, text),
            Item::Macro(called) if called.ident.is_none() => lines(&members(&called), depth, text),
            Item::Enum(mut own) => {
                let within = own.attrs.iter().position(|attribute| attribute.path().is_ident(IN_MACRO));
                let within = within.and_then(|at| macro_of(&own.attrs.remove(at)));
                let own = printed(Item::Enum(own));
                match within {
                    Some(name) => {
                        lines(&format!("{name}! {{"), depth, text);
                        lines(&own, depth + 1, text);
                        lines("}", depth, text);
                    }
                    None => lines(&own, depth, text),
                }
            }
            item => lines(&printed(item), depth, text),
        }
    }
}

fn printed(item: Item) -> String {
    prettyplease::unparse(&syn::File { shebang: None, frontmatter: None, attrs: Vec::new(), items: vec![item] })
}

/// Returns the macro that an attribute names.
fn macro_of(attribute: &Attribute) -> Option<String> {
    let name: syn::Ident = attribute.parse_args().ok()?;
    Some(format!("rt::{name}"))
}

/// Formats a macro of members, one for each line: `builder! { Parcel { required id: String, } }`.
fn members(called: &ItemMacro) -> String {
    let (mut head, mut members) = (Vec::new(), TokenStream::new());
    for token in called.mac.tokens.clone() {
        match token {
            TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace => members = group.stream(),
            token => head.push(token),
        }
    }
    let mut text = format!("{}! {{\n", compact(called.mac.path.to_token_stream()));
    member(&head, 1, " {", &mut text);
    let (mut own, mut angles) = (Vec::new(), 0_usize);
    for token in members {
        match &token {
            TokenTree::Punct(mark) if mark.as_char() == ',' && angles == 0 => {
                member(&own, 2, ",", &mut text);
                own.clear();
                continue;
            }
            TokenTree::Punct(mark) if mark.as_char() == '<' => angles += 1,
            TokenTree::Punct(mark) if mark.as_char() == '>' => angles = angles.saturating_sub(1),
            _ => {}
        }
        own.push(token);
    }
    text.push_str("    }\n}\n");
    text
}

/// Formats the table of operations: a row is one line, or two if it is long.
fn rows(table: &ItemStatic) -> String {
    let mut text = String::new();
    for attribute in &table.attrs {
        comment(attribute.meta.to_token_stream(), 0, &mut text);
    }
    let (name, kind) = (&table.ident, compact(table.ty.to_token_stream()));
    let _ = write!(text, "pub static {name}: {kind} =");
    wrapped(table.expr.to_token_stream(), 1, &mut text);
    text.push_str(";\n");
    text
}

/// Formats a chain of calls, wrapped if needed. A list whose items are chains of calls has one row for each.
fn wrapped(tokens: TokenStream, depth: usize, text: &mut String) {
    let mut width = usize::MAX;
    for call in calls(tokens) {
        if let Some((before, rows)) = list_of_calls(&call) {
            let _ = write!(text, "\n{:1$}{before}(&[", "", depth * INDENT);
            for row in rows {
                wrapped(row, depth + 1, text);
                text.push(',');
            }
            let _ = write!(text, "\n{:1$}])", "", depth * INDENT);
            width = usize::MAX;
            continue;
        }
        let call = compact(call);
        if width.saturating_add(call.len()) > WIDTH {
            let indent = if width == usize::MAX { depth } else { depth + 1 } * INDENT;
            let _ = write!(text, "\n{:indent$}", "");
            width = indent;
        }
        width += call.len();
        text.push_str(&call);
    }
}

/// Splits a chain into calls: `A::new(..)`, `.b(..)`, `.c(..)`.
fn calls(tokens: TokenStream) -> Vec<TokenStream> {
    let mut found: Vec<TokenStream> = Vec::new();
    let mut call = Vec::new();
    for token in tokens {
        let is_end = matches!(token, TokenTree::Group(_));
        call.push(token);
        if is_end {
            found.push(call.drain(..).collect());
        }
    }
    found.push(call.into_iter().collect());
    found.retain(|call| !call.is_empty());
    found
}

/// Splits `name(&[A::new(..).b(..), ..])` into the text before the parenthesis and the items.
fn list_of_calls(call: &TokenStream) -> Option<(String, Vec<TokenStream>)> {
    let mut tokens: Vec<TokenTree> = call.clone().into_iter().collect();
    let Some(TokenTree::Group(arguments)) = tokens.pop() else { return None };
    let [TokenTree::Punct(_), TokenTree::Group(list)] = &*arguments.stream().into_iter().collect::<Vec<_>>() else {
        return None;
    };
    let mut rows: Vec<Vec<TokenTree>> = vec![Vec::new()];
    for token in list.stream() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == ',' => rows.push(Vec::new()),
            token => rows.last_mut()?.push(token),
        }
    }
    let is_call = |row: &Vec<TokenTree>| row.len() > 4 && matches!(row.last(), Some(TokenTree::Group(_)));
    rows.retain(|row| !row.is_empty());
    let rows: Vec<TokenStream> =
        rows.iter().filter(|row| is_call(row)).map(|row| row.iter().cloned().collect()).collect();
    (!rows.is_empty()).then(|| (compact(tokens.into_iter().collect()), rows))
}

/// Formats a member with its documentation.
fn member(tokens: &[TokenTree], depth: usize, end: &str, text: &mut String) {
    let mut rest = tokens;
    while let [TokenTree::Punct(_), TokenTree::Group(group), others @ ..] = rest {
        comment(group.stream(), depth, text);
        rest = others;
    }
    lines(&format!("{}{end}", compact(rest.iter().cloned().collect())), depth, text);
}

/// Formats documentation as a comment.
fn comment(attribute: TokenStream, depth: usize, text: &mut String) {
    let said = attribute.into_iter().last().and_then(|token| syn::parse2::<LitStr>(token.into()).ok());
    lines(&format!("///{}", said.map(|said| said.value()).unwrap_or_default()), depth, text);
}

/// Formats words, paths and types with conventional spacing.
fn compact(tokens: TokenStream) -> String {
    let mut text = String::new();
    // True if a space precedes the next word.
    let mut is_apart = false;
    for token in tokens {
        match token {
            TokenTree::Punct(mark) => {
                let mark_is_alone = mark.spacing() == Spacing::Alone;
                match mark.as_char() {
                    ':' => {
                        text.push(':');
                        // A path after a colon, and not the type of a member.
                        if mark_is_alone && !text.ends_with("::") {
                            text.push(' ');
                        }
                        is_apart = false;
                    }
                    ',' | ';' => {
                        text.push(mark.as_char());
                        text.push(' ');
                        is_apart = false;
                    }
                    other => {
                        text.push(other);
                        is_apart = false;
                    }
                }
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::Brace => ("{ ", " }"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                if is_apart && group.delimiter() == proc_macro2::Delimiter::Brace {
                    text.push(' ');
                }
                text.push_str(open);
                text.push_str(&compact(group.stream()));
                text.push_str(close);
                is_apart = true;
            }
            word => {
                if is_apart {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
                is_apart = true;
            }
        }
    }
    text
}

/// Writes lines at a depth.
fn lines(block: &str, depth: usize, text: &mut String) {
    for line in block.lines() {
        if !line.is_empty() {
            text.extend(std::iter::repeat_n(' ', depth * INDENT));
            text.push_str(line);
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_table_is_a_line_until_it_is_long() {
        let file: syn::File = parse_quote! {
            #[doc = " The API."]
            pub static API: ::keyfit::Api = ::keyfit::Api::new("a").with_base_urls(&["https://a"]).with_operations(&[
                ::keyfit::Operation::new("x", "x", "GET", "/x"),
                ::keyfit::Operation::new("a-long-name-of-an-operation", "a_long_name_of_an_operation", "GET", "/x")
                    .with_security(&[&["a", "b"], &[]])
                    .with_success(&[200]),
            ]).with_errors(&[E::new("e").with_code(&["/c"])]);
        };
        let expected = "\
/// The API.
pub static API: ::keyfit::Api =
    ::keyfit::Api::new(\"a\").with_base_urls(&[\"https://a\"])
    .with_operations(&[
        ::keyfit::Operation::new(\"x\", \"x\", \"GET\", \"/x\"),
        ::keyfit::Operation::new(\"a-long-name-of-an-operation\", \"a_long_name_of_an_operation\", \"GET\", \"/x\")
            .with_security(&[&[\"a\", \"b\"], &[]]).with_success(&[200]),
    ])
    .with_errors(&[
        E::new(\"e\").with_code(&[\"/c\"]),
    ]);
";
        assert_eq!(super::text(file.items), expected);
    }

    #[test]
    fn members_of_a_macro_and_variants_with_values_stand_in_a_line_each() {
        let file: syn::File = parse_quote! {
            pub mod types {
                #[doc = " A color."]
                #[in_macro(texts)]
                pub enum Color { #[doc = " Like blood."] Red = "red", Green = "green" }
                rt::builder! {
                    Parcel {
                        required id: String,
                        #[doc = " In kg."]
                        optional weight maybe_weight: ::std::collections::HashMap<String, Vec<(f64, [u8; 2])>>,
                    }
                }
            }
        };
        let expected = "\
pub mod types {
    rt::texts! {
        /// A color.
        pub enum Color {
            /// Like blood.
            Red = \"red\",
            Green = \"green\",
        }
    }
    rt::builder! {
        Parcel {
            required id: String,
            /// In kg.
            optional weight maybe_weight: ::std::collections::HashMap<String, Vec<(f64, [u8; 2])>>,
        }
    }
}
";
        assert_eq!(super::text(file.items), expected);
    }
}

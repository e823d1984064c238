//! The paths of generated code. Items of other crates are named through `::keyfit::codegen`, so that users have one
//! dependency. Own items are named relatively, so that the code can be included in any module.

use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, ItemMod, Meta, Path, Token, parse_quote};

/// The placeholder for the module of the generated code, until [`resolve`] resolves it to a relative path.
pub(crate) const ROOT: &str = "::generated_root";

/// The crates that the generator's code names, and that `keyfit::codegen` exports.
const FOREIGN: [&str; 5] = ["chrono", "regress", "reqwest", "serde", "serde_json"];

/// Rewrites the paths of a file whose items stand in one module.
pub(crate) fn resolve(file: &mut syn::File) {
    PathResolver { depth: 0 }.visit_file_mut(file);
}

struct PathResolver {
    /// The number of enclosing modules, without the module of all the code.
    depth: usize,
}

impl VisitMut for PathResolver {
    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        self.depth += 1;
        visit_mut::visit_item_mod_mut(self, module);
        self.depth -= 1;
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let Some(first) = path.segments.first().map(|segment| &segment.ident) else { return };
        if path.leading_colon.is_some() && ROOT.strip_prefix("::").is_some_and(|root| first == root) {
            let rest = path.segments.iter().skip(1);
            let up = std::iter::repeat_n(format_ident!("super"), self.depth);
            *path = if self.depth == 0 { parse_quote!(self::#(#rest)::*) } else { parse_quote!(#(#up::)*#(#rest)::*) };
        } else if path.segments.len() > 1 && FOREIGN.iter().any(|name| first == name) {
            let segments = &path.segments;
            *path = parse_quote!(::keyfit::codegen::#segments);
        } else if first == "progenitor_client" {
            let rest = path.segments.iter().skip(1);
            *path = parse_quote!(::keyfit::codegen::#(#rest)::*);
        }
    }

    fn visit_type_path_mut(&mut self, kind: &mut syn::TypePath) {
        let before = kind.path.segments.len();
        visit_mut::visit_type_path_mut(self, kind);
        adjust_qself(&mut kind.qself, before, kind.path.segments.len());
    }

    fn visit_expr_path_mut(&mut self, expression: &mut syn::ExprPath) {
        let before = expression.path.segments.len();
        visit_mut::visit_expr_path_mut(self, expression);
        adjust_qself(&mut expression.qself, before, expression.path.segments.len());
    }

    fn visit_item_struct_mut(&mut self, item: &mut syn::ItemStruct) {
        visit_mut::visit_item_struct_mut(self, item);
        name_serde(&mut item.attrs);
    }

    fn visit_item_enum_mut(&mut self, item: &mut syn::ItemEnum) {
        visit_mut::visit_item_enum_mut(self, item);
        name_serde(&mut item.attrs);
    }

    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        let Meta::List(list) = &mut attribute.meta else { return };
        if list.path.is_ident("derive") {
            let derived = list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated);
            if let Ok(mut derived) = derived {
                derived.iter_mut().for_each(|path| self.visit_path_mut(path));
                list.tokens = derived.into_token_stream();
            }
        } else if list.path.is_ident("serde") {
            list.tokens = quoted_paths(std::mem::take(&mut list.tokens));
        }
    }

    fn visit_macro_mut(&mut self, call: &mut syn::Macro) {
        type Arguments = Punctuated<syn::Expr, Token![,]>;
        visit_mut::visit_macro_mut(self, call);
        if let Ok(mut arguments) = call.parse_body_with(Arguments::parse_terminated) {
            arguments.iter_mut().for_each(|argument| self.visit_expr_mut(argument));
            call.tokens = arguments.into_token_stream();
        }
    }
}

/// Updates the number of segments that name the trait in `<T as serde::de::Error>::custom`.
fn adjust_qself(qself: &mut Option<syn::QSelf>, before: usize, after: usize) {
    if let Some(qself) = qself.as_mut().filter(|qself| qself.position > 0) {
        qself.position += after - before;
    }
}

/// Sets the path of serde for its derive macros, and moves its derives, with short names, to a separate attribute.
fn name_serde(attributes: &mut Vec<Attribute>) {
    type PathResolver = Punctuated<Path, Token![,]>;
    let derived = |attribute: &Attribute| {
        attribute
            .path()
            .is_ident("derive")
            .then(|| attribute.parse_args_with(PathResolver::parse_terminated).ok())
            .flatten()
    };
    let of_serde = |path: &Path| path.segments.iter().nth_back(1).is_some_and(|segment| segment.ident == "serde");
    for at in 0..attributes.len() {
        let Some(paths) = derived(&attributes[at]) else { continue };
        let (serde, others): (Vec<Path>, Vec<Path>) = paths.into_iter().partition(of_serde);
        if serde.is_empty() {
            continue;
        }
        let names = serde.iter().filter_map(|path| path.segments.last());
        attributes[at] = parse_quote!(#[derive(#(::keyfit::codegen::#names),*)]);
        attributes.insert(at + 1, parse_quote!(#[serde(crate = "::keyfit::codegen::serde")]));
        if !others.is_empty() {
            attributes.insert(at, parse_quote!(#[derive(#(#others),*)]));
        }
        return;
    }
}

/// Rewrites paths in texts for serde: `skip_serializing_if = "::serde_json::Map::is_empty"`.
fn quoted_paths(tokens: TokenStream) -> TokenStream {
    let rewritten = |token: TokenTree| match token {
        TokenTree::Group(group) => Group::new(group.delimiter(), quoted_paths(group.stream())).into(),
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            let is_foreign = FOREIGN.iter().any(|name| text.starts_with(&format!("\"::{name}::")));
            if is_foreign {
                Literal::string(&format!("::keyfit::codegen{}", text.trim_matches('"'))).into()
            } else {
                literal.into()
            }
        }
        other => other,
    };
    tokens.into_iter().map(rewritten).collect()
}

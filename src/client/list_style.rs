//! Lists and objects as parameters: how their values stand in a path, a query or a header.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use url::Url;

use super::brackets;
use super::path_argument::{InvalidPathArgument, PathArgument};
use super::query::values;

/// The encoding of a list's values as one parameter, by the words of OpenAPI's `style` and `explode`. A value that is not a list is
/// encoded as a list with one value, an object as a list of its names and values in turn.
///
/// Each value is percent-encoded by itself, so that what separates them is told from what they hold. Where a separator cannot be told
/// (in a header, a space, a pipe, a tab, a dot), a value that holds it is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ListStyle {
    /// `1,2`: `form` in a query, `simple` in a path or header.
    Commas,
    /// `1%202`: `spaceDelimited`.
    Spaces,
    /// `1%7C2`: `pipeDelimited`.
    Pipes,
    /// `1%092`: `tsv` of Swagger 2.0.
    Tabs,
    /// `filter[state]=open`: `deepObject`, of which OpenAPI does not say how it writes what nests: `filter[price][least]=1`,
    /// `ids[]=1&ids[]=2`, `lines[0][sku]=a`. In a query or a form alone.
    Brackets,
    /// `.1,2`: `label`. In a path alone, as all below.
    Label,
    /// `.1.2`: `label`, exploded.
    LabelExploded,
    /// `;ids=1,2`: `matrix`.
    Matrix,
    /// `;ids=1;ids=2`: `matrix`, exploded.
    MatrixExploded,
}

/// The characters that are not encoded in a value: the unreserved ones.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl ListStyle {
    /// The pairs of a query as they stand in a URL; `None` for an empty list. `json` is the list as JSON text.
    ///
    /// # Errors
    /// Returns an error if the value cannot be written so; it gives the reason.
    pub(crate) fn in_query(self, name: &str, json: &str) -> Result<Option<String>, String> {
        if self == Self::Brackets {
            // Of a list that is one value, too.
            let name = if json.starts_with(['[', '{']) { name.to_owned() } else { format!("{name}[]") };
            let pairs = brackets::pairs(&name, json)?;
            let pairs: Vec<String> =
                pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
            return Ok(Some(pairs.join("&")).filter(|pairs| !pairs.is_empty()));
        }
        let values = values(json).map_err(|error| error.to_string())?;
        if values.is_empty() {
            return Ok(None);
        }
        self.joined(&values, encoded).map(|text| Some(format!("{}={text}", encoded(name))))
    }

    /// The values in one text that nothing encodes; `None` for an empty list.
    ///
    /// # Errors
    /// Returns an error if the value cannot be written so; it gives the reason.
    pub(super) fn in_text(self, json: &str) -> Result<Option<String>, String> {
        let text = self.in_header(json)?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A segment of a path, or a part of one, percent-encoded.
    ///
    /// # Errors
    /// Returns an error if the value cannot be written so, which includes an empty list: it would make another path.
    pub(crate) fn in_path(self, name: &str, json: &str) -> Result<String, String> {
        let values = values(json).map_err(|error| error.to_string())?;
        let is_refused = |text: &str| PathArgument::try_from(text).is_err();
        let named = format!(";{}=", encoded(name));
        let text = match self {
            Self::Label | Self::LabelExploded => format!(".{}", self.joined(&values, encoded)?),
            Self::Matrix => format!("{named}{}", self.joined(&values, encoded)?),
            Self::MatrixExploded => {
                values.iter().map(|value| format!("{named}{}", encoded(value))).collect::<Vec<_>>().concat()
            }
            _ => self.joined(&values, encoded)?,
        };
        // Both, since what stands before a value can make a dot segment of it.
        if values.is_empty() || values.iter().any(|value| is_refused(value)) || is_refused(&text) {
            return Err(InvalidPathArgument.to_string());
        }
        Ok(text)
    }

    /// The value of a header.
    ///
    /// # Errors
    /// Returns an error if the value cannot be written so; it gives the reason.
    pub(crate) fn in_header(self, json: &str) -> Result<String, String> {
        let values = values(json).map_err(|error| error.to_string())?;
        let separator = self.separator().0;
        if values.len() > 1 {
            refuse(&values, separator)?;
        }
        Ok(values.join(separator))
    }

    /// Returns the separator of the values, and its form in a URL.
    fn separator(self) -> (&'static str, &'static str) {
        match self {
            Self::Commas | Self::Label | Self::Matrix | Self::Brackets => (",", ","),
            Self::Spaces => (" ", "%20"),
            Self::Pipes => ("|", "%7C"),
            Self::Tabs => ("\t", "%09"),
            Self::LabelExploded => (".", "."),
            Self::MatrixExploded => (";", ";"),
        }
    }

    fn joined(self, values: &[String], write: impl Fn(&str) -> String) -> Result<String, String> {
        let (separator, written) = self.separator();
        // The separator is encoded itself, or is never encoded: a value that holds it would be two.
        if values.len() > 1 && encoded(separator) == written {
            refuse(values, separator)?;
        }
        Ok(values.iter().map(|value| write(value)).collect::<Vec<_>>().join(written))
    }
}

/// Adds what is percent-encoded already to a query.
pub(crate) fn add_query(url: &mut Url, more: &str) {
    let query = match url.query() {
        Some(query) if !query.is_empty() => format!("{query}&{more}"),
        _ => more.to_owned(),
    };
    url.set_query(Some(&query));
}

/// A name or value as it stands in a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}

fn refuse(values: &[String], separator: &str) -> Result<(), String> {
    match values.iter().position(|value| value.contains(separator)) {
        None => Ok(()),
        Some(index) => Err(format!("item {index} holds {separator:?}, which is what stands between the items")),
    }
}

#[cfg(test)]
mod tests {
    use super::ListStyle::*;

    #[test]
    fn a_query_has_the_values_as_the_style_says() {
        for (style, json, written) in [
            (Commas, r#"["a","b,c","d e&"]"#, "ids=a,b%2Cc,d%20e%26"),
            (Commas, "[1,null,2]", "ids=1,2"),
            (Commas, "9007199254740993", "ids=9007199254740993"),
            (Spaces, r#"["a","b"]"#, "ids=a%20b"),
            (Pipes, "[1,2]", "ids=1%7C2"),
            (Tabs, "[1,2]", "ids=1%092"),
            (Brackets, r#"["a","b,c"]"#, "ids%5B%5D=a&ids%5B%5D=b%2Cc"),
            (Brackets, r#""a""#, "ids%5B%5D=a"),
            (Brackets, r#"{"a b":{"c":"d&"}}"#, "ids%5Ba%20b%5D%5Bc%5D=d%26"),
            (Commas, r#"{"a":1,"b":null,"c":"d,e"}"#, "ids=a,1,c,d%2Ce"),
            // Of one value nothing has to be told apart.
            (Spaces, r#"["a b"]"#, "ids=a%20b"),
        ] {
            assert_eq!(style.in_query("ids", json), Ok(Some(written.to_owned())), "{style:?}");
        }
        assert_eq!(Commas.in_query("ids", "[]"), Ok(None));
        assert_eq!(Brackets.in_query("ids", "null"), Ok(None));
        assert_eq!(Commas.in_query("a b", "[1]"), Ok(Some("a%20b=1".to_owned())));
    }

    #[test]
    fn a_path_has_the_values_as_the_style_says() {
        for (style, written) in [
            (Commas, "a,b%2C%2Fc"),
            (Label, ".a,b%2C%2Fc"),
            (LabelExploded, ".a.b%2C%2Fc"),
            (Matrix, ";ids=a,b%2C%2Fc"),
            (MatrixExploded, ";ids=a;ids=b%2C%2Fc"),
        ] {
            assert_eq!(style.in_path("ids", r#"["a","b,/c"]"#).as_deref(), Ok(written), "{style:?}");
        }
        for json in ["[]", r#"[""]"#, r#"["a",".."]"#, r#"[".","."]"#, r#"["a/../b"]"#, r#"["a\\"]"#] {
            for style in [Commas, Label, LabelExploded, Matrix, MatrixExploded] {
                assert!(style.in_path("ids", json).is_err(), "{style:?} {json}");
            }
        }
        assert!(Label.in_path("ids", r#"[";x"]"#).is_err(), "a dot segment of what stands before it");
    }

    #[test]
    fn a_value_that_would_be_two_is_refused() {
        for (style, value) in [(Spaces, "a b"), (Pipes, "a|b"), (Tabs, "a\tb")] {
            let why = style.in_query("ids", &serde_json::json!(["x", value]).to_string()).expect_err(value);
            assert!(why.starts_with("item 1 holds") && !why.contains(value), "{why}");
        }
        assert!(LabelExploded.in_path("ids", "[1,1.5]").is_err());
        assert_eq!(Label.in_path("ids", "[1,1.5]").as_deref(), Ok(".1,1.5"));
        assert!(Commas.in_header(r#"["a","b,c"]"#).is_err());
        assert_eq!(Commas.in_header(r#"["a","b c"]"#).as_deref(), Ok("a,b c"));
    }
}

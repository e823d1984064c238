//! An exchange as lines of text: `>` marks the request, `<` the answer, `$` the command that repeats the request.

use keyfit_openapi::plain;

use crate::judgement::verdict::Exchange;

/// Returns the lines of an exchange.
pub(super) fn transcript(exchange: &Exchange) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |mark: char, text: &str| lines.extend(text.lines().map(|line| format!("{mark} {}", plain(line))));
    add('>', &format!("{} {}", exchange.method, exchange.url));
    for (name, value) in &exchange.headers {
        add('>', &format!("{name}: {value}"));
    }
    add('>', &exchange.body);
    if let Some(status) = exchange.status {
        add('<', &status.to_string());
    }
    for (name, value) in &exchange.answer_headers {
        add('<', &format!("{name}: {value}"));
    }
    add('<', &exchange.answer_body);
    if let Some(command) = command(exchange) {
        add('$', &command);
    }
    lines
}

/// Returns the command that repeats the request; `None` if the receiver no longer exists: a client sent the request to a scripted server.
pub(super) fn command(exchange: &Exchange) -> Option<String> {
    exchange.url.starts_with("http").then(|| exchange.curl())
}

#[cfg(test)]
mod tests {
    use super::transcript;
    use crate::judgement::verdict::Exchange;

    #[test]
    fn no_line_of_an_answer_stands_without_its_mark() {
        let exchange = Exchange { answer_body: "a\n::error::b\r\n\u{1b}[2J".to_owned(), ..Exchange::default() };
        assert_eq!(transcript(&exchange)[1..], ["< a", "< ::error::b", "< \\u{1b}[2J"]);
    }
}

//! Checks whether an answer to HEAD has the same headers as one to GET (RFC 9110, section 9.3.2).

use reqwest::header::HeaderMap;

use crate::contract::Contract;

/// Headers of a single message or connection, and headers that are determined while the content is generated.
const OF_ONE_MESSAGE: [&str; 14] = [
    "age",
    "cf-ray",
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "report-to",
    "server-timing",
    "set-cookie",
    "trailer",
    "traceparent",
    "transfer-encoding",
    "vary",
    "via",
];
/// Parts of the names of headers with request ids.
const OF_REQUEST_IDS: [&str; 4] = ["request-id", "requestid", "correlation-id", "trace-id"];
/// Prefixes of the names of headers with counters, besides those of the contract.
const OF_COUNTERS: [&str; 4] = ["ratelimit", "x-ratelimit", "x-rate-limit", "retry-after"];

/// Returns the first header in which the second answer differs from the first one.
pub(super) fn finding(contract: &Contract, of_get: &HeaderMap, of_head: &HeaderMap) -> Option<String> {
    let limits = contract.rate_limit.as_ref();
    let counters = limits.map(|rules| [&rules.limit_header, &rules.remaining_header, &rules.reset_header]);
    let is_steady = |name: &str| {
        let is_counter = counters.iter().flatten().any(|counter| counter.eq_ignore_ascii_case(name));
        !is_counter
            && !OF_ONE_MESSAGE.contains(&name)
            && !OF_REQUEST_IDS.iter().any(|part| name.contains(part))
            && !OF_COUNTERS.iter().any(|start| name.starts_with(start))
    };
    of_get.keys().filter(|name| is_steady(name.as_str())).find_map(|name| {
        if !of_head.contains_key(name) {
            return Some(format!("the header `{name}` is missing, and GET has it"));
        }
        let is_same = of_get.get_all(name).iter().eq(of_head.get_all(name).iter());
        (!is_same).then(|| format!("the header `{name}` is another one than for GET"))
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::finding;
    use crate::contract::Contract;

    fn found(of_get: &[(&str, &str)], of_head: &[(&str, &str)]) -> Option<String> {
        let contract: Contract = toml::from_str("name = \"a\"\nsources = {}\ncredential = []\nerrors = {}\nrule = []")
            .expect("a contract with nothing in it");
        let map = |headers: &[(&str, &str)]| -> HeaderMap {
            let pair = |(name, value): &(&str, &str)| {
                let name: HeaderName = name.parse().expect("a name");
                (name, HeaderValue::from_str(value).expect("a value"))
            };
            headers.iter().map(pair).collect()
        };
        finding(&contract, &map(of_get), &map(of_head))
    }

    #[test]
    fn what_belongs_to_one_message_is_not_compared() {
        let of_get = [("date", "a"), ("content-length", "12"), ("x-request-id", "1"), ("x-ratelimit-remaining", "9")];
        assert_eq!(found(&of_get, &[("x-amzn-requestid", "2")]), None);
    }

    #[test]
    fn a_lost_header_and_another_value_are_found() {
        let of_get = [("content-type", "application/json"), ("etag", "\"1\"")];
        assert_eq!(found(&of_get, &of_get), None);
        assert_eq!(found(&of_get, &of_get[..1]).as_deref(), Some("the header `etag` is missing, and GET has it"));
        let other = [("content-type", "text/html"), ("etag", "\"1\"")];
        assert_eq!(found(&of_get, &other).as_deref(), Some("the header `content-type` is another one than for GET"));
    }
}

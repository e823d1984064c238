//! The header fields `RateLimit` and `RateLimit-Policy` of the IETF's draft on rate limits (draft-ietf-httpapi-ratelimit-headers), in
//! the forms that its versions gave them: `"day";r=9;t=60` with `"day";q=10;w=86400`, and before that `limit=10, remaining=9, reset=60`
//! with `10;w=86400`.

use http::header::{HeaderMap, HeaderName};

/// The content of the two fields: of several limits, the one with the fewest requests left.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LimitFields {
    /// Requests that a window allows.
    pub limit: Option<u64>,
    /// Requests that are left.
    pub remaining: Option<u64>,
    /// When more are available, in seconds from now.
    pub reset: Option<u64>,
}

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

impl LimitFields {
    /// Reads the fields; `None` where an answer has neither. A number that is missing or garbled is `None`.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let (limits, policies) = (text(headers, &LIMIT), text(headers, &POLICY));
        if limits.is_none() && policies.is_none() {
            return None;
        }
        let limits: Vec<Member<'_>> = limits.iter().flat_map(|text| members(text)).collect();
        let policies: Vec<Member<'_>> = policies.iter().flat_map(|text| members(text)).collect();
        let whole = |word: &str| limits.iter().find(|member| member.value == word)?.number("");
        let tightest =
            limits.iter().filter(|member| member.number("r").is_some()).min_by_key(|member| member.number("r"));
        let of_name = tightest.and_then(|tightest| policies.iter().find(|policy| policy.value == tightest.value));
        let policy = of_name.or(policies.first());
        let quota = |policy: &Member<'_>| policy.number("q").or_else(|| policy.value.parse().ok());
        Some(Self {
            limit: whole("limit").or_else(|| quota(policy?)),
            remaining: whole("remaining").or_else(|| tightest?.number("r")),
            reset: whole("reset").or_else(|| tightest?.number("t")),
        })
    }

    /// The number of a header of another name. Some versions of the draft list policies behind that of `RateLimit-Limit`:
    /// `10, 10;w=1`.
    pub fn number(name: &str, text: &str) -> Option<u64> {
        let is_listed = name.eq_ignore_ascii_case("ratelimit-limit");
        let first = text.split_once([',', ';']).filter(|_| is_listed).map_or(text, |(first, _)| first);
        first.trim().parse().ok()
    }

    /// Returns whether a header is one of the two, by its name in any case.
    pub fn has(name: &str) -> bool {
        [LIMIT, POLICY].iter().any(|known| name.eq_ignore_ascii_case(known.as_str()))
    }
}

/// All lines of a field are one list.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

/// A member of a list or of a dictionary (RFC 9651): what it is or is called, and its parameters. The value of a member of a
/// dictionary is the parameter without a name.
struct Member<'a> {
    value: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl Member<'_> {
    /// A parameter that is a whole number.
    fn number(&self, name: &str) -> Option<u64> {
        let (_, value) = self.parameters.iter().rfind(|(known, _)| *known == name)?;
        value.parse().ok()
    }
}

/// Returns the members of a field. A text that is not of this form has no members that matter.
fn members(text: &str) -> impl Iterator<Item = Member<'_>> {
    split(text, ',').map(|member| {
        let mut parts = split(member, ';').map(|part| part.split_once('=').unwrap_or((part, "")));
        let (value, own) = parts.next().unwrap_or_default();
        // An equals sign within quotes is one of a name.
        let (value, own) =
            if value.starts_with('"') { (split(member, ';').next().unwrap_or_default(), "") } else { (value, own) };
        Member { value, parameters: [("", own)].into_iter().chain(parts).collect() }
    })
}

/// The parts between separators that stand outside of quotes, without the space around them.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |character| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match character {
            '\\' if is_quoted => is_escaped = !was_escaped,
            '"' if !was_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        character == separator && !is_quoted
    })
    .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(limits: &[&str], policies: &[&str]) -> Option<[Option<u64>; 3]> {
        let mut headers = HeaderMap::new();
        for (name, values) in [(LIMIT, limits), (POLICY, policies)] {
            for value in values {
                headers.append(name.clone(), value.parse().expect("a value"));
            }
        }
        LimitFields::read(&headers).map(|fields| [fields.limit, fields.remaining, fields.reset])
    }

    #[test]
    fn every_version_of_the_draft_is_read() {
        for (limits, policies) in [
            (&["\"day\";r=9;t=60"][..], &["\"day\";q=10;w=86400"][..]),
            (&["\"day\"; r=9 ;t=60;pk=:AAAA:"], &["\"day\";q=10;qu=\"requests\";w=86400"]),
            (&["day;r=9;t=60"], &["day;q=10"]),
            (&["limit=10, remaining=9, reset=60"], &["10;w=86400"]),
            (&["remaining=9, reset=60"], &["10;w=86400"]),
        ] {
            assert_eq!(read(limits, policies), Some([Some(10), Some(9), Some(60)]), "{limits:?} {policies:?}");
        }
    }

    #[test]
    fn of_several_limits_the_tightest_counts_with_its_own_policy() {
        let policies = ["\"second\";q=5;w=1, \"a,b;c=\\\"d\";q=1000;w=3600"];
        assert_eq!(
            read(&["\"second\";r=4;t=1", "\"a,b;c=\\\"d\";r=2;t=900"], &policies),
            Some([Some(1000), Some(2), Some(900)])
        );
        assert_eq!(read(&["\"second\";r=4;t=1,\"a,b;c=\\\"d\";r=7"], &policies), Some([Some(5), Some(4), Some(1)]));
    }

    #[test]
    fn what_is_missing_or_garbled_is_none_and_not_zero() {
        assert_eq!(read(&[], &[]), None);
        assert_eq!(read(&["\"day\";r=9"], &[]), Some([None, Some(9), None]));
        for garbled in [
            "",
            ",;=",
            "\"",
            "\"day\";r=",
            "\"day\";r=-1;t=x",
            "r=9;t=60",
            "\"day;r=9",
            "\"day\";r=99999999999999999999",
        ] {
            assert_eq!(read(&[garbled], &[garbled]), Some([None; 3]), "{garbled}");
        }
    }

    #[test]
    fn policies_behind_the_limit_are_passed_over_and_nothing_else_is() {
        assert_eq!(LimitFields::number("RateLimit-Limit", "10, 10;w=1, 50;w=60"), Some(10));
        assert_eq!(LimitFields::number("RateLimit-Limit", " 10 "), Some(10));
        assert_eq!(LimitFields::number("X-RateLimit-Remaining", "1,000"), None);
    }

    #[test]
    fn the_two_names_are_known_in_any_case() {
        assert!(
            LimitFields::has("RateLimit")
                && LimitFields::has("ratelimit-Policy")
                && !LimitFields::has("RateLimit-Reset")
        );
    }
}

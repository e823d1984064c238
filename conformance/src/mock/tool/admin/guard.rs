//! Access control of the admin. It requires no token, so a web page in a browser on the same machine could call it: with a form, or with a
//! host name that resolves to this address (DNS rebinding). Legitimate clients use an address or name of the local machine, send no
//! `Origin`, and send JSON.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, ORIGIN};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;

use super::super::error::MockError;

/// An additional host name of the admin, such as that of a container; with a port if it differs from the mock's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AdminHost {
    /// In lower case.
    name: String,
    port: Option<u16>,
}

/// The host names of the admin.
pub(super) struct Guard {
    address: SocketAddr,
    hosts: Vec<AdminHost>,
}

impl Guard {
    /// Creates a guard for a mock that listens on this address.
    pub(super) fn new(address: SocketAddr, hosts: Vec<AdminHost>) -> Self {
        Self { address, hosts }
    }

    /// Checks the head of a request.
    pub(super) fn check(&self, parts: &Parts) -> Result<(), MockError> {
        // The host in the request target takes precedence over the header (RFC 9110).
        let mut hosts = parts.headers.get_all(HOST).iter();
        let host = match (parts.uri.authority(), hosts.next(), hosts.next()) {
            (Some(host), _, None) => Some(host.as_str()),
            (None, Some(host), None) => host.to_str().ok(),
            _ => None,
        };
        if !host.is_some_and(|host| self.is_allowed_host(host)) {
            return Err(refusal(
                403,
                "this host does not name the admin",
                format!(
                    "call http://{}; another name of this machine is allowed with --admin-host NAME[:PORT]",
                    reachable(self.address)
                ),
            ));
        }
        let mut origins = parts.headers.get_all(ORIGIN).iter();
        let is_own = |origin: &str| origin.strip_prefix("http://").is_some_and(|host| self.is_allowed_host(host));
        let is_foreign = !origins.all(|origin| origin.to_str().is_ok_and(is_own));
        if is_foreign || is_cross_site(&parts.headers) {
            return Err(refusal(
                403,
                "a web page of another origin may not call the admin",
                "call it from a program, or from a page of the mock's own origin",
            ));
        }
        let is_json =
            |kind: &str| kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json");
        let mut kinds = parts.headers.get_all(CONTENT_TYPE).iter();
        if !kinds.all(|kind| kind.to_str().is_ok_and(is_json)) {
            return Err(self::not_json());
        }
        Ok(())
    }

    /// Returns whether a host with its port denotes this mock.
    fn is_allowed_host(&self, host: &str) -> bool {
        // Legitimate clients send no user name in the host.
        let Some(host) = host.parse::<Authority>().ok().filter(|host| !host.as_str().contains('@')) else {
            return false;
        };
        let port = host
            .port_u16()
            .or_else(|| host.as_str().strip_prefix(host.host()).filter(|rest| rest.is_empty()).map(|_| 80));
        let name = host.host().to_ascii_lowercase();
        let is_named = |allowed: &AdminHost| {
            allowed.name == name && port == Some(allowed.port.unwrap_or_else(|| self.address.port()))
        };
        self.is_this_machine(&name) && port == Some(self.address.port()) || self.hosts.iter().any(is_named)
    }

    fn is_this_machine(&self, name: &str) -> bool {
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name).parse::<IpAddr>();
        match address {
            // If the mock listens on all addresses, any address is accepted: unlike a name, an address cannot be rebound.
            Ok(address) => {
                address.to_canonical().is_loopback()
                    || self.address.ip() == address
                    || self.address.ip().is_unspecified()
            }
            Err(_) => name == "localhost",
        }
    }
}

/// Refuses a body without a content type.
pub(super) fn check_body(headers: &HeaderMap, is_empty: bool) -> Result<(), MockError> {
    if is_empty || headers.contains_key(CONTENT_TYPE) { Ok(()) } else { Err(not_json()) }
}

fn not_json() -> MockError {
    refusal(
        415,
        "the admin takes JSON alone, because any web page can send other bodies",
        "send `Content-Type: application/json`; curl does with `--json`",
    )
}

/// Returns whether a browser marks a request as cross-site: `same-site` may be another port of this machine.
fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get_all("sec-fetch-site").iter().any(|site| site != "same-origin" && site != "none")
}

/// Returns the address at which this machine reaches a mock.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn refusal(status: u16, problem: &str, help: impl Into<String>) -> MockError {
    MockError { status, ..MockError::value(problem, help) }
}

impl FromStr for AdminHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let flaw = || "it is not a host: give a name or an address, with a port where it differs".to_owned();
        let authority: Authority = text.parse().map_err(|_| flaw())?;
        let (name, rest) = (authority.host(), text.strip_prefix(authority.host()));
        let port = match rest {
            Some("") => None,
            Some(_) => Some(authority.port_u16().ok_or_else(flaw)?),
            None => return Err(flaw()),
        };
        if name.is_empty() || name.contains('*') {
            return Err(flaw());
        }
        Ok(Self { name: name.to_ascii_lowercase(), port })
    }
}

impl fmt::Display for AdminHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(target: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(hyper::Request::builder().uri(target), |request, (name, value)| request.header(*name, *value));
        request.body(()).expect("a request").into_parts().0
    }

    fn guard(listen: &str, hosts: &[&str]) -> Guard {
        let hosts = hosts.iter().map(|host| host.parse().expect("a host")).collect();
        Guard::new(listen.parse().expect("an address"), hosts)
    }

    fn admits(guard: &Guard, host: &str) -> bool {
        guard.check(&parts("/_keyfit/", &[("host", host)])).is_ok()
    }

    #[test]
    fn hosts_of_this_machine_name_the_admin_and_no_other() {
        let local = guard("127.0.0.1:8080", &[]);
        for host in ["localhost:8080", "LOCALHOST:8080", "127.0.0.1:8080", "127.9.9.9:8080", "[::1]:8080"] {
            assert!(admits(&local, host), "{host}");
        }
        for host in [
            "localhost",
            "localhost:80",
            "localhost:8081",
            "localhost.evil.example:8080",
            "evil.example:8080",
            "127.0.0.1.evil.example:8080",
            "10.0.0.7:8080",
            "0.0.0.0:8080",
            "user@localhost:8080",
            "localhost:x",
            "localhost:8080/evil",
            "localhost:",
            "",
            "[::1]",
            "2130706433:8080",
        ] {
            assert!(!admits(&local, host), "{host}");
        }
        assert!(admits(&guard("127.0.0.1:80", &[]), "localhost"), "80 is the port of http");
    }

    #[test]
    fn a_mock_that_listens_elsewhere_is_named_by_its_addresses_and_by_names_that_are_allowed() {
        let one = guard("10.0.0.7:8080", &[]);
        assert!(admits(&one, "10.0.0.7:8080") && !admits(&one, "10.0.0.8:8080"));
        let any = guard("0.0.0.0:8080", &["Mock", "outside.example:9000"]);
        for host in ["10.0.0.8:8080", "[fe80::1]:8080", "0.0.0.0:8080", "mock:8080", "outside.example:9000"] {
            assert!(admits(&any, host), "{host}");
        }
        for host in ["mock:9000", "outside.example:8080", "outside.example", "evil.example:8080"] {
            assert!(!admits(&any, host), "{host}");
        }
    }

    #[test]
    fn the_host_of_the_target_goes_before_the_header_and_one_is_enough() {
        let guard = guard("127.0.0.1:8080", &[]);
        let check = |target: &str, headers: &[(&str, &str)]| guard.check(&parts(target, headers)).is_ok();
        assert!(check("http://localhost:8080/_keyfit/", &[("host", "localhost:8080")]));
        assert!(!check("http://evil.example:8080/_keyfit/", &[("host", "localhost:8080")]));
        assert!(!check("/_keyfit/", &[("host", "localhost:8080"), ("host", "evil.example")]));
        assert!(!check("/_keyfit/", &[]));
    }

    #[test]
    fn pages_of_other_origins_are_refused_and_told_what_to_do() {
        let guard = guard("127.0.0.1:8080", &[]);
        let check =
            |name: &str, value: &str| guard.check(&parts("/_keyfit/", &[("host", "localhost:8080"), (name, value)]));
        for (name, value) in [
            ("origin", "http://localhost:8080"),
            ("origin", "http://127.0.0.1:8080"),
            ("sec-fetch-site", "none"),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/json"),
            ("content-type", "Application/JSON; charset=utf-8"),
        ] {
            assert!(check(name, value).is_ok(), "{name}: {value}");
        }
        for (name, value) in [
            ("origin", "http://localhost:3000"),
            ("origin", "https://localhost:8080"),
            ("origin", "null"),
            ("origin", "http://evil.example"),
            ("origin", ""),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let error = check(name, value).expect_err(value);
            assert_eq!(error.status, 403);
            assert!(error.help.contains("call it from a program"), "{error}");
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""]
        {
            let error = check("content-type", kind).expect_err(kind);
            assert_eq!(error.status, 415);
            assert!(error.help.contains("application/json"), "{error}");
        }
        assert_eq!(check_body(&HeaderMap::new(), false).expect_err("a body without a type").status, 415);
        assert!(check_body(&HeaderMap::new(), true).is_ok());
    }

    #[test]
    fn what_is_no_host_is_refused_as_an_option() {
        for text in ["", "*", "*.example", "http://mock", "mock:x", "mock:", "user@mock", "mock/path", "mock:70000"] {
            assert!(text.parse::<AdminHost>().is_err(), "{text}");
        }
        for text in ["mock", "mock:9000", "10.0.0.7", "[fe80::1]:8080"] {
            assert_eq!(text.parse::<AdminHost>().expect(text).to_string(), text);
        }
    }
}

//! Host, base path and schemes as servers.

use serde_json::{Map, Value, json};

use super::{Converter, texts};

impl Converter<'_> {
    /// Writes the servers of the document.
    pub(super) fn servers(&mut self, converted: &mut Map<String, Value>) {
        let has = |key: &str| self.written.get(key).is_some();
        if !has("host") && !has("basePath") {
            // Keys of 3.0 in a document of 2.0 are read where nothing else is said.
            if has("servers") {
                self.repairs.note(
                    "mixed-versions",
                    "/servers",
                    "a key of OpenAPI 3.0 in a document of 2.0: read as there",
                );
            }
            return;
        }
        if has("servers") {
            let note = "a key of OpenAPI 3.0 beside `host` and `basePath`, which count in a document of 2.0";
            self.repairs.narrow("mixed-versions", "/servers", note);
        }
        self.moves.add("/servers", if has("host") { "/host" } else { "/basePath" });
        self.moves.add("/servers/0/url", if has("host") { "/host" } else { "/basePath" });
        let schemes = texts(self.written.get("schemes"));
        let servers = self.urls(&schemes).into_iter().map(|url| json!({ "url": url })).collect();
        converted.insert("servers".to_owned(), Value::Array(servers));
    }

    /// The servers of an operation that is not called by a scheme of the document's.
    pub(super) fn servers_of(&mut self, operation: &Value) -> Option<Value> {
        let own = texts(operation.get("schemes"));
        let document = self.urls(&texts(self.written.get("schemes")));
        let servers = self.urls(&own);
        let is_other = !own.is_empty() && !servers.iter().any(|url| document.first() == Some(url));
        is_other.then(|| servers.into_iter().map(|url| json!({ "url": url })).collect())
    }

    /// A URL for each scheme of HTTP, https first: credentials are sent there. Without a host the base path alone.
    fn urls(&mut self, schemes: &[String]) -> Vec<String> {
        let text = |key: &str| self.written.get(key).and_then(Value::as_str).unwrap_or_default().trim();
        let (host, path) = (text("host"), text("basePath").trim_matches('/'));
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        // Written as a URL by mistake.
        let (scheme, host) = host.split_once("://").map_or((None, host), |(scheme, host)| (Some(scheme), host));
        let host = host.trim_end_matches('/');
        if host.is_empty() {
            return vec![if path.is_empty() { "/".to_owned() } else { path }];
        }
        let mut schemes: Vec<&str> = schemes.iter().map(String::as_str).collect();
        if schemes.is_empty() {
            schemes.push(scheme.unwrap_or("https"));
        }
        let http =
            ["https", "http"].into_iter().filter(|known| schemes.iter().any(|own| own.eq_ignore_ascii_case(known)));
        let mut urls: Vec<String> = http.map(|scheme| format!("{scheme}://{host}{path}")).collect();
        if urls.is_empty() {
            // Refused with its place, as in 3.0.
            urls.push(format!("{}://{host}{path}", schemes[0]));
        }
        urls
    }
}

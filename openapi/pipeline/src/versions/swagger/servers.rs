//! The conversion of host, base path and schemes to servers.

use serde_json::{Map, Value, json};

use super::{Converter, texts};

impl Converter<'_> {
    /// Adds the servers of the document.
    pub(super) fn servers(&mut self, converted: &mut Map<String, Value>) {
        let has = |key: &str| self.written.get(key).is_some();
        if !has("host") && !has("basePath") {
            // The key of 3.0 is read if the document has no keys of 2.0 for servers.
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

    /// Returns the servers of an operation whose schemes do not include the document's first.
    pub(super) fn servers_of(&mut self, operation: &Value) -> Option<Value> {
        let own = texts(operation.get("schemes"));
        let document = self.urls(&texts(self.written.get("schemes")));
        let servers = self.urls(&own);
        let is_other = !own.is_empty() && !servers.iter().any(|url| document.first() == Some(url));
        is_other.then(|| servers.into_iter().map(|url| json!({ "url": url })).collect())
    }

    /// Returns a URL for each HTTP scheme, https first, because credentials are sent there. Without a host, returns the base
    /// path alone.
    fn urls(&mut self, schemes: &[String]) -> Vec<String> {
        let text = |key: &str| self.written.get(key).and_then(Value::as_str).unwrap_or_default().trim();
        let (host, path) = (text("host"), text("basePath").trim_matches('/'));
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        // A host that was written as a URL by mistake.
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
            // A later step refuses it with its place, as in 3.0.
            urls.push(format!("{}://{host}{path}", schemes[0]));
        }
        urls
    }
}

//! Metrics by the conventions of OpenTelemetry for HTTP clients.

use std::fmt;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};

use super::observer::{Attempt, Next, Observer};

/// The limits of the buckets of durations, in seconds, as the conventions advise.
const BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Counts and times the attempts of calls with a meter of OpenTelemetry, for [`Config::observer`](crate::Config::observer).
///
/// | instrument | kind, unit | of what |
/// |---|---|---|
/// | `http.client.request.duration` | histogram, `s` | each attempt, from sending to the last byte of the answer |
/// | `keyfit.client.resends` | counter, `{request}` | attempts that follow another one: with another token, or after a wait |
/// | `keyfit.client.wait.duration` | histogram, `s` | each wait before another attempt |
///
/// Attributes: `http.request.method`, `url.template`, `server.address`, `server.port`, and where they are known `http.response.status_code`
/// and `error.type`, which is the name of the [`ErrorKind`](crate::ErrorKind). No attribute has a value of a call: none grows with
/// the calls, and none shows an argument.
pub struct OpenTelemetry {
    durations: Histogram<f64>,
    resends: Counter<u64>,
    waits: Histogram<f64>,
}

impl OpenTelemetry {
    /// Makes the instruments.
    pub fn new(meter: &Meter) -> Self {
        let seconds = |name, description| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(description);
            histogram.with_boundaries(BUCKETS.to_vec()).build()
        };
        let resends = meter.u64_counter("keyfit.client.resends").with_unit("{request}");
        Self {
            durations: seconds("http.client.request.duration", "Duration of HTTP client requests."),
            resends: resends.with_description("Requests of calls that had been sent before.").build(),
            waits: seconds("keyfit.client.wait.duration", "Waits before another attempt of a call."),
        }
    }
}

impl Observer for OpenTelemetry {
    fn attempt(&self, attempt: &Attempt<'_>) {
        let mut attributes = vec![
            KeyValue::new("http.request.method", attempt.operation.method),
            KeyValue::new("url.template", attempt.operation.path),
            KeyValue::new("server.address", attempt.host.to_owned()),
        ];
        attributes.extend(attempt.port.map(|port| KeyValue::new("server.port", i64::from(port))));
        if let Next::Wait(wait) = attempt.next {
            self.waits.record(wait.as_secs_f64(), &attributes);
        }
        if attempt.number > 1 {
            self.resends.add(1, &attributes);
        }
        let status = attempt.status.map(|status| i64::from(status.as_u16()));
        attributes.extend(status.map(|status| KeyValue::new("http.response.status_code", status)));
        attributes.extend(attempt.error.map(|kind| KeyValue::new("error.type", kind.as_str())));
        self.durations.record(attempt.took.as_secs_f64(), &attributes);
    }
}

impl fmt::Debug for OpenTelemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenTelemetry")
    }
}

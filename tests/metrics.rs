//! What a meter of OpenTelemetry is told of calls, read by an exporter of its SDK.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyfit::metrics::OpenTelemetry;
use keyfit::observer::{Attempt, Observer};
use keyfit::scopien::{Client, Key};
use keyfit::testing::TestClock;
use keyfit::{Config, ErrorKind};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData, ResourceMetrics, ScopeMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};

/// A token for tests; it opens nothing.
const TOKEN: &str = "fixture-token-0001"; // not-a-secret

/// A count of values and the attributes that they have in common, as `name=value`.
type Point = (u64, Vec<String>);

struct Collected {
    provider: SdkMeterProvider,
    exported: Exported,
}

/// The points of the last export, by instrument.
#[derive(Clone, Default)]
struct Exported(Arc<Mutex<BTreeMap<String, Vec<Point>>>>);

impl PushMetricExporter for Exported {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        *self.0.lock().expect("no panic") = metrics
            .scope_metrics()
            .flat_map(ScopeMetrics::metrics)
            .map(|metric| (metric.name().to_owned(), points(metric)))
            .collect();
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

impl Collected {
    fn new() -> Self {
        let exported = Exported::default();
        let reader = PeriodicReader::builder(exported.clone()).build();
        Self { provider: SdkMeterProvider::builder().with_reader(reader).build(), exported }
    }

    fn observer(&self) -> OpenTelemetry {
        OpenTelemetry::new(&self.provider.meter("test"))
    }

    /// The points of an instrument.
    fn points(&self, name: &str) -> Vec<Point> {
        self.provider.force_flush().expect("an export");
        self.exported.0.lock().expect("no panic").remove(name).unwrap_or_default()
    }
}

fn points(metric: &Metric) -> Vec<Point> {
    let mut points: Vec<Point> = match metric.data() {
        AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
            assert_eq!(metric.unit(), "s");
            histogram.data_points().map(|point| (point.count(), texts(point.attributes()))).collect()
        }
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            sum.data_points().map(|point| (point.value(), texts(point.attributes()))).collect()
        }
        other => panic!("{} is {other:?}", metric.name()),
    };
    points.sort();
    points
}

fn texts<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> Vec<String> {
    let mut texts: Vec<String> = attributes.map(|attribute| format!("{}={}", attribute.key, attribute.value)).collect();
    texts.sort();
    texts
}

#[derive(Debug, Default)]
struct Counted(AtomicU32);

impl Observer for &'static Counted {
    fn attempt(&self, _: &Attempt<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn attempts_resends_and_waits_are_recorded_with_the_attributes_of_the_conventions() {
    static COUNTED: Counted = Counted(AtomicU32::new(0));
    let server = httpmock::MockServer::start_async().await;
    let refused = server.mock_async(|when, then| drop((when.path("/api/accounts"), then.status(503)))).await;
    let collected = Collected::new();
    let config = Config::default().base_url(format!("{}/api", server.base_url())).clock(TestClock::default());
    let config = config.observer((collected.observer(), &COUNTED));
    let client = Client::with_config(Key::new(TOKEN).expect("a key"), config).expect("a client");

    let error = client.accounts_list().send().await.expect_err("nobody is answered");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Server, 4));
    refused.delete_async().await;
    server.mock_async(|when, then| drop((when.path("/api/accounts"), then.status(200).body("[]")))).await;
    client.accounts_list().send().await.expect("a list");

    let common = [
        "http.request.method=GET".to_owned(),
        "server.address=127.0.0.1".to_owned(),
        format!("server.port={}", server.port()),
        "url.template=/accounts".to_owned(),
    ];
    let with = |more: &[&str]| {
        let mut all: Vec<String> = more.iter().map(ToString::to_string).chain(common.clone()).collect();
        all.sort();
        all
    };
    let failed = with(&["error.type=server", "http.response.status_code=503"]);
    let answered = with(&["http.response.status_code=200"]);
    assert_eq!(collected.points("http.client.request.duration"), [(1, answered), (4, failed)]);
    assert_eq!(collected.points("keyfit.client.resends"), [(3, with(&[]))]);
    assert_eq!(collected.points("keyfit.client.wait.duration"), [(3, with(&[]))]);
    assert_eq!(COUNTED.0.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_has_no_status() {
    let collected = Collected::new();
    let config = Config::default().base_url("http://127.0.0.1:9").retry(keyfit::RetryPolicy::never());
    let config = config.observer(collected.observer());
    let client = Client::with_config(Key::new(TOKEN).expect("a key"), config).expect("a client");
    client.auth_test().send().await.expect_err("nobody listens");
    let points = collected.points("http.client.request.duration");
    let [(1, attributes)] = &points[..] else { panic!("{points:?}") };
    assert!(attributes.contains(&"error.type=connect".to_owned()), "{attributes:?}");
    assert!(!attributes.iter().any(|attribute| attribute.starts_with("http.response")), "{attributes:?}");
}

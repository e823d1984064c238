//! Stores as they are run for many: behind TLS, and in a cluster.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyfit::budget::ValkeyBudget;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::cluster::{Cluster, listens, port};
use super::processes::{end, start};
use super::server::Limited;
use super::store::{begin, program};
use super::{call, client};

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_behind_tls_is_believed_by_its_certificate_alone() {
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
    let certificate = names.signed_by(&key, &authority).expect("a certificate");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let authority = file("authority.pem", pem("CERTIFICATE", authority.der()));
    let certificate = file("store.pem", pem("CERTIFICATE", certificate.der()));
    let key = file("store.key", pem("PRIVATE KEY", &key.serialize_der()));
    let at = port();
    let tls =
        ["--port", "0", "--tls-port", &at.to_string(), "--tls-auth-clients", "no", "--tls-ca-cert-file", &authority];
    let own = ["--tls-cert-file", certificate.as_str(), "--tls-key-file", key.as_str()];
    let _store = begin(program, folder.path(), tls.into_iter().chain(own));
    listens(at).await;

    let url = format!("rediss://127.0.0.1:{at}");
    let error = ValkeyBudget::connect(&url, "account").await.expect_err("nobody knows the authority");
    assert!(error.to_string().contains("certificate"), "{error}");
    let server = Limited::start(100, 2).await;
    let knowing = start(&server, &url, Duration::from_secs(3), &[("SSL_CERT_FILE", authority.as_str())]);
    assert!(end(knowing).await > 0);
    assert_eq!(server.refused(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_budgets_on_whichever_node_they_belong() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let urls = cluster.urls();
    // Three accounts are on several nodes.
    let server = Limited::start(100, 2).await;
    for namespace in ["first", "second", "third"] {
        let urls = urls.iter().map(String::as_str);
        let budget = ValkeyBudget::connect_cluster(urls, namespace).await.expect("a cluster");
        assert!(call(client(&server.url, budget), 4, Duration::from_secs(1)).await > 0);
    }
    assert_eq!(server.refused(), 0, "{:?}", server.windows());
}

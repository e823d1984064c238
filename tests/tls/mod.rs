//! A TLS server that asks for client certificates, and the authority that issues them.

mod certificates;

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

pub(crate) use self::certificates::{Authority, Issued};

/// What a server saw of a request: the client certificate in DER, and the text.
pub(crate) type Seen = Arc<Mutex<Vec<(Option<Vec<u8>>, String)>>>;

/// An answer to whoever has a certificate or none, and says this.
pub(crate) type Answer = fn(bool, &str) -> &'static str;

/// A server on a loopback port, which asks for a certificate of the authority, and closes the connection where none is shown
/// though it is demanded. Its answers are whole.
pub(crate) async fn server(authority: &Authority, is_demanded: bool, answer: Answer) -> (String, Seen) {
    let acceptor = TlsAcceptor::from(Arc::new(config(authority, is_demanded)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let seen = Seen::default();
    let seeing = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            // A client that shows no certificate, or another one, ends here.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let certificate = stream.get_ref().1.peer_certificates().map(|chain| chain[0].to_vec());
            let mut text = vec![0; 4096];
            let length = stream.read(&mut text).await.unwrap_or_default();
            let text = String::from_utf8_lossy(&text[..length]).into_owned();
            let answer = answer(certificate.is_some(), &text);
            seeing.lock().expect("no panic").push((certificate, text));
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (url, seen)
}

fn config(authority: &Authority, is_demanded: bool) -> ServerConfig {
    let issued = authority.issue("server", &["127.0.0.1"]);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.der())).expect("a root");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = if is_demanded { verifier } else { verifier.allow_unauthenticated() }.build().expect("a verifier");
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![issued.certificate.into()], PrivatePkcs8KeyDer::from(issued.key).into())
        .expect("a certificate")
}

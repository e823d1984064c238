//! Answers that are packed: what is unpacked counts.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use httpmock::MockServer;
use keyfit::scopien::{Client, Key};
use keyfit::{Config, ErrorKind};

const MIB: usize = 1 << 20;

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

async fn answered(text: &[u8]) -> Result<usize, keyfit::Error> {
    let server = MockServer::start_async().await;
    let body = packed(text);
    let asked = server
        .mock_async(|when, then| {
            when.header_exists("accept-encoding");
            then.status(200).header("content-type", "application/json").header("content-encoding", "gzip").body(&body);
        })
        .await;
    let config = Config::default().base_url(server.base_url()).response_limit(MIB);
    let client = Client::with_config(Key::new("fixture-token-0001")?, config)?;
    let answer = client.accounts_list().send().await;
    asked.assert_async().await;
    answer.map(|list| list.len())
}

#[tokio::test]
async fn it_is_unpacked() {
    assert_eq!(answered(b"[]").await.expect("a list"), 0);
}

#[tokio::test]
async fn a_small_answer_that_unpacks_to_more_than_the_limit_is_cut() {
    let bomb = vec![b' '; 64 * MIB];
    let error = answered(&bomb).await.expect_err("it is longer");
    assert_eq!((error.kind(), error.body().len()), (ErrorKind::Cut, MIB));
}

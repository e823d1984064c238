//! A crate outside the workspace that uses the packaged keyfit.

use keyfit::scopien::Key;

fn main() {
    let key = Key::new("a-key-for-this-test").expect("the key is well-formed");
    let config = keyfit::Config::default().base_url("http://127.0.0.1:9");
    let client = keyfit::scopien::Client::with_config(key, config).expect("loopback needs no TLS");
    // Building a call sends nothing.
    let _call = client.auth_test();
    println!("scopien: {} operations", keyfit::scopien::API.operations.len());
    #[cfg(feature = "all")]
    println!(
        "instasent: {} operations",
        keyfit::instasent::legacy::API.operations.len()
            + keyfit::instasent::transactional::API.operations.len()
            + keyfit::instasent::product::API.operations.len()
            + keyfit::instasent::ingest::API.operations.len()
    );
}

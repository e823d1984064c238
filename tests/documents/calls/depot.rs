//! The crates of a depot.

use documents::depot::{API, Client, base_urls};

#[tokio::main]
async fn main() -> Result<(), keyfit::Error> {
    assert_eq!(API.base_urls, [base_urls::PRODUCTION, base_urls::PRODUCTION_REGION_US, base_urls::SANDBOX]);
    let client = Client::from_env()?;
    let mut items = client.list_crates().depot_id("7").items();
    let mut count = 0;
    while let Some(item) = items.next().await {
        item?;
        count += 1;
    }
    println!("{count} crates");
    Ok(())
}

//! The members of a list.

use documents::hubspot_lists::Client;

#[tokio::main]
async fn main() -> Result<(), keyfit::Error> {
    let client = Client::from_env()?;
    let mut items = client.list_memberships().list_id("1").items();
    let mut count = 0;
    while let Some(item) = items.next().await {
        item?;
        count += 1;
    }
    println!("{count} members");
    Ok(())
}

//! The members of a list.

use documents::hubspot_lists::Client;

#[tokio::main]
async fn main() -> Result<(), keyfit::Error> {
    let client = Client::from_env()?;
    let mut items = client.list_memberships().list_id("text").items();
    let first = items.next().await.transpose()?;
    println!("{} of the members", usize::from(first.is_some()));
    Ok(())
}

//! The guilds of a user.

use documents::discord::Client;

#[tokio::main]
async fn main() -> Result<(), keyfit::Error> {
    let client = Client::from_env()?;
    let mut items = client.list_my_guilds().items();
    let first = items.next().await.transpose()?;
    println!("{} of the guilds", usize::from(first.is_some()));
    Ok(())
}

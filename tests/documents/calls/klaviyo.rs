//! The lists of an account.

use documents::klaviyo::Client;

#[tokio::main]
async fn main() -> Result<(), keyfit::Error> {
    let client = Client::from_env()?;
    let mut items = client.get_lists().revision("2026-01-15").items();
    let first = items.next().await.transpose()?;
    println!("{} of the lists", usize::from(first.is_some()));
    Ok(())
}

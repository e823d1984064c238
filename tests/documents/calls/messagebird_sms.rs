//! The messages of an account.

use documents::messagebird_sms::Client;

#[tokio::main]
async fn main() -> Result<(), keyfit::Error> {
    let client = Client::from_env()?;
    let mut items = client.get_messages().items();
    let first = items.next().await.transpose()?;
    println!("{} of the messages", usize::from(first.is_some()));
    Ok(())
}

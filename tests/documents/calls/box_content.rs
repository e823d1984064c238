//! What is in a folder.

use documents::box_content::Client;

#[tokio::main]
async fn main() -> Result<(), keyfit::Error> {
    let client = Client::from_env()?;
    let mut items = client.get_folders_id_items().folder_id("12345").usemarker(true).items();
    let first = items.next().await.transpose()?;
    println!("{} of the entries", usize::from(first.is_some()));
    Ok(())
}

//! What is in a folder.

use documents::box_content::Client;

#[tokio::main]
async fn main() -> Result<(), keyfit::Error> {
    let client = Client::from_env()?;
    let mut items = client.get_folders_id_items().folder_id("1").usemarker(true).items();
    let mut count = 0;
    while let Some(item) = items.next().await {
        item?;
        count += 1;
    }
    println!("{count} entries");
    Ok(())
}

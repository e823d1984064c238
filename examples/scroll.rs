//! Reads the whole audience of a project, page by page, and can be gone on with where it stopped:
//!
//! ```sh
//! export INSTASENT_PRODUCT_TOKEN=... INSTASENT_PRODUCT_BASE_URL=http://127.0.0.1:8080
//! cargo run --example scroll -- proj_xxx [the line that a failed run ended with]
//! ```

use std::env;
use std::error::Error;

use keyfit::instasent::product::{Client, types::AudienceScrollFilter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let project = arguments.next().ok_or("usage: scroll <project> [cursor]")?;
    let client = Client::from_env()?;

    let filter = AudienceScrollFilter::builder().limit(100);
    let mut contacts = client.audience_scroll().project(project).body(filter).items();
    if let Some(cursor) = arguments.next() {
        contacts = contacts.resume(serde_json::from_str(&cursor)?)?;
    }
    while let Some(contact) = contacts.next().await {
        match contact {
            Ok(contact) => println!("{}", contact.id),
            Err(error) => {
                eprintln!("{error}; go on with:\n{}", serde_json::to_string(&contacts.cursor())?);
                return Err(error.into());
            }
        }
    }
    eprintln!("{:?} contacts, as the server counts them", contacts.total());
    Ok(())
}

//! Writes a thousand contacts to a data source, as a dry run: the server checks them and stores none.
//!
//! ```sh
//! INSTASENT_DATASOURCE_TOKEN=... INSTASENT_INGEST_BASE_URL=http://127.0.0.1:8080 cargo run --example ingest
//! ```

use keyfit::batch_writer::Outcome;
use keyfit::instasent::ingest::{Client, types::Contact};
use keyfit::instasent::ingest_writer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env()?;
    let call = client.stream_contacts_push().project("proj_xxx").datasource("ds_xxx").dry_run(true);
    let writer = ingest_writer::contacts(call).start(|delivery| match delivery.outcome() {
        Outcome::Accepted => {}
        Outcome::Rejected(reasons) => println!("{}: rejected, {reasons:?}", delivery.sequence()),
        Outcome::Unknown(why) => println!("{}: {why}", delivery.sequence()),
    })?;
    for number in 0..1000 {
        let contact = Contact::builder().user_id(format!("user-{number}")).first_name("Ada");
        writer.write(&contact.try_into()?).await?;
    }
    println!("{}", writer.close().await?);
    Ok(())
}

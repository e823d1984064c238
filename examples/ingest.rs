//! Writes a thousand contacts to a data source, as a dry run: the server checks them and stores none.
//!
//! ```sh
//! INSTASENT_DATASOURCE_TOKEN=... KEYFIT_BASE_URL=http://127.0.0.1:8080 cargo run --example ingest
//! ```

use keyfit::Config;
use keyfit::auth::DatasourceToken;
use keyfit::ingest_writer::{Outcome, Writer};
use keyfit::instasent::ingest::{BASE_URL, Client, types::Contact};

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "a program reads its settings from the environment")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base_url = std::env::var("KEYFIT_BASE_URL").unwrap_or_else(|_| BASE_URL.to_owned());
    let client = Client::with_config(DatasourceToken::from_env()?, Config::default().base_url(base_url))?;
    let writer = Writer::<Contact>::builder("proj_xxx", "ds_xxx").dry_run(true).start(&client, |delivery| {
        match delivery.outcome() {
            Outcome::Accepted => {}
            Outcome::Rejected(reasons) => println!("{}: rejected, {reasons:?}", delivery.sequence()),
            Outcome::Unknown(why) => println!("{}: {why}", delivery.sequence()),
        }
    })?;
    for number in 0..1000 {
        let contact = Contact::builder().user_id(format!("user-{number}")).first_name("Ada");
        writer.write(&contact.try_into()?).await?;
    }
    println!("{}", writer.close().await?);
    Ok(())
}

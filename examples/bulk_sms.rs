//! Sends messages in bulk, and says what became of each of them.
//!
//! ```sh
//! INSTASENT_SMS_TOKEN=... KEYFIT_BASE_URL=http://127.0.0.1:8080 cargo run --example bulk_sms
//! ```

use keyfit::Config;
use keyfit::instasent::sms::{self, Decimal, Draft, ItemOutcome};
use keyfit::instasent::transactional::{API, ApiSmsToken, Client, types::SmsItem};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "a program reads its settings from the environment")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base_url = std::env::var("KEYFIT_BASE_URL").unwrap_or_else(|_| API.base_url().to_owned());
    let client = Client::with_config(ApiSmsToken::from_env()?, Config::default().base_url(base_url))?;

    let mut drafts: Vec<_> = (0..150)
        .map(|order| {
            Draft::new("Keyfit", format!("+346000{order:05}"), "Thank you").client_id(format!("order-{order}"))
        })
        .collect();
    drafts.push(Draft::new("Keyfit", "600000000", "Without the prefix of a country"));
    let plan = sms::plan(&drafts);
    println!("{} parts, at 5.5 cents each {:?}", plan.parts(), plan.cost(Decimal::new(55, 3)));

    let sent = plan.send(|items: Vec<SmsItem>| client.sms_bulk_create().body(items).send()).await;
    for error in sent.errors() {
        eprintln!("{error}");
    }
    for item in sent.items() {
        match &item.outcome {
            ItemOutcome::Accepted { .. } => {}
            outcome => println!("message {}: {outcome:?}", item.index),
        }
    }
    println!("{} of {} accepted", sent.accepted().count(), drafts.len());
    Ok(())
}

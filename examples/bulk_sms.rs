//! Sends messages in bulk, and says what became of each of them.
//!
//! ```sh
//! INSTASENT_SMS_TOKEN=... INSTASENT_TRANSACTIONAL_BASE_URL=http://127.0.0.1:8080 cargo run --example bulk_sms
//! ```

use keyfit::instasent::sms::{self, Decimal, Draft, ItemOutcome};
use keyfit::instasent::transactional::{Client, types::SmsItem};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env()?;

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

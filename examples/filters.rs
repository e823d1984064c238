//! Looks for contacts by a filter, and for campaigns that were sent.
//!
//! ```sh
//! INSTASENT_PRODUCT_TOKEN=... INSTASENT_PRODUCT_BASE_URL=http://127.0.0.1:8080 cargo run --example filters -- proj_xxx
//! ```

use keyfit::instasent::filter::{
    AudienceNode, Bound, Limit, ListFilter, Predicate, RelativeDates, Search, Sort, attribute,
};
use keyfit::instasent::product::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let project = std::env::args().nth(1).ok_or("usage: filters <project>")?;
    let client = Client::from_env()?;

    let newcomers = AudienceNode::all([
        attribute("_country_code", Predicate::contains(["ES", "PT"])?)?,
        attribute("_date_registered", Predicate::relative(&RelativeDates::from(Bound::days(-30))))?,
    ])?;
    let search = Search::new(newcomers).limit(Limit::new(20)?).sort(Sort::descending("_date_updated")?);
    let found = client.audience_search().project(project.as_str()).body(search).send().await?;
    println!("{}", serde_json::to_string_pretty(&*found)?);

    let sent = ListFilter::new().eq("status", "sent")?.page(0, Limit::MAX);
    let campaigns = client.campaign_list().project(project.as_str()).q(sent).send().await?;
    println!("{} calls are left in this window", campaigns.rate_limit().and_then(|limit| limit.remaining).unwrap_or(0));
    Ok(())
}

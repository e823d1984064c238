use keyfit::auth::SmsToken;
use keyfit::instasent::ingest::Client;

fn main() {
    let token = SmsToken::from_env().unwrap();
    let _client = Client::new(token);
}

use keyfit::auth::LegacyToken;
use keyfit::instasent::transactional::Client;

fn main() {
    let token = LegacyToken::from_env().unwrap();
    let _client = Client::new(token);
}

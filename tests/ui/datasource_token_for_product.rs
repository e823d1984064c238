use keyfit::auth::DatasourceToken;
use keyfit::instasent::product::Client;

fn main() {
    let token = DatasourceToken::from_env().unwrap();
    let _client = Client::new(token);
}

use keyfit::scopien::Client;

fn main() {
    let _client = Client::new("a-key");
}

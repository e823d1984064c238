//! Generates the client at each build, and one of the same operations that knows of no key.

fn main() {
    keyfit_openapi::build::client("api/parcels").emit();
    keyfit_openapi::build::client("api/keyless").emit();
}

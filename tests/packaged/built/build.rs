//! Generates the client at each build, one of the same operations that sends no key, and one that sends it elsewhere.

fn main() {
    for api in ["api/parcels", "api/keyless", "api/misplaced"] {
        keyfit_openapi::build::client(api).emit();
    }
}

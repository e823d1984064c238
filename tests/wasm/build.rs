//! Generates the clients, on the machine that builds.

fn main() {
    for (api, name) in [("../../conformance/apis/guide", "guide"), ("../streams", "streams")] {
        keyfit_openapi::build::client(api).name(name).emit();
    }
}

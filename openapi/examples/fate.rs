//! Prints the fate of documents.
fn main() {
    for path in std::env::args().skip(1) {
        let name = std::path::Path::new(&path).file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let source = keyfit_openapi::Source {
            name: name.clone(),
            document: keyfit_openapi::Text::new(name.clone(), text),
            overlay: None,
            contract: None,
        };
        let start = std::time::Instant::now();
        match keyfit_openapi::generate(&source, "crate::api::x") {
            Ok(c) => {
                println!("{name}: ok {:?}", start.elapsed());
                if std::env::var("CODE").is_ok() {
                    println!("{}", c.code);
                }
                for u in &c.unsupported {
                    println!("   set aside {}: {}", u.operation, u.reason);
                }
            }
            Err(f) => println!("{name}: refused {} {}: {} {:?}", f.place, f.place.pointer, f.problem, start.elapsed()),
        }
    }
}

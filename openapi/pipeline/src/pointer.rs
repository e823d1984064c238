//! JSON pointers (RFC 6901).

/// The pointer of a member.
pub(crate) fn join(parent: &str, key: &str) -> String {
    let mut pointer = String::with_capacity(parent.len() + 1 + key.len());
    pointer.push_str(parent);
    pointer.push('/');
    // Most keys hold neither, and a document has tens of thousands of them.
    if key.contains(['~', '/']) {
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
    } else {
        pointer.push_str(key);
    }
    pointer
}

/// The last member's name, unescaped.
pub(crate) fn name(pointer: &str) -> String {
    unescaped(pointer.rsplit('/').next().unwrap_or_default())
}

/// The names of the members on the way, unescaped.
pub(crate) fn names(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(unescaped)
}

fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// The pointer of a local `$ref`, `None` where it leads to another file.
pub(crate) fn of_reference(reference: &str) -> Option<&str> {
    reference.strip_prefix('#')
}

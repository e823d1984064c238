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
    let last = pointer.rsplit('/').next().unwrap_or_default();
    last.replace("~1", "/").replace("~0", "~")
}

/// The pointer of a local `$ref`, `None` where it leads to another file.
pub(crate) fn of_reference(reference: &str) -> Option<&str> {
    reference.strip_prefix('#')
}

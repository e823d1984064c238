//! JSON pointers (RFC 6901).

/// Returns the pointer of a member.
pub(crate) fn join(parent: &str, key: &str) -> String {
    let mut pointer = String::with_capacity(parent.len() + 1 + key.len());
    pointer.push_str(parent);
    pointer.push('/');
    // Most keys need no escape, and a document has tens of thousands of keys.
    if key.contains(['~', '/']) {
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
    } else {
        pointer.push_str(key);
    }
    pointer
}

/// Returns the unescaped name of the last member.
pub(crate) fn name(pointer: &str) -> String {
    unescaped(pointer.rsplit('/').next().unwrap_or_default())
}

/// Returns the unescaped names of all members of the pointer.
pub(crate) fn names(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(unescaped)
}

fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// Returns the pointer of a local `$ref`; `None` if it refers to another file.
pub(crate) fn of_reference(reference: &str) -> Option<&str> {
    reference.strip_prefix('#')
}

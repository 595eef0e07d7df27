//! An event without the white space between its tokens.

/// Copies an event without the white space between its tokens. Where white space parted two bare words a blank is left, so that
/// they do not become one.
pub(in super::super) fn strip(event: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let is_bare = |byte: u8| !matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"');
    let (mut in_string, mut escaped, mut parted) = (false, false, false);
    for &byte in event {
        if in_string {
            into.push(byte);
            if escaped {
                escaped = false;
            } else if byte == b'\\' {
                escaped = true;
            } else if byte == b'"' {
                in_string = false;
            }
            continue;
        }
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            parted = true;
            continue;
        }
        if parted && is_bare(byte) && into.last().is_some_and(|last| is_bare(*last)) {
            into.push(b' ');
        }
        parted = false;
        in_string = byte == b'"';
        into.push(byte);
    }
}

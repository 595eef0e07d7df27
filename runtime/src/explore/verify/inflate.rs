//! One gzip stream, and what stands behind it.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;

use crate::explore::unpack::{GZIP, LARGEST};

/// Why something is not one whole gzip stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is none, is broken or holds too much.
    Broken,
    /// It ends too early.
    CutOff,
    /// Something stands behind it, another stream for example.
    Trailing,
}

/// Hands over the text of one gzip stream, piece by piece.
///
/// # Errors
///
/// [`Fault`], after what could be read was handed over.
pub(super) fn inflate(packed: &[u8], mut take: impl FnMut(&[u8])) -> Result<(), Fault> {
    // The decoder would wait for more of a head that is none.
    if packed.iter().zip(GZIP).any(|(byte, wanted)| *byte != wanted) {
        return Err(Fault::Broken);
    }
    let mut decoder = GzDecoder::new(packed);
    let mut room = [0; 64 * 1024];
    let mut bytes = 0;
    loop {
        match decoder.read(&mut room) {
            Ok(0) => break,
            Ok(count) => {
                bytes += count;
                if bytes > LARGEST {
                    return Err(Fault::Broken);
                }
                take(room.get(..count).unwrap_or_default());
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(Fault::CutOff),
            Err(_) => return Err(Fault::Broken),
        }
    }
    if decoder.get_ref().is_empty() { Ok(()) } else { Err(Fault::Trailing) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::verify::tests::gzip;

    #[test]
    fn one_stream_and_nothing_behind_it() {
        let whole = gzip(b"text");
        let cases = [
            (whole.clone(), Ok("text")),
            ([whole.as_slice(), b"x"].concat(), Err(Fault::Trailing)),
            ([whole.clone(), gzip(b"more")].concat(), Err(Fault::Trailing)),
            (whole[..whole.len() - 1].to_vec(), Err(Fault::CutOff)),
            (b"{\"Records\":[]}".to_vec(), Err(Fault::Broken)),
            (b"{}".to_vec(), Err(Fault::Broken)),
            (b"\x1f".to_vec(), Err(Fault::CutOff)),
            (Vec::new(), Err(Fault::CutOff)),
        ];
        for (packed, expected) in cases {
            let mut text = Vec::new();
            let told = inflate(&packed, |piece| text.extend_from_slice(piece));
            assert_eq!(told.map(|()| String::from_utf8(text).unwrap()), expected.map(str::to_owned));
        }
    }
}

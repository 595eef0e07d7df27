//! One file, read whole and unpacked, within bounds.

use std::io::{self, Read as _};

use flate2::read::MultiGzDecoder;
use libdeflater::Decompressor;
use memchr::memmem;

use super::log_file::LogFile;

/// The two bytes that gzip begins with.
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The most that one file may hold. CloudTrail's own are some megabytes; more is a mistake, or a bomb.
pub(super) const LARGEST: usize = 1 << 30;

/// What many files may hold at once.
const SMALL: usize = 64 << 20;

/// What `trailwire verify` says of such a file.
const TRAILED: &str = "unexpected data after end of compressed stream: nothing of it is read";

/// The text of a file, unpacked if it is gzip, whatever its name, into `text`. Several gzip members one behind the other are one text. Of what is larger than
/// [`SMALL`] there is one at a time: `come` waits for its turn, and says whether it is still wanted.
///
/// # Errors
///
/// Why it can not be read, in words: it is not there, it is cut off or broken, or it holds more than [`LARGEST`] bytes.
pub(super) fn read(file: &LogFile, text: &mut Vec<u8>, come: &dyn Fn() -> bool) -> Result<(), String> {
    let small = bounded(file, text, SMALL);
    if text.len() <= SMALL {
        return small;
    }
    *text = Vec::new();
    if come() { bounded(file, text, LARGEST) } else { Ok(()) }
}

/// Gives back the memory of a large text.
pub(super) fn release(text: &mut Vec<u8>) {
    if text.capacity() > SMALL {
        *text = Vec::new();
    }
}

fn bounded(file: &LogFile, text: &mut Vec<u8>, largest: usize) -> Result<(), String> {
    let words = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => "the gzip is cut off".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => format!("the gzip is broken: {error}"),
        _ => error.to_string(),
    };
    let most = u64::try_from(largest).unwrap_or(u64::MAX).saturating_add(1);
    let mut packed = Vec::new();
    if let Err(error) = file.read(most, &mut packed) {
        text.clear();
        return Err(words(error));
    }
    if packed.is_empty() && file.to_string().ends_with(".gz") {
        text.clear();
        return Err(words(io::ErrorKind::UnexpectedEof.into()));
    }
    if packed.starts_with(&GZIP) && !at_once(&packed, text, largest) {
        text.clear();
        let unpacked = MultiGzDecoder::new(packed.as_slice()).take(most).read_to_end(text);
        unpacked.map_err(|error| if is_trailed(&packed, most) { TRAILED.to_owned() } else { words(error) })?;
    } else if !packed.starts_with(&GZIP) {
        std::mem::swap(text, &mut packed);
    }
    if text.len() > largest {
        return Err(format!("it holds more than {} MiB: nothing of it is read", largest >> 20));
    }
    Ok(())
}

/// Whether something stands behind the first member of a gzip that is no other one.
fn is_trailed(packed: &[u8], most: u64) -> bool {
    let mut first = flate2::bufread::GzDecoder::new(packed);
    let is_whole = io::copy(&mut (&mut first).take(most), &mut io::sink()).is_ok();
    let behind = first.into_inner();
    is_whole && !behind.is_empty() && !behind.starts_with(&GZIP)
}

/// Unpacks gzip of one member, as log files are, in half the time that the other way takes; `false` where it is none, or where it is not sure that nothing stands behind
/// that member: what is at the end of the file is the member's own sum and length. Only who writes these two behind it once more, on purpose, is not told here:
/// `trailwire verify` tells of it.
fn at_once(packed: &[u8], text: &mut Vec<u8>, largest: usize) -> bool {
    // The sum and the length that gzip has at its end (RFC 1952) are anybody's word; no byte stands for more than 1,032.
    let Some(&[s0, s1, s2, s3, l0, l1, l2, l3]) = packed.last_chunk() else { return false };
    let (sum, length) = (u32::from_le_bytes([s0, s1, s2, s3]), usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok());
    let Some(length) = length.filter(|length| *length <= largest && length / 1032 <= packed.len()) else { return false };
    // Another member would begin with gzip's two bytes and its one method.
    if packed.get(2..).is_some_and(|behind| memmem::find(behind, &[GZIP[0], GZIP[1], 8]).is_some()) {
        return false;
    }
    text.resize(length, 0);
    Decompressor::new().gzip_decompress(packed, text) == Ok(length) && libdeflater::crc32(text) == sum
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let mut text = b"before".to_vec();
        let mut read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            bounded(&LogFile::Local(path.clone()), &mut text, 1 << 20).map(|()| text.clone())
        };
        assert_eq!(read(b"{}"), Ok(b"{}".to_vec()));
        assert_eq!(read(b""), Ok(vec![]));
        assert_eq!(read(&gzip(b"{}")), Ok(b"{}".to_vec()));
        assert_eq!(read(&[gzip(b"{}\n"), gzip(b"[]")].concat()), Ok(b"{}\n[]".to_vec()));
        let whole = gzip(&b"abc".repeat(1000));
        assert_eq!(read(&whole), Ok(b"abc".repeat(1000)));
        assert_eq!(read(&[whole.as_slice(), &whole].concat()), Ok(b"abc".repeat(2000)));
        let lie = [&whole[..whole.len() - 4], &999_u32.to_le_bytes()].concat();
        assert!(read(&lie).unwrap_err().starts_with("the gzip is broken: "), "{:?}", read(&lie));
        assert_eq!(read(&whole[..whole.len() - 9]), Err("the gzip is cut off".to_owned()));
        assert_eq!(read(&whole[..5]), Err("the gzip is cut off".to_owned()));
        let mut flipped = whole.clone();
        flipped[whole.len() - 6] ^= 1;
        assert!(read(&flipped).unwrap_err().starts_with("the gzip is broken: "), "{:?}", read(&flipped));
        for trail in [&b"\n"[..], b"trailing bytes", &[0; 512]] {
            assert_eq!(read(&[whole.as_slice(), trail].concat()), Err(TRAILED.to_owned()));
        }
        assert_eq!(read(&[whole.as_slice(), &whole[..20]].concat()), Err("the gzip is cut off".to_owned()));
        // Behind the member, and of the length that it says itself.
        let length = &whole[whole.len() - 4..];
        assert_eq!(read(&[whole.as_slice(), b"more", length].concat()), Err(TRAILED.to_owned()));
        let bomb = gzip(&vec![b' '; (1 << 20) + 1]);
        assert!(bomb.len() < 40_000);
        assert_eq!(read(&bomb), Err("it holds more than 1 MiB: nothing of it is read".to_owned()));
        assert_eq!(read(&vec![b' '; (1 << 20) + 1]), Err("it holds more than 1 MiB: nothing of it is read".to_owned()));
        let empty = folder.path().join("f.json.gz");
        std::fs::write(&empty, "").unwrap();
        assert_eq!(bounded(&LogFile::Local(empty), &mut Vec::new(), 1), Err("the gzip is cut off".to_owned()));
        assert!(bounded(&LogFile::Local("/nowhere/at/all".into()), &mut Vec::new(), 1).unwrap_err().starts_with("No such file"));
    }
}

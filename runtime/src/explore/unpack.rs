//! One file, read whole and unpacked, within bounds.

use std::io::{self, Read as _};

use flate2::read::MultiGzDecoder;

use super::log_file::LogFile;

/// The two bytes that gzip begins with.
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The most that one file may hold. CloudTrail's own are some megabytes; more is a mistake, or a bomb.
pub(super) const LARGEST: usize = 1 << 30;

/// What many files may hold at once.
const SMALL: usize = 64 << 20;

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
    text.clear();
    let most = u64::try_from(largest).unwrap_or(u64::MAX).saturating_add(1);
    let mut packed = Vec::new();
    file.read(most, &mut packed).map_err(words)?;
    if packed.starts_with(&GZIP) {
        MultiGzDecoder::new(packed.as_slice()).take(most).read_to_end(text).map_err(words)?;
    } else {
        std::mem::swap(text, &mut packed);
    }
    if text.len() > largest {
        return Err(format!("it holds more than {} MiB: nothing of it is read", largest >> 20));
    }
    Ok(())
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
        assert_eq!(read(&whole[..whole.len() - 9]), Err("the gzip is cut off".to_owned()));
        assert_eq!(read(&whole[..5]), Err("the gzip is cut off".to_owned()));
        let mut flipped = whole.clone();
        flipped[whole.len() - 6] ^= 1;
        assert!(read(&flipped).unwrap_err().starts_with("the gzip is broken: "), "{:?}", read(&flipped));
        assert!(read(&[whole.as_slice(), b"trailing bytes"].concat()).unwrap_err().starts_with("the gzip is broken: "));
        let bomb = gzip(&vec![b' '; (1 << 20) + 1]);
        assert!(bomb.len() < 10_000);
        assert_eq!(read(&bomb), Err("it holds more than 1 MiB: nothing of it is read".to_owned()));
        assert_eq!(read(&vec![b' '; (1 << 20) + 1]), Err("it holds more than 1 MiB: nothing of it is read".to_owned()));
        assert!(bounded(&LogFile::Local("/nowhere/at/all".into()), &mut Vec::new(), 1).unwrap_err().starts_with("No such file"));
    }
}

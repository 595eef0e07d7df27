//! Opening what a user names as input: a file, a compressed file, or `-` for standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;

/// The two bytes that gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Opens `-` or a file, and unpacks it if it is gzip, whatever its name.
///
/// # Errors
///
/// When it can not be opened or its first bytes can not be read.
pub(crate) fn open(name: &str) -> io::Result<Box<dyn BufRead + Send>> {
    let mut raw: BufReader<Box<dyn Read + Send>> = BufReader::with_capacity(
        64 * 1024,
        match name {
            "-" => Box::new(io::stdin()),
            path => Box::new(File::open(path)?),
        },
    );
    if raw.fill_buf()?.starts_with(&GZIP) {
        return Ok(Box::new(BufReader::with_capacity(64 * 1024, MultiGzDecoder::new(raw))));
    }
    Ok(Box::new(raw))
}

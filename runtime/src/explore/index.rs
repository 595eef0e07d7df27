//! An index of many logs: the same rows as reading them, in a moment.
//!
//! tantivy keeps, of each event once, its JSON, the words of it ([`tokens`]) and some columns ([`document`]). A search asks for the words that what it finds
//! must have, and of the columns what they can tell ([`narrow`]); those events are read and judged as the scan judges them ([`read`]). What columns alone
//! can answer for certain, counts and histograms, is counted without reading an event ([`counts`]); of the newest or oldest few no more are read ([`first`]).
//!
//! Events are added in batches ([`write`]): a batch is there whole or not at all, and a file counts as read when all of it is there. So a process that is killed
//! costs its last batch, and a file that was read whole is not read again. What files said is kept when they are gone.
//!
//! *Invariant*: rows come in the order of their files' names and of the records in them. Of copies of an event that say the same the one that was read first
//! is kept; of those that say different things all are, and a search tells the first that it finds, as the scan does. A run reads files in the order of their
//! names, so rows differ from those of the scan only for events of which a later run meets a copy in a file whose name sorts before: they keep their place, and where
//! copies say different things another one may be told. To keep such copies too would make every event of two trails that were added one after the other a
//! variant, which columns do not count.

mod counts;
mod document;
mod first;
mod narrow;
mod read;
mod tokens;
mod unlocked;
mod values;
mod write;

use std::cmp::Ordering;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tantivy::directory::error::OpenReadError;
use tantivy::directory::{Directory, MmapDirectory};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{IndexReader, Searcher, SegmentReader, TantivyError};

use super::reading;
use document::{Fields, WORDS};
use unlocked::Unlocked;

pub(crate) use write::{Written, write};

/// An index, as it was when it was opened.
pub(crate) struct Index {
    folder: PathBuf,
    searcher: Searcher,
    fields: Fields,
}

impl Index {
    /// Opens the index in a folder, which need not be one that may be written.
    ///
    /// # Errors
    ///
    /// In words, where there is none, or none of this version.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        if !folder.is_dir() {
            return Err(absent(folder));
        }
        Self::of(Unlocked(MmapDirectory::open(folder).map_err(|error| said(folder, error))?), folder)
    }

    fn of(directory: impl Directory + Clone, folder: &Path) -> Result<Self, String> {
        let mut is_again = false;
        loop {
            let (index, fields) = within(directory.clone(), folder, false)?;
            let reader: tantivy::Result<IndexReader> = index.reader_builder().reload_policy(tantivy::ReloadPolicy::Manual).try_into();
            match reader {
                Ok(reader) => return Ok(Self { folder: folder.to_owned(), searcher: reader.searcher(), fields }),
                // Whoever writes has put another file in its place since the list of files was read.
                Err(TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(_))) if !is_again => is_again = true,
                Err(error) => return Err(unread(folder, &error)),
            }
        }
    }

    /// What `work` makes of each segment, side by side, in their order.
    fn each_segment<T: Send>(&self, work: impl Fn(u32, &SegmentReader) -> tantivy::Result<T> + Sync) -> tantivy::Result<Vec<T>> {
        let segments: Vec<(u32, &SegmentReader)> = (0_u32..).zip(self.searcher.segment_readers()).collect();
        let mut made = Vec::with_capacity(segments.len());
        let bug = || Err(TantivyError::InternalError("a bug stopped the search".to_owned()));
        reading::side_by_side(
            &segments,
            reading::threads(false),
            || (),
            |(number, segment), ()| work(*number, segment),
            |_, result| {
                made.push(result.unwrap_or_else(bug));
                true
            },
        );
        made.into_iter().collect()
    }
}

/// The index in a folder, to be written; made if there is none.
fn files(folder: &Path) -> Result<(tantivy::Index, Fields), String> {
    std::fs::create_dir_all(folder).map_err(|error| said(folder, error))?;
    if !super::files::is_index(folder) && !is_free(folder).map_err(|error| said(folder, error))? {
        return Err(format!("{}: this folder has other files and no index: name a new folder", folder.display()));
    }
    within(MmapDirectory::open(folder).map_err(|error| said(folder, error))?, folder, true)
}

fn within(directory: impl Directory, folder: &Path, make: bool) -> Result<(tantivy::Index, Fields), String> {
    let (schema, fields) = Fields::new();
    let exists = tantivy::Index::exists(&directory).map_err(|error| said(folder, error))?;
    let index = match (exists, make) {
        (true, _) => tantivy::Index::open(directory).map_err(|error| unread(folder, &error)),
        (false, true) => {
            tantivy::Index::create(directory, schema.clone(), tantivy::IndexSettings::default()).map_err(|error| said(folder, error))
        }
        (false, false) => return Err(absent(folder)),
    }?;
    if index.schema() != schema {
        return Err(format!("{}: the index was made by another version of trailwire: make it anew in an empty folder", folder.display()));
    }
    index.tokenizers().register(WORDS, TextAnalyzer::from(tokens::Words::default()));
    Ok((index, fields))
}

/// Whether nothing is in a folder but what whoever makes an index leaves when it is killed before there is one.
fn is_free(folder: &Path) -> std::io::Result<bool> {
    let mut entries = std::fs::read_dir(folder)?;
    entries.try_fold(true, |is_free, entry| Ok(is_free && entry?.file_name().as_encoded_bytes().starts_with(b".")))
}

/// Lets whoever may read the folder read the index: the two files that are put in the place of earlier ones are made for their owner alone.
fn share(folder: &Path) {
    let shared = std::fs::metadata(folder.join(".tantivy-writer.lock")).map(|metadata| metadata.permissions());
    for name in ["meta.json", ".managed.json"] {
        // Who can not read them is told so.
        drop(shared.as_ref().map(|permissions| std::fs::set_permissions(folder.join(name), permissions.clone())));
    }
}

fn absent(folder: &Path) -> String {
    format!("{}: there is no index here: trailwire index LOGS --into FOLDER makes one in a new folder", folder.display())
}

/// Why an index can not be read, and what to do where its files are broken.
fn unread(folder: &Path, error: &TantivyError) -> String {
    let is_broken = match error {
        TantivyError::OpenReadError(OpenReadError::IoError { io_error: error, .. }) | TantivyError::IoError(error) => {
            matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other)
        }
        TantivyError::OpenReadError(_) | TantivyError::DataCorruption(_) | TantivyError::IncompatibleIndex(_) => true,
        _ => false,
    };
    let advice = if is_broken { ": make it anew with trailwire index LOGS --into another folder" } else { "" };
    format!("{}: the index can not be read: {error}{advice}", folder.display())
}

fn said(folder: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", folder.display())
}

/// The order in which the scan reads files: of a folder by the names in it, of a bucket by whole keys.
fn in_order(a: &str, b: &str) -> Ordering {
    let is_object = |name: &str| name.starts_with("s3://");
    match (is_object(a), is_object(b)) {
        (false, false) => Path::new(a).cmp(Path::new(b)),
        (true, true) => a.cmp(b),
        (a, b) => a.cmp(&b),
    }
}

#[cfg(test)]
mod tests;

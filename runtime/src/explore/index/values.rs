//! The values of a column for many documents, most of which stand one behind the other.

use std::fmt::Debug;
use std::ops::Range;

use tantivy::DocId;
use tantivy::columnar::{Column, ColumnIndex};

/// So many documents one behind the other are worth being unpacked together.
const RUN: usize = 16;

/// The values of a column of one value each, for these documents in their order; `None` where a document has none.
pub(super) fn values<T: PartialOrd + Copy + Debug + Default + Send + Sync + 'static>(
    column: &Column<T>,
    documents: &[DocId],
) -> Vec<Option<T>> {
    let mut values = vec![None; documents.len()];
    let mut left = values.as_mut_slice();
    let (mut together, mut those, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for run in documents.chunk_by(|one, next| one.checked_add(1) == Some(*next)) {
        let (here, behind) = left.split_at_mut(run.len());
        left = behind;
        let Some(found) = found(column, run) else {
            column.first_vals(run, here);
            continue;
        };
        if found.is_empty() {
            continue;
        }
        together.resize(found.len(), T::default());
        column.values.get_range(u64::from(found.start), &mut together);
        if found.len() == run.len() {
            here.iter_mut().zip(&together).for_each(|(here, value)| *here = Some(*value));
            continue;
        }
        those.clear();
        rows.clear();
        column.row_ids_for_docs(run, &mut those, &mut rows);
        let first = run.first().copied().unwrap_or_default();
        for (document, value) in those.iter().zip(&together) {
            if let Some(here) = usize::try_from(document - first).ok().and_then(|place| here.get_mut(place)) {
                *here = Some(*value);
            }
        }
    }
    values
}

/// The places of the values of documents one behind the other; `None` where it is not worth while to look, or they may have several.
fn found<T: PartialOrd + Copy + Debug + Send + Sync + 'static>(column: &Column<T>, run: &[DocId]) -> Option<Range<u32>> {
    if run.len() < RUN || !matches!(column.index, ColumnIndex::Full | ColumnIndex::Optional(_)) {
        return None;
    }
    let (first, last) = (*run.first()?, *run.last()?);
    Some(column.index.docid_range_to_rowids(first..last.checked_add(1)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tantivy::schema::{FAST, Schema};
    use tantivy::{Index, TantivyDocument};

    use super::*;

    /// Nearly all have one, or some, or none.
    fn there() -> impl Strategy<Value = Vec<Option<i64>>> {
        prop::sample::select(vec![0.02, 0.5, 0.98, 0.999_99])
            .prop_flat_map(|part| prop::collection::vec(prop::option::weighted(part, any::<i64>()), 1..300))
    }

    proptest! {
        /// Whatever is unpacked together is what each document has.
        #[test]
        fn they_are_those_of_each_document(there in there(), left_out in any::<u64>()) {
            let mut schema = Schema::builder();
            let time = schema.add_i64_field("time", FAST);
            let index = Index::create_in_ram(schema.build());
            let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, 15_000_000).unwrap();
            for value in &there {
                let mut document = TantivyDocument::default();
                value.iter().for_each(|value| document.add_i64(time, *value));
                writer.add_document(document).unwrap();
            }
            writer.commit().unwrap();
            let searcher = index.reader().unwrap().searcher();
            let segment = searcher.segment_reader(0);
            let column = segment.fast_fields().i64("time").unwrap();
            let documents: Vec<DocId> = (0..segment.max_doc()).filter(|document| left_out >> (document % 64) & 1 == 0 || document % 50 > 20).collect();
            let wanted: Vec<Option<i64>> = documents.iter().map(|document| there[*document as usize]).collect();
            prop_assert_eq!(values(&column, &documents), wanted);
        }
    }
}

//! Test results as JUnit writes them, for the tools that read that: one suite a trigger.

use super::{Results, Told, told};

pub(super) fn report(results: &[Results<'_>]) -> String {
    let mut suites = String::new();
    let mut total = [0; 3];
    for result in results.iter().filter(|result| !result.cases.is_empty()) {
        let (cases, counts) = suite(result);
        let [tests, failures, skipped] = counts;
        let name = escape(result.trigger);
        suites.push_str(&format!(
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n{cases}  </testsuite>\n"
        ));
        total.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
    }
    let [tests, failures, skipped] = total;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"trailwire\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n{suites}</testsuites>\n"
    )
}

/// The cases of a trigger, and how many there are, failed and were skipped.
fn suite(result: &Results<'_>) -> (String, [usize; 3]) {
    let mut cases = String::new();
    let mut counts = [0, 0, 0];
    let [tests, failures, skipped] = &mut counts;
    for (test, verdict) in &result.cases {
        *tests += 1;
        let head = format!("    <testcase classname=\"{}\" name=\"{}\"", escape(result.trigger), escape(&test.name));
        match told(test, verdict) {
            Told::Passed => cases.push_str(&format!("{head}/>\n")),
            Told::Skipped(why) => {
                *skipped += 1;
                cases.push_str(&format!("{head}><skipped message=\"{}\"/></testcase>\n", escape(why)));
            }
            Told::Failed { short, long } => {
                *failures += 1;
                cases.push_str(&format!("{head}><failure message=\"{}\">{}</failure></testcase>\n", escape(&short), escape(&long)));
            }
        }
    }
    (cases, counts)
}

/// Text as XML holds it. What XML 1.0 has no place for becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' | '\t' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other if other.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(escape("a<b> & \"c\" 'd'\u{0}\u{1b}é"), "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;\u{fffd}\u{fffd}é");
    }
}

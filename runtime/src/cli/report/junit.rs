//! Results as JUnit writes them, for the tools that read that.

use super::{Case, Outcome, Suite};

pub(super) fn report(suites: &[Suite]) -> String {
    let mut text = String::new();
    let mut total = [0; 3];
    for suite in suites.iter().filter(|suite| !suite.cases.is_empty()) {
        let counts = counts(&suite.cases);
        let [tests, failures, skipped] = counts;
        let name = escape(&suite.name);
        let cases: String = suite.cases.iter().map(|case| line(&name, case)).collect();
        text.push_str(&format!(
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n{cases}  </testsuite>\n"
        ));
        total.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
    }
    let [tests, failures, skipped] = total;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"trailwire\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n{text}</testsuites>\n"
    )
}

/// How many there are, failed and were skipped.
fn counts(cases: &[Case]) -> [usize; 3] {
    let of = |wanted: fn(&Outcome) -> bool| cases.iter().filter(|case| wanted(&case.outcome)).count();
    [cases.len(), of(|outcome| matches!(outcome, Outcome::Failed { .. })), of(|outcome| matches!(outcome, Outcome::Skipped(_)))]
}

fn line(suite: &str, case: &Case) -> String {
    let head = format!("    <testcase classname=\"{suite}\" name=\"{}\"", escape(&case.name));
    match &case.outcome {
        Outcome::Passed => format!("{head}/>\n"),
        Outcome::Skipped(why) => format!("{head}><skipped message=\"{}\"/></testcase>\n", escape(why)),
        Outcome::Failed { short, long } => {
            format!("{head}><failure message=\"{}\">{}</failure></testcase>\n", escape(short), escape(long))
        }
    }
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

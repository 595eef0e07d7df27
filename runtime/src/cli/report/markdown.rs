//! What was found as Markdown, for a comment on a pull request or the summary of a job.
//!
//! Definitions and events are written by others. All of their text stands in one block of code whose fence is longer than any run of backticks in
//! it, so that nothing of it is read as Markdown: no links, no mentions, no pictures, no end of the block.

/// Under what GitHub takes for a comment (65,536 characters), with room for what others put around it.
const LONGEST: usize = 60_000;

/// The mark by which a comment is found again.
const MARK: &str = "<!-- trailwire -->";

pub(super) fn report(lines: &[String]) -> String {
    let (head, details) = match lines.split_last() {
        Some((summary, details)) => (summary.as_str(), details),
        None => ("", lines),
    };
    let mut text = details.iter().flat_map(|line| line.lines()).collect::<Vec<_>>().join("\n").trim_end().to_owned();
    let mut cut = "";
    if text.chars().count() > LONGEST {
        text = text.chars().take(LONGEST).collect();
        cut = "\nThere is more; run the command to see it.\n";
    }
    let title = format!("{MARK}\n### Trailwire: {}\n", plain(head));
    if text.is_empty() {
        return title;
    }
    let fence = "`".repeat((longest_run(&text) + 1).max(3));
    format!("{title}\n{fence}text\n{text}\n{fence}\n{cut}")
}

/// A line of ours, which holds numbers and our words alone; were it otherwise, nothing of it would be Markdown.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | ',' | ';')).collect()
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_block() {
        let text = report(&["error: `a`\n```\n@admins [x](https://evil) <img>".to_owned(), "1 error in 1 trigger".to_owned()]);
        assert_eq!(
            text,
            "<!-- trailwire -->\n### Trailwire: 1 error in 1 trigger\n\n````text\nerror: `a`\n```\n@admins [x](https://evil) <img>\n````\n"
        );
        let long = report(&["`".repeat(100_000), "x @y".to_owned()]);
        assert!(long.contains(&format!("\n{}text\n{}\n", "`".repeat(60_001), "`".repeat(60_000))) && long.contains("### Trailwire: x y\n"));
        assert_eq!(report(&["nothing wrong in 2 triggers".to_owned()]), "<!-- trailwire -->\n### Trailwire: nothing wrong in 2 triggers\n");
    }
}

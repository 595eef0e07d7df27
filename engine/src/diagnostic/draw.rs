//! The excerpt with a caret under the place.

use super::Excerpt;

/// The widest piece of a line that is shown, in characters.
const WIDTH: usize = 100;

/// The lines of an excerpt: the line in which the span begins, with `^` under the span. A span that goes on in the next line
/// is marked to the end of its first. Control characters are shown as spaces, so that the caret stands where it should.
pub(super) fn excerpt(excerpt: &Excerpt) -> Vec<String> {
    let Excerpt { text, span } = excerpt;
    let start = floor_boundary(text, span.start);
    let before = text.get(..start).unwrap_or("");
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line_end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| start + at);
    let line = text.get(line_start..line_end).unwrap_or("");
    let number = before.matches('\n').count() + 1;

    let column = text.get(line_start..start).unwrap_or("").chars().count();
    let marked_end = floor_boundary(text, span.end.clamp(start, line_end));
    let marked = text.get(start..marked_end).unwrap_or("").chars().count().max(1);

    let (shown, column, marked) = window(line, column, marked);
    let margin = " ".repeat(number.to_string().len());
    vec![
        format!("{margin} |"),
        format!("{number} | {shown}").trim_end().to_owned(),
        format!("{margin} | {}{}", " ".repeat(column), "^".repeat(marked)),
    ]
}

/// The largest character boundary of `text` that is not after `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Cuts a long line around the marked place, with `…` where something was cut off.
fn window(line: &str, column: usize, marked: usize) -> (String, usize, usize) {
    let characters: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if characters.len() <= WIDTH {
        return (characters.into_iter().collect(), column, marked);
    }
    let marked = marked.min(WIDTH - 2);
    let first = column.saturating_sub((WIDTH - marked) / 2).min(characters.len() - (WIDTH - 2));
    let last = (first + WIDTH - 2).min(characters.len());
    let piece: String = characters.get(first..last).unwrap_or_default().iter().collect();
    let head = if first > 0 { "…" } else { "" };
    let tail = if last < characters.len() { "…" } else { "" };
    (format!("{head}{piece}{tail}"), column - first + usize::from(first > 0), marked)
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::{Code, Diagnostic, Path};
    use crate::text::Span;

    fn drawn(text: &str, start: usize, end: usize) -> String {
        Diagnostic::error(Code::UNEXPECTED_TOKEN, "m").under(text, Span::new(start, end)).body().join("\n")
    }

    #[test]
    fn one_line() {
        assert_eq!(drawn("a == b", 2, 4), "  |\n1 | a == b\n  |   ^^");
    }

    #[test]
    fn the_end_of_the_text() {
        assert_eq!(drawn("a ==", 4, 4), "  |\n1 | a ==\n  |     ^");
    }

    #[test]
    fn a_later_line_and_wide_characters() {
        assert_eq!(drawn("a &&\n'é' == b", 10, 12), "  |\n2 | 'é' == b\n  |     ^^");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}HERE{}", "x".repeat(300), "y".repeat(300));
        let drawn = drawn(&text, 300, 304);
        let lines: Vec<&str> = drawn.lines().collect();
        let caret = lines[2].chars().position(|c| c == '^').expect("a caret");
        let shown: String = lines[1].chars().skip(caret).take(4).collect();
        assert_eq!(shown, "HERE");
        assert!(lines[1].chars().count() <= 104);
    }

    #[test]
    fn a_span_outside_the_text_does_no_harm() {
        assert_eq!(drawn("é", 1, 99), "  |\n1 | é\n  | ^");
    }

    #[test]
    fn the_path_is_named() {
        let diagnostic = Diagnostic::warning(Code::EMPTY, "empty list").at(Path::root("regions"));
        assert_eq!(diagnostic.draw(), "warning[TW1101]: empty list (in regions)");
    }
}

//! Text for people, where the receiver takes plain text: what an event says becomes no link, no line of its own and no markup.

use super::Undeliverable;
use crate::action::{Notification, field_text, is_shown, one_line};

/// Cuts a text to at most `max` characters (Unicode scalar values), with a mark where something is missing.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// What stands before a `:` or a `.` that makes a link without `//`.
const LINKS: [(&str, &str); 4] = [(":", "mailto"), (":", "javascript"), (":", "tel"), (".", "www")];

/// Breaks what mail programs and chats make links of: `https://x` becomes `hxxps://x`, `ftp://x` `ftp[:]//x`, `mailto:x` `mailto[:]x`, `www.x`
/// `www[.]x`. An address that begins with one of `own` stays: those are ours, or the trigger's author wrote them. Names of hosts alone, such as
/// `ec2.amazonaws.com`, stay readable; a program that makes links of those, too, opens nothing unasked.
pub(super) fn unlinked(text: &str, own: &[String]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, sign) in text.match_indices([':', '.']) {
        let (Some(before), Some(after)) = (text.get(done..at), text.get(at + 1..)) else { continue };
        if sign == ":" && after.starts_with("//") {
            let is_part = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
            let start = done + before.trim_end_matches(is_part).len();
            let from = text.get(start..).unwrap_or_default();
            out.push_str(text.get(done..start).unwrap_or_default());
            let known = own.iter().find(|known| !known.is_empty() && from.starts_with(known.as_str()));
            done = known.map_or(at + 3, |known| start + known.len());
            match (known, text.get(start..at).unwrap_or_default()) {
                (Some(known), _) => out.push_str(known),
                (None, scheme) if scheme.eq_ignore_ascii_case("http") => out.push_str("hxxp://"),
                (None, scheme) if scheme.eq_ignore_ascii_case("https") => out.push_str("hxxps://"),
                (None, scheme) => out.push_str(&format!("{scheme}[:]//")),
            }
        } else if LINKS.iter().any(|(of, word)| *of == sign && ends_with_word(before, word)) {
            out.push_str(&format!("{before}[{sign}]"));
            done = at + 1;
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

fn ends_with_word(text: &str, word: &str) -> bool {
    let Some((head, tail)) = text.len().checked_sub(word.len()).and_then(|at| text.split_at_checked(at)) else { return false };
    tail.eq_ignore_ascii_case(word) && !head.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// The title in one line, without links.
pub(super) fn title(notification: &Notification, max: usize) -> String {
    let title = unlinked(&one_line(&cut(&notification.title, max)), &notification.links);
    if title.is_empty() { "–".to_owned() } else { cut(&title, max) }
}

/// Label and value of each of the author's fields and of the facts, each in one line of at most `max` characters, without links.
pub(super) fn pairs(notification: &Notification, fields: usize, max: usize) -> Vec<(String, String)> {
    let own = notification.fields.iter().take(fields).map(|(label, value)| (label.clone(), field_text(value)));
    let facts = notification.facts.pairs().into_iter().map(|(label, value)| (label.to_owned(), value));
    let clean = |text: &str, max: usize| cut(&unlinked(&one_line(&cut(text, max)), &notification.links), max);
    own.chain(facts).map(|(label, value)| (clean(&label, 60), clean(&value, max))).map(|(label, value)| (label, dashed(value))).collect()
}

fn dashed(text: String) -> String {
    if text.is_empty() { "–".to_owned() } else { text }
}

/// The author's message, or the trigger's description, without links.
pub(super) fn message(notification: &Notification, max: usize) -> Option<String> {
    let text = notification.message.as_ref().or(notification.description.as_ref())?;
    let shown: String = text.chars().filter(|c| is_shown(*c)).collect();
    Some(cut(unlinked(shown.trim(), &notification.links).trim(), max)).filter(|text| !text.is_empty())
}

/// The whole notification as a letter: message, fields and facts, the link to the console, severity and trigger.
pub(super) fn letter(notification: &Notification) -> String {
    const FIELDS: usize = 50;
    const VALUE: usize = 1000;
    let mut lines: Vec<String> = message(notification, 16_000).into_iter().flat_map(|text| [text, String::new()]).collect();
    lines.extend(pairs(notification, FIELDS, VALUE).into_iter().map(|(label, value)| format!("{label}: {value}")));
    let left_out = notification.fields.len().saturating_sub(FIELDS);
    if left_out > 0 {
        lines.push(format!("({left_out} more fields)"));
    }
    if let Some(url) = &notification.facts.console_url {
        lines.extend([String::new(), format!("CloudTrail: {url}")]);
    }
    lines.extend([String::new(), format!("{} severity, trigger {}", notification.severity, notification.trigger)]);
    if let Some(suppress) = &notification.suppress {
        lines.extend([String::new(), "Too often? In the trigger:".to_owned(), String::new(), suppress.clone()]);
    }
    lines.join("\n")
}

/// Where it happened, in one line.
pub(super) fn place(notification: &Notification) -> String {
    unlinked(&one_line(notification.facts.place()), &[])
}

/// What happened: the event's name.
pub(super) fn class(notification: &Notification) -> String {
    let name = notification.facts.event_name.as_deref().unwrap_or("event");
    cut(&unlinked(&one_line(name), &[]), 200)
}

/// A secret as the value of a header.
pub(super) fn header_value(secret: &str) -> Result<&str, Undeliverable> {
    let secret = secret.trim();
    let is_good = !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic());
    if is_good { Ok(secret) } else { Err(Undeliverable::BadKey) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_with_a_mark() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn links_are_broken_but_for_our_own() {
        let own = ["https://runbooks.example.com/".to_owned(), "https://eu-west-1.console.aws.amazon.com/x#1".to_owned()];
        for (text, expected) in [
            ("see https://evil.example/a and HTTP://b", "see hxxps://evil.example/a and hxxp://b"),
            ("https://runbooks.example.com/a", "https://runbooks.example.com/a"),
            ("https://runbooks.example.com.evil.example/", "hxxps://runbooks.example.com.evil.example/"),
            ("https://eu-west-1.console.aws.amazon.com/x#1\nhttps://x", "https://eu-west-1.console.aws.amazon.com/x#1\nhxxps://x"),
            ("ftp://x ms-settings://y Mailto:a@b", "ftp[:]//x ms-settings[:]//y Mailto[:]a@b"),
            ("go to www.evil.example", "go to www[.]evil.example"),
            ("://x", "[:]//x"),
            ("äöhttps://x", "äöhxxps://x"),
            ("javascript:alert(1) tel:110 ä:tel:1", "javascript[:]alert(1) tel[:]110 ä:tel[:]1"),
            ("ec2.amazonaws.com alice@example.com", "ec2.amazonaws.com alice@example.com"),
            ("https://https://x", "hxxps://hxxps://x"),
            ("hotel: a.www.b WWW.c x:www.d", "hotel: a.www[.]b WWW[.]c x:www[.]d"),
        ] {
            assert_eq!(unlinked(text, &own), expected);
        }
    }

    #[test]
    fn a_key_is_clean() {
        assert_eq!(header_value(" k-1\n"), Ok("k-1"));
        assert_eq!(header_value("a\r\nx: y"), Err(Undeliverable::BadKey));
        assert_eq!(header_value(""), Err(Undeliverable::BadKey));
    }
}

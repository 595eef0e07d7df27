//! Names with a date behind them: `CreateFunction20150331`, `AddPermission20150331v2`, `PublishFunction2020_05_31`.

/// The name without its date; `None` where there is none.
pub(super) fn without_date(name: &str) -> Option<&str> {
    let unversioned = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let dated =
        unversioned.strip_suffix('v').filter(|_| unversioned.len() < name.len()).filter(|dated| ends_in_date(dated)).unwrap_or(name);
    let length = [8, 10].into_iter().find(|length| is_date(dated, *length))?;
    dated.len().checked_sub(length).and_then(|end| dated.get(..end)).filter(|api| !api.is_empty())
}

fn ends_in_date(text: &str) -> bool {
    is_date(text, 8)
}

/// Whether the last eight characters are `20YYMMDD`, or the last ten `20YY_MM_DD`.
fn is_date(text: &str, length: usize) -> bool {
    let Some(date) = text.len().checked_sub(length).and_then(|begin| text.get(begin..)) else { return false };
    let fits = |(place, letter): (usize, char)| match (length, place) {
        (10, 4 | 7) => letter == '_',
        _ => letter.is_ascii_digit(),
    };
    date.starts_with("20") && date.chars().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (name, expected) in [
            ("CreateFunction20150331", Some("CreateFunction")),
            ("AddPermission20150331v2", Some("AddPermission")),
            ("AddPermission20150331v12", Some("AddPermission")),
            ("PublishFunction2020_05_31", Some("PublishFunction")),
            ("CreateFunction", None),
            ("CreateFunction2015", None),
            ("CreateFunction19990331", None),
            ("AddPermission20150331v", None),
            ("20150331", None),
            ("v2", None),
            ("", None),
            ("é20150331", Some("é")),
        ] {
            assert_eq!(without_date(name), expected, "{name}");
        }
    }
}

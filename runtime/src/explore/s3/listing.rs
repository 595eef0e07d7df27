//! Pages of names (`ListObjectsV2`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use trailwire_engine::fanout::policy::from_percent;

use crate::destination::percent;

/// Which names are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ask<'a> {
    /// What they begin with.
    pub(crate) prefix: &'a str,
    /// Those after this one.
    pub(crate) after: Option<&'a str>,
    /// Of names with a slash behind the prefix, only what stands before it.
    pub(crate) folders: bool,
    /// Where the page before ended.
    pub(crate) token: Option<&'a str>,
}

impl Ask<'_> {
    /// The path and query of a request. Names come back percent-encoded: XML can not say them all.
    pub(super) fn query(&self) -> String {
        let mut query = format!("/?encoding-type=url&list-type=2&prefix={}", percent(self.prefix));
        for (name, value) in [("delimiter", self.folders.then_some("/")), ("start-after", self.after), ("continuation-token", self.token)] {
            query.extend(value.map(|value| format!("&{name}={}", percent(value))));
        }
        query
    }
}

/// A page of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) keys: Vec<String>,
    pub(crate) folders: Vec<String>,
    /// What asks for the next page.
    pub(crate) next: Option<String>,
}

impl Page {
    /// # Errors
    ///
    /// In words: it is not what S3 answers.
    pub(super) fn read(body: &str) -> Result<Self, String> {
        let mut page = Self::default();
        let mut document = Document::new(body);
        let mut root = document.root_element().map_err(|error| error.to_string())?;
        if root.start_el().local() != "ListBucketResult" {
            return Err(format!("it is a {}", root.start_el().local()));
        }
        while let Some(mut element) = root.next_tag() {
            match element.start_el().local() {
                "Contents" => page.keys.extend(text_in(&mut element, "Key")?.map(|key| plain(&key))),
                "CommonPrefixes" => page.folders.extend(text_in(&mut element, "Prefix")?.map(|prefix| plain(&prefix))),
                "NextContinuationToken" => page.next = Some(text(&mut element)?).filter(|token| !token.is_empty()),
                _ => {}
            }
        }
        if !body.trim_end().ends_with("</ListBucketResult>") && !body.trim_end().ends_with("/>") {
            return Err("it breaks off".to_owned());
        }
        Ok(page)
    }
}

/// S3 writes a space as `+`, and a plus as `%2B`.
fn plain(name: &str) -> String {
    from_percent(&name.replace('+', " "))
}

fn text_in(element: &mut ScopedDecoder<'_, '_>, name: &str) -> Result<Option<String>, String> {
    let mut found = None;
    while let Some(mut inner) = element.next_tag() {
        if inner.start_el().local() == name {
            found = Some(text(&mut inner)?);
        }
    }
    Ok(found)
}

fn text(element: &mut ScopedDecoder<'_, '_>) -> Result<String, String> {
    try_data(element).map(|text| text.into_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_a_query() {
        assert_eq!(Ask { prefix: "a b/", ..Ask::default() }.query(), "/?encoding-type=url&list-type=2&prefix=a%20b%2F");
        let ask = Ask { prefix: "", after: Some("k+"), folders: true, token: Some("t=") };
        assert_eq!(ask.query(), "/?encoding-type=url&list-type=2&prefix=&delimiter=%2F&start-after=k%2B&continuation-token=t%3D");
    }

    #[test]
    fn a_page_is_read() {
        let page = |keys: &[&str], folders: &[&str], next: Option<&str>| Page {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            folders: folders.iter().map(|folder| (*folder).to_owned()).collect(),
            next: next.map(str::to_owned),
        };
        for (body, expected) in [
            (
                "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>p%2F</Prefix>\
                <Contents><Key>p/a+b%2Bc%26</Key><Size>1</Size><Owner><ID>x</ID></Owner></Contents><Contents><Key>p/z</Key></Contents>\
                <CommonPrefixes><Prefix>p/%C3%A9/</Prefix></CommonPrefixes><NextContinuationToken>1&amp;2</NextContinuationToken></ListBucketResult>",
                Ok(page(&["p/a b+c&", "p/z"], &["p/é/"], Some("1&2"))),
            ),
            ("<ListBucketResult></ListBucketResult>\n", Ok(Page::default())),
            ("<ListBucketResult><Contents><Key>a</Key></Contents>", Err("it breaks off")),
            ("<html></html>", Err("it is a html")),
        ] {
            assert_eq!(Page::read(body), expected.map_err(str::to_owned), "{body}");
        }
        assert!(Page::read("").is_err());
    }
}

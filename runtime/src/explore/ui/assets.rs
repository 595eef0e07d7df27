//! What the page is made of, as it lies in `page/`. It is part of the program: nothing is fetched, nothing is built.

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asset {
    pub(super) path: &'static str,
    pub(super) kind: &'static str,
    pub(super) bytes: &'static [u8],
}

macro_rules! assets {
    ($kind:expr, $($name:literal),* $(,)?) => {
        [$(Asset { path: concat!("/", $name), kind: $kind, bytes: include_bytes!(concat!("page/", $name)) }),*]
    };
}

const SCRIPTS: [Asset; 23] = assets!(
    "text/javascript; charset=utf-8",
    "actions.js",
    "api.js",
    "app.js",
    "columns.js",
    "complete.js",
    "detail.js",
    "dom.js",
    "facets.js",
    "help.js",
    "histogram.js",
    "keys.js",
    "lineage.js",
    "menu.js",
    "notices.js",
    "query.js",
    "search.js",
    "state.js",
    "table.js",
    "text.js",
    "time.js",
    "token.js",
    "tree.js",
    "trigger.js",
);
const STYLES: [Asset; 4] = assets!("text/css; charset=utf-8", "theme.css", "layout.css", "parts.css", "detail.css");
const PICTURES: [Asset; 1] = assets!("image/svg+xml", "icon.svg");
const PAGES: [Asset; 1] = assets!("text/html; charset=utf-8", "index.html");

/// The file at a path.
pub(super) fn asset(path: &str) -> Option<&'static Asset> {
    let path = if path == "/" { "/index.html" } else { path };
    let all = || PAGES.iter().chain(&SCRIPTS).chain(&STYLES).chain(&PICTURES);
    all().find(|asset| asset.path == path)
}

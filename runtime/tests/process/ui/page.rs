//! The page as its user sees it.

use std::path::Path;

use serde_json::{Value, json};

use super::browser::{Browser, key};
use super::{Ui, sample};

/// The texts of one column of the table.
async fn column(browser: &Browser, place: usize) -> Vec<String> {
    browser.texts(&format!("#rows tbody td:nth-child({place}) .text")).await
}

async fn search(browser: &Browser, text: &str) {
    browser.press("/").await;
    browser.fill("#q", text).await;
    browser.press(key::ENTER).await;
    browser.shown().await;
}

/// How many events the page says that there are.
async fn told(browser: &Browser) -> String {
    let text = browser.text("#told").await;
    text.split(" in ").next().unwrap().to_owned()
}

/// Keeps a picture for the documentation where that is asked for.
async fn keep(browser: &Browser, name: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), browser.picture().await).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_token_there_is_a_page_and_nothing_on_it() {
    let Some(browser) = Browser::start(1280, 800).await else { return };
    let ui = Ui::start(&sample::records());
    browser.open(ui.address()).await;
    browser.until("document.querySelector('.notice.bad')").await;
    assert!(browser.text("#notices").await.contains("open the link that trailwire ui printed"));
    // The link differs from the address by the fragment alone: the page takes the token without being loaded anew.
    browser.open(&ui.link).await;
    browser.shown().await;
    assert_eq!(told(&browser).await, "1,472 events of 1,472");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_search_to_a_trigger() {
    let Some(browser) = Browser::start(1280, 800).await else { return };
    let ui = Ui::start(&sample::records());
    browser.open(&ui.link).await;
    browser.shown().await;
    assert_eq!(browser.url().await, ui.address(), "the token stays in no address");
    assert_eq!(told(&browser).await, "1,472 events of 1,472");
    keep(&browser, "ui.png").await;

    // A search, with what is wrong told while it is typed.
    browser.press("/").await;
    browser.fill("#q", "evnt:Stop ").await;
    browser.until("document.querySelector('.problem')").await;
    assert!(browser.text(".problem").await.contains("no record is known to have a `evnt`"), "{}", browser.text(".problem").await);
    browser.eval("document.getElementById('q').value = ''").await;
    browser.fill("#q", "error:Acc").await;
    browser.until("document.querySelector('#offers li:first-child .offer')?.innerText === 'AccessDenied'").await;
    browser.press(key::DOWN).await;
    browser.press(key::ENTER).await;
    browser.press(key::ENTER).await;
    browser.shown().await;
    assert_eq!(browser.eval("location.search").await, "?q=error:AccessDenied");
    assert!(column(&browser, 7).await.iter().all(|error| error == "AccessDenied"));
    let denied = told(&browser).await;

    // A brush over the night in which most of them are.
    browser.brush(".bars", 0.53, 0.6).await;
    browser.until("location.search.includes('from=')").await;
    browser.shown().await;
    assert_ne!(told(&browser).await, denied);
    let found: Value = browser.eval("[...document.querySelectorAll('#rows td.time')].map((cell) => cell.innerText.slice(0, 10))").await;
    assert!(!found.as_array().unwrap().is_empty() && found.as_array().unwrap().iter().all(|day| day == "2026-03-02"), "{found}");

    // A facet's plus, then another one's minus.
    browser.hover("[data-field=actor] .value").await;
    browser.click("[data-field=actor] .value .plus").await;
    browser.until("location.search.includes('mallory')").await;
    browser.shown().await;
    assert!(column(&browser, 3).await.iter().all(|actor| actor == "admin/mallory"));
    assert_eq!(told(&browser).await, "56 events of 1,472");
    browser.hover("[data-field=event] .value").await;
    let most = browser.text("[data-field=event] .value .name").await;
    browser.click("[data-field=event] .value .minus").await;
    browser.until("location.search.includes('-event:')").await;
    browser.shown().await;
    assert!(!column(&browser, 2).await.contains(&most));
    browser.back().await;
    browser.until("!location.search.includes('-event:')").await;
    browser.shown().await;
    assert_eq!(told(&browser).await, "56 events of 1,472");

    // An event, who did it, and how they came to it.
    browser.press("jj").await;
    browser.press(key::ENTER).await;
    browser.until("document.querySelector('#detail .chain')").await;
    assert_eq!(browser.text("#detail .actor").await, "admin/mallory");
    let chain = browser.texts("#detail .chain li").await;
    assert!(chain[0].starts_with("mallory (IAM user) AssumeRole") && chain[1].starts_with("jump/mallory (role session)"), "{chain:?}");
    keep(&browser, "ui-event.png").await;

    // The link holds all of it.
    browser.eval("navigator.clipboard.writeText = async (text) => { window.copied = text; }").await;
    browser.click("#copy-link").await;
    browser.until("window.copied").await;
    let link = browser.eval("window.copied").await.as_str().unwrap().to_owned();
    assert_eq!(link, browser.url().await);
    assert!(link.contains("q=error:AccessDenied+actor:*/admin/mallory") && link.contains("&sel=") && !link.contains("token"), "{link}");
    let before = [column(&browser, 2).await, browser.texts("#detail .row").await];
    browser.reload().await;
    browser.shown().await;
    browser.until("document.querySelector('#detail .chain')").await;
    assert_eq!([column(&browser, 2).await, browser.texts("#detail .row").await], before);
    browser.press(key::ESCAPE).await;
    browser.until("document.getElementById('detail').hidden").await;

    // A trigger that finds the same.
    browser.press("t").await;
    browser.until("document.querySelector('dialog .hcl')").await;
    let (says, hcl) = (browser.text("dialog .fires").await, browser.text("dialog .hcl").await);
    assert!(says.starts_with("It would have fired 56 times on 1 day."), "{says}");
    assert!(hcl.contains("resource \"trailwire_trigger\"") && hcl.contains("detail.errorCode == 'AccessDenied'"), "{hcl}");
    assert!(browser.text("dialog .days").await.contains("2026-03-02"));
    keep(&browser, "ui-trigger.png").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_stays_text() {
    let Some(browser) = Browser::start(1280, 800).await else { return };
    let ui = Ui::start(&[sample::hostile()]);
    let columns = "event,actor,ip,error,agent,requestParameters.%255C%253Cb%255C%253Ebold,requestParameters.lines";
    browser.open(&format!("{}?cols={columns}#token={}", ui.address(), ui.token())).await;
    browser.shown().await;
    browser.press("j").await;
    browser.press(key::ENTER).await;
    browser.until("document.querySelector('#detail .tree')").await;
    let shown = browser.text("body").await;
    for text in [
        "<img src=x onerror=window.ran=1>",
        "<script>window.ran=1</script>",
        "=HYPERLINK(\"https://example.com\")",
        "\\u202etxt.exe\\u0000\\u200b",
        "javascript:window.ran=1",
        "<svg/onload=window.ran=1>",
        "</style><style>*{display:none}",
        "12345678901234567890",
        "nameless",
    ] {
        assert!(shown.contains(text), "{text}\n{shown}");
    }
    assert_eq!(
        browser
            .eval("[window.ran ?? null, document.scripts.length, document.querySelectorAll('img, main svg [onload], style').length]")
            .await,
        json!([null, 1, 1])
    );
    assert!(!shown.contains('\u{202e}') && !shown.contains('\u{200b}'));

    // What stands in an event can be searched for by a click, whatever it is.
    for place in [2, 3, 4, 5, 6] {
        browser.hover(&format!("#rows tbody td:nth-child({place})")).await;
        browser.click(&format!("#rows tbody td:nth-child({place}) .acts button")).await;
        browser.until(&format!("location.search.includes('q=') && document.querySelectorAll('#q').length && decodeURIComponent(location.search).split(/[ +](?=[a-z]+:)/).length >= {}", place - 1)).await;
        browser.shown().await;
        assert_eq!(told(&browser).await, "1 event of 1", "{}", browser.url().await);
    }

    // Line ends are in the bar as the language writes them, so that the same is asked for from there.
    browser.hover("#rows tbody td:nth-child(8)").await;
    browser.click("#rows tbody td:nth-child(8) .acts button").await;
    browser.until("location.search.includes('requestParameters.lines:')").await;
    browser.shown().await;
    let asked = browser.eval("document.getElementById('q').value").await.as_str().unwrap().to_owned();
    assert!(asked.ends_with(r#"requestParameters.lines:"first\r\nsecond\tend""#), "{asked}");
    browser.press("/").await;
    browser.press(key::ENTER).await;
    browser.shown().await;
    assert_eq!((told(&browser).await.as_str(), browser.eval("document.getElementById('q').value").await), ("1 event of 1", json!(asked)));

    // The page itself can make nothing out of a text.
    let refused = browser
        .eval("(() => { try { document.body.innerHTML = '<b>x</b>'; return 'taken'; } catch (error) { return error.name; } })()")
        .await;
    assert_eq!(refused, "TypeError");
    assert_eq!(browser.eval("window.ran ?? null").await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_stays_where_it_was() {
    let Some(browser) = Browser::start(1280, 800).await else { return };
    let ui = Ui::start(&sample::records());
    browser.open(&ui.link).await;
    browser.shown().await;

    // Offers are for the place where they were asked for, and nobody takes one without choosing it.
    browser.press("/").await;
    browser.fill("#q", "error:Acc").await;
    browser.until("!document.getElementById('offers').hidden").await;
    browser.press(key::HOME).await;
    browser.until("document.getElementById('offers').hidden").await;
    browser.press(key::END).await;
    browser.fill("#q", "ess").await;
    browser.until("!document.getElementById('offers').hidden").await;
    browser.press(key::TAB).await;
    browser.until("document.activeElement.id !== 'q'").await;
    assert_eq!(browser.eval("document.getElementById('q').value").await, "error:Access");

    // What is typed stays while rows are walked through.
    browser.eval("document.getElementById('rows').focus()").await;
    browser.press("jj").await;
    browser.press(key::ENTER).await;
    browser.until("document.querySelector('#detail .tree')").await;
    assert_eq!(browser.eval("document.getElementById('q').value").await, "error:Access");

    // A member is folded, and shown as a column: it stays folded, and the keyboard on it.
    let item = "document.querySelector('#detail [role=treeitem][aria-expanded=true]')";
    browser.eval(&format!("{item}.focus()")).await;
    let place = browser.eval("document.activeElement.dataset.place").await;
    assert_eq!(place, "/\"userIdentity\"");
    browser.press(key::LEFT).await;
    browser.press("c").await;
    browser.until("location.search.includes('cols=')").await;
    browser.shown().await;
    assert_eq!(browser.eval("[document.activeElement.dataset.place, document.activeElement.ariaExpanded]").await, json!([place, "false"]));

    // A plus on the left is still where it was.
    browser.eval("document.querySelector('[data-field=event] .value .name').focus()").await;
    browser.press(key::TAB).await;
    assert_eq!(browser.eval("document.activeElement.matches('.plus')").await, true);
    let label = browser.eval("document.activeElement.ariaLabel").await;
    browser.press(key::ENTER).await;
    browser.until("location.search.includes('event:')").await;
    browser.shown().await;
    assert_eq!(browser.eval("document.activeElement.ariaLabel").await, label);

    // A time that only the program can read is moved by its own length, and not by that of all logs.
    browser.open(&format!("{}?from=2026-03-02T04:00:00%2B02:00&to=2026-03-02T03:00:00Z", ui.address())).await;
    browser.shown().await;
    browser.press("[").await;
    browser.until("location.search === '?from=2026-03-02T01:00:00Z&to=2026-03-02T02:00:00Z'").await;
    browser.shown().await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_reached_by_keyboard_and_on_a_narrow_window() {
    let Some(browser) = Browser::start(800, 700).await else { return };
    let ui = Ui::start(&sample::records());
    browser.open(&ui.link).await;
    browser.shown().await;
    assert_eq!(browser.eval("document.documentElement.scrollWidth <= innerWidth").await, true);
    browser.click("#fields").await;
    browser.until("document.querySelector('#facets [data-field=event] .value').getBoundingClientRect().width > 100").await;
    browser.press(key::ESCAPE).await;
    browser.until("!document.body.classList.contains('shows-fields')").await;

    search(&browser, "event:StopLogging OR event:CreateUser").await;
    assert_eq!(column(&browser, 2).await, ["StopLogging", "CreateUser"]);
    browser.press("jx").await;
    browser.shown().await;
    assert_eq!(browser.eval("document.getElementById('q').value").await, "(event:StopLogging OR event:CreateUser) -event:StopLogging");
    assert_eq!(column(&browser, 2).await, ["CreateUser"]);
    browser.press("jlf").await;
    browser.until("location.search.includes('actor')").await;
    browser.shown().await;
    assert_eq!(told(&browser).await, "1 event of 1,472");
    browser.press("?").await;
    browser.until("document.querySelector('dialog.help')?.open").await;
    browser.press(key::ESCAPE).await;
    browser.until("!document.querySelector('dialog')").await;

    // Columns: one more, in another order, one less.
    browser.press("c").await;
    browser.until("document.activeElement?.matches('.columns *')").await;
    browser.click(".chosen li:nth-child(2) [aria-label^='Move actor left']").await;
    browser.shown().await;
    browser.click(".chosen li:nth-child(3) [aria-label^='Take source away']").await;
    browser.shown().await;
    browser.fill(".columns input", "requestparameters.username").await;
    browser.click(".offered li:first-child button").await;
    browser.shown().await;
    assert!(
        browser.eval("location.search").await.as_str().unwrap().ends_with("cols=actor,event,region,ip,error,requestParameters.userName")
    );
    assert_eq!(column(&browser, 7).await, ["backup-svc"]);
    browser.press(key::ESCAPE).await;

    // Times: a stretch, the one before it, and all again.
    browser.open(&format!("{}?from=2026-03-02T02:00:00Z&to=2026-03-02T03:00:00Z", ui.address())).await;
    browser.shown().await;
    browser.press("[").await;
    browser.until("location.search === '?from=2026-03-02T01:00:00Z&to=2026-03-02T02:00:00Z'").await;
    browser.shown().await;
    browser.press("0").await;
    browser.until("location.search === ''").await;
    browser.shown().await;
    assert_eq!(told(&browser).await, "1,472 events of 1,472");

    // Triggers of the definitions: what fired.
    browser.open(&format!("{}?fired=trail-stopped", ui.address())).await;
    browser.shown().await;
    assert_eq!(column(&browser, 2).await, ["StopLogging"]);

    // In the dark, too.
    browser.devtools("Emulation.setEmulatedMedia", &json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]})).await;
    let dark = browser.eval("getComputedStyle(document.querySelector('main')).backgroundColor").await;
    assert_eq!(dark, "rgb(22, 27, 34)");
    browser.open(ui.address()).await;
    browser.shown().await;
    keep(&browser, "ui-narrow.png").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

//! What holds for every page, however wide the screen.

use serde_json::json;

use crate::driver::browse;
use crate::screenshots::{PAGES, WIDTHS, address};
use crate::{Service, fleet, is_there};

/// What a page lacks that a screen reader needs: names of fields, of pictures, of links and buttons;
/// one heading of the first level; ids that are there once.
const LACKS: &str = r#"
    const lacks = [];
    const shown = (element) => element.outerHTML.slice(0, 160);
    const named = (element) => (element.getAttribute("aria-label") ?? "").trim() !== "";
    for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
        if (field.labels.length === 0 && !named(field)) lacks.push("a label: " + shown(field));
    for (const picture of document.querySelectorAll("img"))
        if (!picture.hasAttribute("alt")) lacks.push("a text: " + shown(picture));
    for (const picture of document.querySelectorAll("svg"))
        if (!named(picture) && picture.getAttribute("aria-hidden") !== "true") lacks.push("a name: " + shown(picture));
    for (const one of document.querySelectorAll("a, button, summary"))
        if (!named(one) && one.textContent.trim() === "" && !one.querySelector("img[alt]:not([alt=''])")) lacks.push("words: " + shown(one));
    for (const head of document.querySelectorAll("th"))
        if (head.textContent.trim() === "" && !head.closest("[aria-hidden=true]")) lacks.push("words: " + shown(head));
    if (document.querySelectorAll("h1").length !== 1) lacks.push("one heading");
    if (!document.documentElement.lang) lacks.push("a language");
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) lacks.push("an id of its own: " + id);
    return lacks;
"#;

/// What is beside the screen; a table may be scrolled in its own box.
const TOO_WIDE: &str = r#"
    const width = document.documentElement.clientWidth;
    return [...document.querySelectorAll("main *, header *")]
        .filter((element) => element.checkVisibility() && !element.closest(".scroll, .hidden, .cards thead"))
        .filter((element) => {
            const { left, right } = element.getBoundingClientRect();
            return right > width + 1 || left < -1;
        })
        .map((element) => element.outerHTML.slice(0, 160));
"#;

#[test]
fn every_page_is_named_fits_and_is_content() {
    if !is_there() {
        return;
    }
    let service = Service::telling(fleet::SINKS);
    fleet::filled(&service);
    browse(&service, async |browser| {
        for path in ["/sign-in", "/first-run", "/nothing-here"] {
            browser.look(390, "light").await?;
            browser.visit(path).await?;
            assert_eq!(browser.ask(LACKS).await?, json!([]), "{path}");
            assert_eq!(browser.ask(TOO_WIDE).await?, json!([]), "{path}");
        }
        browser.refused().await?;
        // What is not so is told.
        browser.visit("/sign-in").await?;
        let spoil = "document.querySelector('label').replaceWith(...document.querySelector('label').childNodes);
            document.querySelector('h1').style.width = '900px'";
        browser.ask(spoil).await?;
        assert_ne!(browser.ask(LACKS).await?, json!([]));
        assert_ne!(browser.ask(TOO_WIDE).await?, json!([]));
        browser.sign_in().await?;
        for (name, path) in PAGES {
            let path = address(browser, path).await?;
            for width in WIDTHS {
                browser.look(width, "light").await?;
                browser.visit(&path).await?;
                assert_eq!(browser.ask(LACKS).await?, json!([]), "{name} at {width}");
                if name == "dashboard" {
                    browser.click("#bell summary").await?;
                }
                let wide = browser.ask(TOO_WIDE).await?;
                assert_eq!(
                    wide,
                    json!([]),
                    "{name} at {width} is wider than the screen"
                );
            }
            browser.assert_content().await?;
        }
        Ok(())
    });
}

/// Scripts add to the pages, and are not needed for them.
#[test]
fn pages_work_without_a_script() {
    if !is_there() {
        return;
    }
    let service = Service::start();
    fleet::filled(&service);
    browse(&service, async |browser| {
        browser.without_scripts().await?;
        browser.sign_in().await?;
        browser.visit("/anomalies?sort=client").await?;
        browser.click("#rows th a[href*='-score']").await?;
        assert!(browser.url().await?.contains("sort=-score"));
        browser.click("#rows tbody input[type=checkbox]").await?;
        browser.click("#bulk [value=ignored]").await?;
        browser.visit("/anomalies?status=ignored").await?;
        browser.find("#rows tbody tr").await?;
        browser.click("#bell summary").await?;
        browser.click("#bell-menu form button").await?;
        browser.arrive("main .notices .muted").await?;
        assert_eq!(browser.path().await?, "/bell");
        assert!(browser.text("main").await?.contains("Read"));
        Ok(())
    });
}

//! What the pages look like.

use std::fs;
use std::path::Path;

use crate::driver::browse;
use crate::{Browser, Service, fleet, is_there};

/// The pages, and what they are called.
pub(crate) const PAGES: [(&str, &str); 14] = [
    ("dashboard", "/"),
    ("incidents", "/incidents"),
    ("anomalies", "/anomalies"),
    ("coverage", "/streams"),
    ("sources", "/sources"),
    ("settings", "/settings"),
    ("notifications", "/notifications"),
    ("bell", "/bell"),
    ("bell-menu", "/incidents"),
    ("audit", "/audit"),
    ("users", "/users"),
    ("account", "/account"),
    ("incident", "/incidents/NEWEST"),
    ("anomaly", "/anomalies/NEWEST"),
];

/// Widths of a desk, a tablet and a phone.
pub(crate) const WIDTHS: [u32; 3] = [1440, 1024, 390];

/// The address of a page, of which some are about the newest that there is.
pub(crate) async fn address(
    browser: &Browser<'_>,
    path: &str,
) -> thirtyfour::error::WebDriverResult<String> {
    let Some(list) = path.strip_suffix("/NEWEST") else {
        return Ok(path.to_owned());
    };
    browser.visit(list).await?;
    let link = browser.find("#rows td.what a").await?;
    Ok(link.attr("href").await?.unwrap_or_default())
}

#[test]
fn screenshots() {
    let Some(directory) = std::env::var_os("SCREENSHOTS") else {
        return;
    };
    if !is_there() {
        return;
    }
    // Tests run in the directory of the crate; who asks stands at the root.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let directory = root.join(directory);
    fs::create_dir_all(&directory).unwrap();
    let empty = std::env::var_os("EMPTY").is_some();
    let service = if empty {
        Service::start()
    } else {
        Service::telling(fleet::SINKS)
    };
    if empty {
        drop(service.administrator());
    } else {
        fleet::filled(&service);
    }
    browse(&service, async |browser| {
        if !empty {
            browser.look(1440, "light").await?;
            browser.visit("/sign-in").await?;
            let picture = browser.picture(1440, 900).await?;
            fs::write(directory.join("sign-in-1440-light.webp"), picture).unwrap();
        }
        browser.sign_in().await?;
        for (name, path) in PAGES {
            if empty && path.ends_with("NEWEST") {
                continue;
            }
            let path = address(browser, path).await?;
            // What is looked at least is the same on a tablet.
            let narrow_too = ["dashboard", "anomalies", "anomaly"].contains(&name) || empty;
            for width in WIDTHS
                .into_iter()
                .filter(|width| *width != 1024 || narrow_too)
            {
                for theme in ["light", "dark"] {
                    browser.look(width, theme).await?;
                    browser.visit(&path).await?;
                    if name == "dashboard" {
                        browser
                            .until(
                                "the days",
                                "return !document.body.textContent.includes('Still reading')",
                            )
                            .await?;
                    }
                    if name == "bell-menu" {
                        browser.click("#bell summary").await?;
                    }
                    let most = if name == "bell-menu" { 700 } else { 1_800 };
                    let picture = browser.picture(width, most).await?;
                    fs::write(
                        directory.join(format!("{name}-{width}-{theme}.webp")),
                        picture,
                    )
                    .unwrap();
                }
            }
        }
        Ok(())
    });
}

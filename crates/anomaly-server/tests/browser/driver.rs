//! A browser that runs.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::TypingData;
use thirtyfour::prelude::*;

use crate::Service;
use crate::client::PASSWORD;

/// How long a page may take to show what it has to.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether Chromium and its driver are there. A test that needs them passes where they are not, and
/// says so on a line of its own; with `REQUIRE_BACKUP_TOOLS` set, as in `.ci/run`, it fails.
pub(crate) fn is_there() -> bool {
    let runs = |program: &str| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    };
    let found = runs("chromedriver") && runs("chromium");
    let required = std::env::var_os("REQUIRE_BACKUP_TOOLS").is_some();
    assert!(
        found || !required,
        "chromium or chromedriver is not installed"
    );
    if !found {
        // Past the test harness, which shows nothing of tests that pass.
        _ = writeln!(
            std::io::stderr(),
            "chromium or chromedriver is not installed: no page is looked at"
        );
    }
    found
}

/// A browser, with the program that drives it; both end with it.
pub(crate) struct Browser<'a> {
    service: &'a Service,
    driver: WebDriver,
    process: Child,
    address: String,
    /// Requests that were seen.
    asked: Cell<usize>,
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        // Where a test failed, the browser is still there.
        let session = self.driver.session_id();
        _ = ureq::delete(format!("{}/session/{session}", self.address)).call();
        _ = self.driver.clone().leak();
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Starts the driver, which says at which port it listens.
fn start() -> (Child, String) {
    let mut process = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        let port = line.split_once("successfully on port ")?.1;
        Some(port.trim_end_matches('.').to_owned())
    });
    // What it prints later has to go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    (process, port.unwrap())
}

/// Does something with a browser on a service, and looks whether the pages were content all along: no
/// error in the console, and no request to anything but the service.
pub(crate) fn browse<T>(
    service: &Service,
    work: impl AsyncFnOnce(&Browser<'_>) -> WebDriverResult<T>,
) -> T {
    // reqwest wants to know which; nothing here is encrypted.
    _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let browser = Browser::open(service).await.unwrap();
        let done = work(&browser).await;
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                let page = browser.driver.source().await.unwrap_or_default();
                panic!("{error}\non the page {page}");
            }
        };
        browser.assert_content().await.unwrap();
        browser.driver.clone().quit().await.unwrap();
        done
    })
}

impl<'a> Browser<'a> {
    async fn open(service: &'a Service) -> WebDriverResult<Self> {
        let (process, port) = start();
        let mut wanted = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            // Chromium refuses to run as root inside its sandbox, as tests in a container do.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            "--lang=en-GB",
            "--window-size=1440,1000",
        ] {
            wanted.add_arg(argument)?;
        }
        wanted.set(
            "goog:loggingPrefs",
            json!({ "browser": "ALL", "performance": "ALL" }),
        )?;
        let address = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::new(&address, wanted).await?;
        let browser = Self {
            service,
            driver,
            process,
            address,
            asked: Cell::new(0),
        };
        // Times are shown in the reader's zone: a fixed one.
        browser
            .tell(
                "Emulation.setTimezoneOverride",
                json!({ "timezoneId": "Europe/Berlin" }),
            )
            .await?;
        Ok(browser)
    }

    /// Asks the browser itself.
    async fn tell(&self, method: &str, parameters: Value) -> WebDriverResult<Value> {
        self.driver.cdp().send_raw(method, parameters).await
    }

    /// Goes to a page of the service.
    pub(crate) async fn visit(&self, path: &str) -> WebDriverResult<()> {
        self.driver
            .goto(format!("{}{path}", self.service.base))
            .await
    }

    /// Goes to a page in a tab of its own, in front of the others.
    pub(crate) async fn visit_beside(&self, path: &str) -> WebDriverResult<()> {
        let tab = self.driver.new_tab().await?;
        self.driver.switch_to_window(tab).await?;
        self.visit(path).await
    }

    /// The path of the page that is open.
    pub(crate) async fn path(&self) -> WebDriverResult<String> {
        Ok(self.driver.current_url().await?.path().to_owned())
    }

    pub(crate) async fn find(&self, css: &str) -> WebDriverResult<WebElement> {
        self.driver.find(By::Css(css)).await
    }

    /// Types into a field, in place of what it had.
    pub(crate) async fn fill(&self, css: &str, text: &str) -> WebDriverResult<()> {
        let field = self.find(css).await?;
        field.clear().await?;
        field.send_keys(text).await
    }

    pub(crate) async fn click(&self, css: &str) -> WebDriverResult<()> {
        self.find(css).await?.click().await
    }

    /// Presses keys wherever the focus is.
    pub(crate) async fn press(&self, keys: impl Into<TypingData>) -> WebDriverResult<()> {
        let chain = self.driver.action_chain().send_keys(keys);
        chain.perform().await
    }

    pub(crate) async fn text(&self, css: &str) -> WebDriverResult<String> {
        self.find(css).await?.text().await
    }

    /// What a script on the page answers.
    pub(crate) async fn ask(&self, script: &str) -> WebDriverResult<Value> {
        let answer = self.driver.execute(script, Vec::new()).await?;
        Ok(answer.json().clone())
    }

    /// Waits until a script on the page answers `true`.
    pub(crate) async fn until(&self, what: &str, script: &str) -> WebDriverResult<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.ask(script).await? == Value::Bool(true) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(WebDriverError::Timeout(format!("{what}: {script}")));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn url(&self) -> WebDriverResult<String> {
        Ok(self.driver.current_url().await?.to_string())
    }

    pub(crate) async fn refresh(&self) -> WebDriverResult<()> {
        self.driver.refresh().await
    }

    /// The words of what has the focus.
    pub(crate) async fn focused(&self) -> WebDriverResult<String> {
        let words = self
            .ask("return document.activeElement.textContent.trim()")
            .await?;
        Ok(words.as_str().unwrap_or_default().to_owned())
    }

    /// Goes on with the tabulator until an element with this tag has the focus.
    pub(crate) async fn tab_to(&self, tag: &str) -> WebDriverResult<()> {
        for _ in 0..80 {
            self.press(Key::Tab + "").await?;
            if self.ask("return document.activeElement.tagName").await? == tag {
                return Ok(());
            }
        }
        Err(WebDriverError::Timeout(format!(
            "the tabulator never comes to {tag}"
        )))
    }

    /// Switches scripts of pages off, as some people do.
    pub(crate) async fn without_scripts(&self) -> WebDriverResult<()> {
        let off = json!({ "value": true });
        self.tell("Emulation.setScriptExecutionDisabled", off)
            .await?;
        Ok(())
    }

    /// Forgets what the console said of answers that a test wanted to be refused: Chromium reports
    /// each.
    pub(crate) async fn refused(&self) -> WebDriverResult<()> {
        let said = self.driver.get_log("browser").await?;
        assert!(!said.is_empty(), "nothing was refused");
        for entry in said {
            let is_refusal = entry
                .message
                .contains("the server responded with a status of 4");
            assert!(is_refusal, "in the console: {}", entry.message);
        }
        Ok(())
    }

    /// Signs in as the administrator that there is.
    pub(crate) async fn sign_in(&self) -> WebDriverResult<()> {
        self.visit("/sign-in").await?;
        self.fill("[name=name]", "ann").await?;
        self.fill("[name=password]", PASSWORD).await?;
        self.click("button.primary").await?;
        // Whoever goes on before the first page is there ends on it.
        self.arrive("form[action='/sign-out']").await
    }

    /// Waits for the page that has such an element.
    pub(crate) async fn arrive(&self, css: &str) -> WebDriverResult<()> {
        self.driver.query(By::Css(css)).first().await.map(drop)
    }

    /// Shows pages as a screen of this width does, in this theme.
    pub(crate) async fn look(&self, width: u32, theme: &str) -> WebDriverResult<()> {
        let scheme = json!({ "features": [
            { "name": "prefers-color-scheme", "value": theme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.tell("Emulation.setEmulatedMedia", scheme).await?;
        let height = if width < 500 { 844 } else { 900 };
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": width < 500 });
        self.tell("Emulation.setDeviceMetricsOverride", size)
            .await?;
        Ok(())
    }

    /// The page as it looks, to its end, but no further than `most` pixels down.
    pub(crate) async fn picture(&self, width: u32, most: u32) -> WebDriverResult<Vec<u8>> {
        let height = self
            .ask("return Math.ceil(document.documentElement.getBoundingClientRect().height)")
            .await?;
        let height = height.as_u64().unwrap_or(900).clamp(400, most.into());
        // What sticks to the bottom of the screen is at the bottom of the picture.
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": width < 500 });
        self.tell("Emulation.setDeviceMetricsOverride", size)
            .await?;
        let wanted = json!({ "format": "webp", "quality": 62, "captureBeyondViewport": true,
            "clip": { "x": 0, "y": 0, "width": width, "height": height, "scale": 1 } });
        let answer = self.tell("Page.captureScreenshot", wanted).await?;
        let data = answer["data"].as_str().unwrap_or_default();
        Ok(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).unwrap())
    }

    /// That the pages since the last look had no errors and asked nobody else.
    pub(crate) async fn assert_content(&self) -> WebDriverResult<()> {
        let said = self.driver.get_log("browser").await?;
        let errors: Vec<&String> = said
            .iter()
            .filter(|entry| entry.level == "SEVERE" || entry.level == "WARNING")
            .map(|entry| &entry.message)
            .collect();
        assert!(errors.is_empty(), "in the console: {errors:#?}");
        for entry in self.driver.get_log("performance").await? {
            let event: Value = serde_json::from_str(&entry.message)?;
            let event = &event["message"];
            if event["method"] != "Network.requestWillBeSent" {
                continue;
            }
            let url = event["params"]["request"]["url"]
                .as_str()
                .unwrap_or_default();
            assert!(
                url.starts_with(&self.service.base) || url.starts_with("data:"),
                "asked {url}"
            );
            self.asked.set(self.asked.get() + 1);
        }
        assert!(
            self.asked.get() > 0,
            "the browser does not say what it asks"
        );
        Ok(())
    }
}

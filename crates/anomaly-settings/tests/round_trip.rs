//! Settings written are settings read, and no text makes the reader fail otherwise than by an error.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod any_settings;

use std::path::Path;

use anomaly_settings::Settings;
use proptest::prelude::*;

use any_settings::any_settings;

/// The settings that a file of this text holds.
fn file(text: &str) -> Settings {
    Settings::parse(Path::new("backwatch.toml"), text).unwrap()
}

proptest! {
    #[test]
    fn toml_and_json_read_back_to_the_same(settings in any_settings()) {
        let text = settings.to_toml().unwrap();
        prop_assert_eq!(&file(&text), &settings, "{}", text);
        prop_assert_eq!(&toml::from_str::<Settings>(&text).unwrap(), &settings, "{}", text);

        let json = serde_json::to_string(&settings).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Settings>(&json).unwrap(), &settings, "{}", json);
    }

    /// Text near to TOML gets further into the reader than any text.
    #[test]
    fn text_is_read_or_refused(
        settings in any_settings(),
        cut in any::<prop::sample::Index>(),
        garbage in r#"(\PC|[\n\[\]{}=.,'"0-9])*"#,
    ) {
        let mut text = settings.to_toml().unwrap();
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        text.insert_str(*cut.get(&boundaries), &garbage);
        for text in [text.as_str(), garbage.as_str()] {
            let path = Path::new("backwatch.toml");
            match Settings::parse(path, text) {
                // What the reader accepts, the type accepts too.
                Ok(read) => prop_assert_eq!(toml::from_str::<Settings>(text).unwrap(), read),
                Err(error) => prop_assert!(
                    error.to_string().lines().all(|line| line.starts_with("backwatch.toml:")),
                    "{}", error
                ),
            }
        }
    }

    #[test]
    fn flags_are_read_or_refused(key in "[a-z_.]{0,30}", value in any::<String>()) {
        for key in Settings::keys().iter().map(|key| key.name.to_owned()).chain([key]) {
            if let Err(error) = Settings::load(None, [], &[(key, value.clone())]) {
                prop_assert!(error.to_string().starts_with("--set: "), "{}", error);
            }
        }
    }
}

#[test]
fn the_default_file_is_the_default() {
    assert_eq!(
        file(&Settings::default().to_toml().unwrap()),
        Settings::default()
    );
    assert_eq!(file(""), Settings::default());
}

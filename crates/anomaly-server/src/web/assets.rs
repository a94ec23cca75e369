//! The style and the script, which are part of the program.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const ASSETS: &[(&str, &str, &str)] = &[
    (
        "app.css",
        "text/css; charset=utf-8",
        include_str!("../../assets/app.css"),
    ),
    (
        "app.js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/app.js"),
    ),
    (
        "icon.svg",
        "image/svg+xml",
        include_str!("../../assets/icon.svg"),
    ),
];

/// One of them. Their names do not change with the program's version: they are asked for again after
/// an hour.
pub(crate) async fn asset(Path(file): Path<String>) -> Response {
    match ASSETS.iter().find(|(name, ..)| *name == file) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some((_, kind, text)) => {
            let headers = [
                (header::CONTENT_TYPE, *kind),
                (header::CACHE_CONTROL, "max-age=3600"),
            ];
            (headers, *text).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::ASSETS;

    /// Least contrast of text (WCAG 2.2, 1.4.3).
    const LEAST: f64 = 4.5;

    /// The colours of the style sheet, by name: light, then dark.
    fn tokens() -> BTreeMap<&'static str, [[f64; 3]; 2]> {
        let (_, _, style) = ASSETS.iter().find(|(name, ..)| *name == "app.css").unwrap();
        let lines = style
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("--"));
        let of = |line: &'static str| {
            let (name, value) = line.trim_end_matches(';').split_once(": ")?;
            let colours: Vec<[f64; 3]> = value
                .split(['(', ',', ')', ' '])
                .filter_map(|word| colour(word.strip_prefix('#')?))
                .collect();
            match colours[..] {
                [both] => Some((name, [both, both])),
                [light, dark] => Some((name, [light, dark])),
                _ => None,
            }
        };
        lines.filter_map(of).collect()
    }

    fn colour(hex: &str) -> Option<[f64; 3]> {
        let part = |place: usize| u8::from_str_radix(hex.get(place..place + 2)?, 16).ok();
        let [red, green, blue] = [part(0)?, part(2)?, part(4)?];
        Some([red, green, blue].map(|part| f64::from(part) / 255.0))
    }

    /// Relative luminance, as WCAG 2.2 defines it.
    fn luminance(colour: [f64; 3]) -> f64 {
        let linear = |part: f64| {
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = colour.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn contrasts_are_those_of_the_definition() {
        let (black, white) = ([0.0; 3], [1.0; 3]);
        assert!((contrast(black, white) - 21.0).abs() < 1e-9);
        assert!((contrast(colour("777777").unwrap(), white) - 4.48).abs() < 0.01);
    }

    #[test]
    fn text_stands_out_in_both_themes() {
        let tokens = tokens();
        assert!(tokens.len() > 20, "{}", tokens.len());
        let washes = ["--good-wash", "--low-wash", "--medium-wash", "--high-wash"];
        let grounds = ["--ground", "--surface", "--raised"];
        let mut pairs = vec![("--on-accent", "--accent"), ("--good", "--good-wash")];
        for text in ["--text", "--muted", "--accent"] {
            pairs.extend(grounds.iter().chain(&washes).map(|ground| (text, *ground)));
        }
        for (severity, wash) in ["--low", "--medium", "--high"]
            .into_iter()
            .zip(&washes[1..])
        {
            pairs.push((severity, wash));
            pairs.extend(grounds.map(|ground| (severity, ground)));
        }
        pairs.extend(grounds.map(|ground| ("--good", ground)));
        let mut weak = Vec::new();
        for (text, ground) in pairs {
            for (theme, name) in ["light", "dark"].iter().enumerate() {
                let found = contrast(tokens[text][theme], tokens[ground][theme]);
                if found < LEAST {
                    weak.push(format!("{text} on {ground}, {name}: {found:.2}"));
                }
            }
        }
        let badge = contrast(tokens["--badge"][0], [1.0; 3]);
        assert!(badge >= LEAST, "{badge:.2}");
        assert!(weak.is_empty(), "{weak:#?}");
    }
}

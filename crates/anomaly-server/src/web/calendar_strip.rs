//! A cell a day: when it began, and how far it spread.

use crate::calendar::{DAYS, Day};

/// One client's days, the oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Strip {
    pub(crate) client: String,
    pub(crate) address: String,
    /// The row as SVG.
    pub(crate) svg: String,
    /// The same in words, for who does not see it.
    pub(crate) words: String,
}

const CELL: usize = 8;
const GAP: usize = 2;
const HEIGHT: usize = 16;

impl Strip {
    pub(crate) fn of(client: &str, days: &[Day], last: anomaly_model::chrono::NaiveDate) -> Self {
        use std::fmt::Write as _;
        let width = usize::from(DAYS) * (CELL + GAP) - GAP;
        let mut svg = format!(
            "<svg class=\"strip\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" \
             role=\"img\" aria-hidden=\"true\">"
        );
        let mut strange = 0_u64;
        for (place, day) in days.iter().enumerate() {
            let back = anomaly_model::chrono::Days::new((days.len() - 1 - place) as u64);
            let date = last.checked_sub_days(back).unwrap_or(last);
            strange += u64::from(day.is_strange());
            // Writing to a string does not fail.
            _ = write!(
                svg,
                "<rect class=\"day {}\" x=\"{}\" width=\"{CELL}\" height=\"{HEIGHT}\"><title>{date}: \
                 {}</title></rect>",
                day.class(),
                place * (CELL + GAP),
                day.words(),
            );
        }
        svg.push_str("</svg>");
        Self {
            client: client.to_owned(),
            address: format!("/anomalies?client={}", super::encoded(client)),
            svg,
            words: match strange {
                0 => "no anomalies in 90 days".to_owned(),
                strange => format!("{} with anomalies", super::words::counted(strange, "day")),
            },
        }
    }
}

/// The months above the rows, which are as wide as the rows.
pub(crate) fn axis(last: anomaly_model::chrono::NaiveDate) -> String {
    use std::fmt::Write as _;

    use anomaly_model::chrono::{Datelike as _, Days};
    let mut svg = String::from("<svg class=\"axis\" aria-hidden=\"true\">");
    for back in (0..u64::from(DAYS)).rev() {
        let date = last.checked_sub_days(Days::new(back)).unwrap_or(last);
        let place = f64::from(DAYS) - 1.0 - back as f64;
        let percent = place / f64::from(DAYS) * 100.0;
        // A name has room before the end.
        if date.day() == 1 && percent < 94.0 {
            // Writing to a string does not fail.
            _ = write!(
                svg,
                "<line x1=\"{percent:.2}%\" x2=\"{percent:.2}%\" y1=\"0\" y2=\"16\"/><text \
                 x=\"{percent:.2}%\" dx=\"4\" y=\"12\">{}</text>",
                super::words::month(date)
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

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

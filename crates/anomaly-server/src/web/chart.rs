//! Charts, drawn as SVG.

use std::fmt::Write as _;

use anomaly_features::{Previous, Unit, extract, label};
use anomaly_model::chrono::{DateTime, Datelike as _, NaiveDate, Utc, Weekday};
use anomaly_model::{BackupJob, Finding, JobKey};
use plotters::prelude::*;

use super::words::short_month;
use crate::calendar::Counts;
use crate::problem::Problem;

/// Colours that stand for those of the theme, which the style sheet knows.
const THEME: &[(RGBColor, &str)] = &[
    (BAND, "var(--band)"),
    (POINT, "var(--point)"),
    (THIS, "var(--high)"),
    (LINE, "var(--line)"),
    (TEXT, "var(--muted)"),
    (SHADE, "var(--high-wash)"),
];
const BAND: RGBColor = RGBColor(1, 0, 1);
const POINT: RGBColor = RGBColor(2, 0, 2);
const THIS: RGBColor = RGBColor(3, 0, 3);
const LINE: RGBColor = RGBColor(4, 0, 4);
const TEXT: RGBColor = RGBColor(5, 0, 5);
const SHADE: RGBColor = RGBColor(6, 0, 6);

/// One feature of a stream's last jobs.
#[derive(Debug, Clone)]
pub(crate) struct FeatureChart {
    pub(crate) name: String,
    pub(crate) observed: String,
    pub(crate) usual: String,
    pub(crate) svg: String,
}

/// What a feature was in the jobs up to the one that is looked at, which is the last; `None` where
/// the feature is none that jobs have by themselves. A time may be shaded: that of an incident.
pub(crate) fn feature_chart(
    finding: &Finding,
    jobs: &[BackupJob],
    this: &JobKey,
    shaded: Option<Span>,
) -> Result<Option<FeatureChart>, Problem> {
    let name = finding.feature.as_str();
    let Some((label, unit)) = label(name) else {
        return Ok(None);
    };
    let mut previous: Option<Previous> = None;
    let mut points = Vec::new();
    for job in jobs {
        let value = extract(job, previous.as_ref()).value(name);
        previous = Some(Previous::of(job).or(previous.as_ref()));
        let value = if job.key() == *this {
            Some(finding.observed)
        } else {
            value
        };
        points.push((job.started_at(), value));
    }
    if points.iter().filter(|(_, value)| value.is_some()).count() < 3 {
        return Ok(None);
    }
    let band = (finding.usual_low, finding.usual_high);
    Ok(Some(FeatureChart {
        name: label.to_owned(),
        observed: unit.format(finding.observed),
        usual: unit.format_range(finding.usual_low, finding.usual_high),
        svg: themed(draw_feature(&points, band, unit, shaded))?,
    }))
}

type Drawn = Result<String, Box<dyn std::error::Error>>;
/// When a job was, and what it showed.
type Point = (DateTime<Utc>, Option<f64>);

/// From when until when.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// Pixels of a chart of one feature.
const SIZE: (u32, u32) = (440, 176);
/// However small it is beside the rest, this much of the height shows the usual band.
const LEAST_BAND: f64 = 0.04;
/// However short it was, this much of the width shows an incident.
const LEAST_SHADE: f64 = 0.025;

/// A moment, as the axis has it.
fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp() as f64
}

fn draw_feature(
    points: &[Point],
    (low, high): (f64, f64),
    unit: Unit,
    shaded: Option<Span>,
) -> Drawn {
    let values = points
        .iter()
        .filter_map(|(_, value)| *value)
        .chain([low, high]);
    let (least, most) = values.fold((f64::MAX, f64::MIN), |(least, most), value| {
        (least.min(value), most.max(value))
    });
    let margin = ((most - least) * 0.08).max(most.abs() * 0.01).max(1e-9);
    let bottom = if least >= 0.0 {
        (least - margin).max(0.0)
    } else {
        least - margin
    };
    let top = most + margin;
    let times = points.iter().map(|(at, _)| seconds(*at));
    let (begin, end) = times.fold((f64::MAX, f64::MIN), |(begin, end), at| {
        (begin.min(at), end.max(at))
    });
    let side = ((end - begin) * 0.025).max(3_600.0);
    let (left, right) = (begin - side, end + side);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(6)
            .x_label_area_size(18)
            .y_label_area_size(76)
            .build_cartesian_2d(left..right, bottom..top)?;
        let text = ("system-ui", 12).into_font().color(&TEXT);
        if let Some((from, until)) = shaded {
            let least = (right - left) * LEAST_SHADE;
            let from = seconds(from).min(right - least).max(left);
            let until = seconds(until).clamp(from + least, right.max(from + least));
            let corners = [(from - least / 2.0, bottom), (until, top)];
            chart.draw_series([Rectangle::new(corners, SHADE.filled())])?;
        }
        let band = (high - low.max(bottom)).max((top - bottom) * LEAST_BAND);
        let corners = [(left, low.max(bottom)), (right, low.max(bottom) + band)];
        chart.draw_series([Rectangle::new(corners, BAND.filled())])?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .y_labels(4)
            .y_label_formatter(&|value| short(*value, unit))
            .label_style(text.clone())
            .axis_style(LINE)
            .bold_line_style(LINE)
            .light_line_style(TRANSPARENT)
            .draw()?;
        for (at, month) in ticks(left, right) {
            let (x, y) = chart.backend_coord(&(at, bottom));
            let length = if month.is_some() { 8 } else { 4 };
            root.draw(&PathElement::new(vec![(x, y), (x, y + length)], LINE))?;
            // A name has room before the end.
            let width = |month: &String| if month.len() > 3 { 68 } else { 40 };
            if let Some(month) = month
                && x < SIZE.0.cast_signed() - width(&month)
            {
                root.draw(&Text::new(month, (x + 4, y + 5), text.clone()))?;
            }
        }
        let known = points
            .iter()
            .enumerate()
            .filter_map(|(place, (at, value))| {
                Some((place + 1 == points.len(), (seconds(*at), (*value)?)))
            });
        let (this, before): (Vec<_>, Vec<_>) = known.partition(|(is_this, _)| *is_this);
        let dots = before.into_iter();
        chart.draw_series(dots.map(|(_, at)| Circle::new(at, 3, POINT.filled())))?;
        for (_, (x, y)) in this {
            let line = PathElement::new(vec![(x, bottom), (x, y)], THIS);
            chart.draw_series([line])?;
            chart.draw_series([Circle::new((x, y), 6, THIS.filled())])?;
        }
        root.present()?;
    }
    Ok(svg)
}

/// A number beside an axis, where there is little room.
fn short(value: f64, unit: Unit) -> String {
    let text = unit.format(value);
    match text.split_once(' ') {
        Some((digits, unit)) if digits.len() > 4 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{:.0}k {unit}", value / 1_000.0)
        }
        _ => text,
    }
}

/// The Mondays of a time, and the first days of months with their names.
fn ticks(from: f64, until: f64) -> Vec<(f64, Option<String>)> {
    const DAY: f64 = 86_400.0;
    let mut ticks = Vec::new();
    let mut has_month = false;
    let mut at = (from / DAY).ceil() * DAY;
    // Of a very long time, weeks would be a grey bar.
    let has_weeks = until - from < 400.0 * DAY;
    while at < until {
        #[expect(clippy::cast_possible_truncation, reason = "seconds of a date")]
        let date = DateTime::from_timestamp(at as i64, 0).map(|at| at.date_naive());
        if let Some(date) = date {
            if date.day() == 1 {
                // The year stands where it begins, and with the first.
                let is_first = !std::mem::replace(&mut has_month, true);
                let month = if is_first || date.month() == 1 {
                    short_month(date)
                } else {
                    date.format("%b").to_string()
                };
                ticks.push((at, Some(month)));
            } else if has_weeks && date.weekday() == Weekday::Mon {
                ticks.push((at, None));
            }
        }
        at += DAY;
    }
    ticks
}

/// Height of the bars of the days, in pixels.
const BARS: f64 = 92.0;

/// Anomalies a day, stacked by severity. It is as wide as there is room, and its words are as large
/// as others: places are shares of the width, so it has no view box.
pub(crate) fn days_chart(days: &[(NaiveDate, Counts)]) -> String {
    let sums = days.iter().map(|(_, counts)| counts.iter().sum::<u32>());
    let most = sums.max().unwrap_or(0).max(2);
    let percent = |place: usize| place as f64 / days.len().max(1) as f64 * 100.0;
    let height = |count: u32| f64::from(count) / f64::from(most) * BARS;
    let mut svg = String::from("<svg class=\"days\" aria-hidden=\"true\">");
    // Writing to a string does not fail.
    for (y, count) in [(0.5, most), (BARS / 2.0, most / 2), (BARS, 0)] {
        _ = write!(svg, "<line x1=\"0\" x2=\"100%\" y1=\"{y}\" y2=\"{y}\"/>");
        // Half of an odd number is none that anomalies come in.
        if count == most || count > 0 && count * 2 == most {
            _ = write!(svg, "<text x=\"0\" y=\"{}\">{count}</text>", y + 13.0);
        }
    }
    for (place, (date, counts)) in days.iter().enumerate() {
        let mut y = BARS;
        for (count, class) in counts.iter().zip(["low", "medium", "high"]) {
            if *count > 0 {
                y -= height(*count);
                _ = write!(
                    svg,
                    "<rect class=\"day {class}\" x=\"{:.2}%\" width=\"{:.2}%\" y=\"{y:.1}\" \
                     height=\"{:.1}\"><title>{date}: {count} {class}</title></rect>",
                    percent(place),
                    percent(1) * 0.8,
                    height(*count),
                );
            }
        }
        // A name has room before the end.
        if date.day() == 1 && percent(place) < 88.0 {
            _ = write!(
                svg,
                "<line x1=\"{0:.2}%\" x2=\"{0:.2}%\" y1=\"{BARS}\" y2=\"108\"/><text x=\"{0:.2}%\" \
                 dx=\"4\" y=\"107\">{1}</text>",
                percent(place),
                short_month(*date),
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

/// The same with the colours of the theme, and as wide as there is room.
fn themed(drawn: Drawn) -> Result<String, Problem> {
    let mut svg = drawn.map_err(|error| Problem::internal(&error.to_string()))?;
    for (colour, variable) in THEME {
        let RGBColor(red, green, blue) = colour;
        let mut written = String::from("\"#");
        // Writing to a string does not fail.
        _ = write!(written, "{red:02X}{green:02X}{blue:02X}\"");
        svg = svg.replace(&written, &format!("\"{variable}\""));
    }
    Ok(svg.replacen(
        "<svg ",
        "<svg class=\"chart\" role=\"img\" aria-hidden=\"true\" ",
        1,
    ))
}

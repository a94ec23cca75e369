//! Charts, drawn as SVG.

use std::fmt::Write as _;

use anomaly_features::{Previous, Unit, extract, label};
use anomaly_model::chrono::{DateTime, NaiveDate, Utc};
use anomaly_model::{BackupJob, Finding, JobKey};
use plotters::prelude::*;

use crate::calendar::Counts;
use crate::problem::Problem;

/// Colours that stand for those of the theme, which the style sheet knows.
const THEME: &[(RGBColor, &str)] = &[
    (BAND, "var(--band)"),
    (POINT, "var(--point)"),
    (THIS, "var(--high)"),
    (LINE, "var(--line)"),
    (TEXT, "var(--muted)"),
    (LOW, "var(--low)"),
    (MEDIUM, "var(--medium)"),
    (HIGH, "var(--high-fill)"),
];
const BAND: RGBColor = RGBColor(1, 0, 1);
const POINT: RGBColor = RGBColor(2, 0, 2);
const THIS: RGBColor = RGBColor(3, 0, 3);
const LINE: RGBColor = RGBColor(4, 0, 4);
const TEXT: RGBColor = RGBColor(5, 0, 5);
const LOW: RGBColor = RGBColor(6, 0, 6);
const MEDIUM: RGBColor = RGBColor(7, 0, 7);
const HIGH: RGBColor = RGBColor(8, 0, 8);

/// One feature of a stream's last jobs.
#[derive(Debug, Clone)]
pub(crate) struct FeatureChart {
    pub(crate) name: String,
    pub(crate) observed: String,
    pub(crate) usual: String,
    pub(crate) svg: String,
}

/// What a feature was in the jobs up to the one that is looked at, which is the last; `None` where
/// the feature is none that jobs have by themselves.
pub(crate) fn feature_chart(
    finding: &Finding,
    jobs: &[BackupJob],
    this: &JobKey,
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
        svg: themed(draw_feature(&points, band, unit))?,
    }))
}

/// What is drawn at a place of the axis.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "axes are short and begin at 0"
)]
fn place_of(place: f64) -> usize {
    place.max(0.0).round() as usize
}

type Drawn = Result<String, Box<dyn std::error::Error>>;
/// When a job was, and what it showed.
type Point = (DateTime<Utc>, Option<f64>);

fn draw_feature(points: &[Point], (low, high): (f64, f64), unit: Unit) -> Drawn {
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
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (440, 170)).into_drawing_area();
        let width = points.len() as f64;
        let mut chart = ChartBuilder::on(&root)
            .margin(6)
            .x_label_area_size(22)
            .y_label_area_size(64)
            .build_cartesian_2d(-0.5..width - 0.5, bottom..most + margin)?;
        let day = |place: &f64| {
            let job = points.get(place_of(*place));
            job.map_or_else(String::new, |(at, _)| at.format("%d %b").to_string())
        };
        let style = ("system-ui", 11).into_font().color(&TEXT);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(4)
            .y_labels(4)
            .x_label_formatter(&day)
            .y_label_formatter(&|value| unit.format(*value))
            .label_style(style)
            .axis_style(LINE)
            .bold_line_style(LINE)
            .light_line_style(TRANSPARENT)
            .draw()?;
        let corners = [(-0.5, low.max(bottom)), (width - 0.5, high)];
        chart.draw_series([Rectangle::new(corners, BAND.filled())])?;
        let known = points
            .iter()
            .enumerate()
            .filter_map(|(place, (_, value))| Some((place as f64, (*value)?)));
        let (this, before): (Vec<_>, Vec<_>) =
            known.partition(|(place, _)| place_of(*place) + 1 == points.len());
        chart.draw_series(
            before
                .into_iter()
                .map(|at| Circle::new(at, 2, POINT.filled())),
        )?;
        chart.draw_series(this.into_iter().map(|at| Circle::new(at, 5, THIS.filled())))?;
        root.present()?;
    }
    Ok(svg)
}

/// Anomalies a day, stacked by severity.
pub(crate) fn days_chart(days: &[(NaiveDate, Counts)]) -> Result<String, Problem> {
    themed(draw_days(days))
}

fn draw_days(days: &[(NaiveDate, Counts)]) -> Drawn {
    let most = days
        .iter()
        .map(|(_, counts)| counts.iter().sum::<u32>())
        .max();
    let most = f64::from(most.unwrap_or(0).max(3)) * 1.1;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (900, 150)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(6)
            .x_label_area_size(22)
            .y_label_area_size(36)
            .build_cartesian_2d(0.0..days.len() as f64, 0.0..most)?;
        let day = |place: &f64| {
            let day = days.get(place_of(*place));
            day.map_or_else(String::new, |(date, _)| date.format("%d %b").to_string())
        };
        let style = ("system-ui", 11).into_font().color(&TEXT);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(7)
            .y_labels(4)
            .x_label_formatter(&day)
            .y_label_formatter(&|count| format!("{count:.0}"))
            .label_style(style)
            .axis_style(LINE)
            .bold_line_style(LINE)
            .light_line_style(TRANSPARENT)
            .draw()?;
        for (place, (_, counts)) in days.iter().enumerate() {
            let (left, mut below) = (place as f64 + 0.12, 0.0);
            for (count, colour) in counts.iter().zip([LOW, MEDIUM, HIGH]) {
                let above = below + f64::from(*count);
                if *count > 0 {
                    let corners = [(left, below), (left + 0.76, above)];
                    chart.draw_series([Rectangle::new(corners, colour.filled())])?;
                }
                below = above;
            }
        }
        root.present()?;
    }
    Ok(svg)
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

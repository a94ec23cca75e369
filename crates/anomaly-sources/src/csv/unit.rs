//! The units in which a column can be.

use serde::Deserialize;

use crate::csv::field::Kind;
use crate::csv::number::Number;
use crate::duration;

/// The unit of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Unit {
    B,
    KB,
    MB,
    GB,
    TB,
    PB,
    KiB,
    MiB,
    GiB,
    TiB,
    PiB,
    /// Each cell has its unit behind the number; `GB` is 1,000,000,000 bytes.
    #[serde(rename = "cell")]
    Cell,
    /// Each cell has its unit behind the number; `GB` is 1,073,741,824 bytes.
    #[serde(rename = "cell_1024")]
    Cell1024,
    #[serde(rename = "milliseconds")]
    Milliseconds,
    #[serde(rename = "seconds")]
    Seconds,
    #[serde(rename = "minutes")]
    Minutes,
    #[serde(rename = "hours")]
    Hours,
    #[serde(rename = "days")]
    Days,
    #[serde(rename = "hh:mm:ss")]
    Clock,
    #[serde(rename = "iso8601")]
    Iso8601,
    /// 0 to 1.
    #[serde(rename = "ratio")]
    Ratio,
    #[serde(rename = "percent")]
    Percent,
    /// How many times smaller: 4 is a share of 0.75 that needed no transfer.
    #[serde(rename = "factor")]
    Factor,
}

/// `KB`, `KiB` and so on, with their powers.
const PREFIXES: [(char, u32); 5] = [('k', 1), ('m', 2), ('g', 3), ('t', 4), ('p', 5)];

impl Unit {
    /// The kind of field that can be in this unit.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Milliseconds
            | Self::Seconds
            | Self::Minutes
            | Self::Hours
            | Self::Days
            | Self::Clock
            | Self::Iso8601 => Kind::Seconds,
            Self::Ratio | Self::Percent | Self::Factor => Kind::Share,
            _ => Kind::Bytes,
        }
    }

    /// The number in a cell, in our unit: bytes, seconds, or a share. The error says what it must
    /// be.
    pub(super) fn read(self, cell: &str, decimal_comma: bool) -> Result<Number, String> {
        let number = |text: &str| {
            let expected = if decimal_comma {
                "a number such as 1234,5"
            } else {
                "a number such as 1234.5"
            };
            Number::parse(text, decimal_comma).ok_or_else(|| expected.to_owned())
        };
        let length = |seconds: Option<f64>, example: &str| {
            let expected = || format!("a length of time such as {example}");
            seconds.map(Number::Real).ok_or_else(expected)
        };
        let bytes = |factor: u64| {
            let number = number(cell)?;
            number
                .times(factor)
                .ok_or_else(|| TOO_MANY_BYTES.to_owned())
        };
        let scaled = |factor: f64| Ok(Number::Real(number(cell)?.to_f64() * factor));
        match self {
            Self::B => bytes(1),
            Self::KB => bytes(1000),
            Self::MB => bytes(1000_u64.pow(2)),
            Self::GB => bytes(1000_u64.pow(3)),
            Self::TB => bytes(1000_u64.pow(4)),
            Self::PB => bytes(1000_u64.pow(5)),
            Self::KiB => bytes(1 << 10),
            Self::MiB => bytes(1 << 20),
            Self::GiB => bytes(1 << 30),
            Self::TiB => bytes(1 << 40),
            Self::PiB => bytes(1 << 50),
            Self::Cell => with_unit(cell, 1000, decimal_comma),
            Self::Cell1024 => with_unit(cell, 1024, decimal_comma),
            Self::Milliseconds => scaled(0.001),
            Self::Seconds | Self::Ratio => scaled(1.0),
            Self::Minutes => scaled(60.0),
            Self::Hours => scaled(3600.0),
            Self::Days => scaled(86_400.0),
            Self::Clock => length(duration::of_clock(cell), "01:30:00"),
            Self::Iso8601 => length(duration::of_iso_8601(cell), "PT1H30M"),
            Self::Percent => {
                let percent = cell.strip_suffix('%').unwrap_or(cell);
                Ok(Number::Real(number(percent)?.to_f64() / 100.0))
            }
            Self::Factor => {
                let factor = cell.strip_suffix(":1").unwrap_or(cell);
                let factor = factor.strip_suffix(['x', 'X']).unwrap_or(factor);
                let factor = number(factor)?.to_f64();
                (factor >= 1.0)
                    .then(|| Number::Real(1.0 - 1.0 / factor))
                    .ok_or_else(|| "a factor of 1 or more".to_owned())
            }
        }
    }
}

const TOO_MANY_BYTES: &str = "fewer bytes than 2^64";

/// `12.5 GB`, `12.5GiB`, `980 bytes`, `980`.
fn with_unit(cell: &str, base: u64, decimal_comma: bool) -> Result<Number, String> {
    const EXPECTED: &str = "a number and a unit, such as 12.5 GB";
    let at = cell.find(|char: char| char.is_ascii_alphabetic());
    let (number, unit) = cell.split_at(at.unwrap_or(cell.len()));
    let number = Number::parse(number, decimal_comma).ok_or(EXPECTED)?;
    let unit = unit.trim().to_ascii_lowercase();
    let (unit, base) = match unit.strip_suffix("ib") {
        Some(prefix) => (prefix, 1024),
        None => (unit.strip_suffix('b').unwrap_or(&unit), base),
    };
    let power = match unit {
        "" | "byte" | "bytes" => Some(0),
        _ => PREFIXES
            .iter()
            .find(|(prefix, _)| unit == prefix.to_string())
            .map(|(_, power)| *power),
    };
    let factor = base.pow(power.ok_or(EXPECTED)?);
    number
        .times(factor)
        .ok_or_else(|| TOO_MANY_BYTES.to_owned())
}

//! Numbers as reports write them.

/// What may part groups of three digits, besides the comma or the point that is not the decimal
/// one: blanks of several widths, and apostrophes.
const GROUP_MARKS: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}'];

/// A number that was written out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// Exactly this.
    Whole(u64),
    /// As close as a float comes.
    Real(f64),
}

impl Number {
    /// Reads `1234`, `1,234.5` or, with a decimal comma, `1.234,5`. `None` if it is no number:
    /// `1,5` is none unless the comma is the decimal one.
    pub(super) fn parse(text: &str, decimal_comma: bool) -> Option<Self> {
        let text = text.trim();
        let (decimal, group) = if decimal_comma {
            (',', '.')
        } else {
            ('.', ',')
        };
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (digits, None),
        };
        let (whole, fraction) = match mantissa.split_once(decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let whole = ungrouped(whole, group)?;
        let is_plain = fraction.is_none() && exponent.is_none() && sign.is_empty();
        if is_plain && let Ok(whole) = whole.parse() {
            return Some(Self::Whole(whole));
        }
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !fraction.is_none_or(is_digits) {
            return None;
        }
        let exponent_digits = exponent.map(|exponent| exponent.trim_start_matches(['+', '-']));
        if exponent_digits.is_some_and(|digits| digits.is_empty() || !is_digits(digits)) {
            return None;
        }
        let (fraction, exponent) = (fraction.unwrap_or("0"), exponent.unwrap_or("0"));
        let number: f64 = format!("{sign}{whole}.{fraction}e{exponent}")
            .parse()
            .ok()?;
        number.is_finite().then_some(Self::Real(number))
    }

    pub(super) fn to_f64(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }

    /// Times `factor`, rounded. `None` beyond 64 bits.
    pub(super) fn times(self, factor: u64) -> Option<Self> {
        match self {
            Self::Whole(number) => number.checked_mul(factor).map(Self::Whole),
            Self::Real(number) => {
                let product = (number * factor as f64).round();
                // 2^64, the first float that is too large.
                (product < 18_446_744_073_709_551_616.0).then_some(())?;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "checked"
                )]
                let whole = (product >= 0.0).then_some(product as u64);
                Some(whole.map_or(Self::Real(product), Self::Whole))
            }
        }
    }
}

/// Digits without the marks between groups of three; `None` where the groups are no such.
fn ungrouped(text: &str, group: char) -> Option<String> {
    let is_mark = |char: char| char == group || GROUP_MARKS.contains(&char);
    let groups: Vec<&str> = text.split(is_mark).collect();
    let is_digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
    let [first, others @ ..] = groups.as_slice() else {
        return None;
    };
    let fits = others.is_empty() || (1..=3).contains(&first.len());
    let all_fit = fits && others.iter().all(|group| group.len() == 3);
    (all_fit && !first.is_empty() && groups.iter().all(is_digits)).then(|| groups.concat())
}

#[cfg(test)]
mod tests {
    use super::Number::{self, Real, Whole};

    #[test]
    fn points_and_commas() {
        let point = |text| Number::parse(text, false);
        let comma = |text| Number::parse(text, true);
        assert_eq!(point("1,234,567.5"), Some(Real(1_234_567.5)));
        assert_eq!(comma("1.234.567,5"), Some(Real(1_234_567.5)));
        for text in ["1 234", "1\u{a0}234", "1'234", "+1234", " 1234 "] {
            assert_eq!(point(text), Some(Whole(1234)), "{text}");
        }
        assert_eq!(point("18446744073709551615"), Some(Whole(u64::MAX)));
        assert_eq!(point("-2.5"), Some(Real(-2.5)));
        assert_eq!(point("1.5E+3"), Some(Real(1500.0)));
        assert_eq!(comma("0,25"), Some(Real(0.25)));
        for text in [
            "", "1,5", "12,34.5", "1234,567", "1.2.3", "x", "1e", "NaN", "inf", "0x1F", "1e999",
            "--1", ".",
        ] {
            assert_eq!(point(text), None, "{text}");
        }
        assert_eq!(comma("1.5"), None);
    }

    #[test]
    fn units_multiply() {
        assert_eq!(Real(1.5).times(1 << 30), Some(Whole(1_610_612_736)));
        assert_eq!(
            Whole(u64::MAX / 1024).times(1024),
            Some(Whole(u64::MAX - 1023))
        );
        assert_eq!(Whole(u64::MAX / 1024 + 1).times(1024), None);
        assert_eq!(Real(1e20).times(1), None);
        assert_eq!(Real(-0.6).times(2), Some(Real(-1.0)));
    }
}

//! Random data written in fewer symbols.

use super::histogram::{SEPARATORS, SYMBOLS};
use super::uniformity::{MOST_Z, is_enough, normal_score, uniformity_z};

/// The symbols of an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alphabet {
    /// `0` to `9`.
    Digits,
    /// Hexadecimal digits of one case.
    Hexadecimal,
    /// RFC 4648's base 32, of one case.
    Base32,
    /// RFC 4648's base 64, or its URL-safe form.
    Base64,
    /// Base 85 in the alphabets of Adobe, of RFC 1924, or of `Z85`.
    Base85,
    /// Small letters, capital letters and digits, each class random in itself, while everything else
    /// is left as it was.
    Classes,
    /// This many symbols of no encoding that has a name, such as the 62 letters and digits, or all
    /// printable ones.
    Other(u8),
}

/// The fewest bytes of a class of which it is said that they are uniform: letters of text that was
/// encoded are nearly so.
const FEWEST_OF_A_CLASS: u64 = 1_500;

const WHITE_SPACE: &[u8] = b"\t\n\r ";
const DIGITS: &[u8] = b"0123456789";
const SMALL: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const CAPITAL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Alphabets whose symbols are equally frequent when what they encode is random, the smallest first.
const NAMED: &[(Alphabet, &[u8])] = &[
    (Alphabet::Digits, DIGITS),
    (Alphabet::Hexadecimal, b"0123456789abcdef"),
    (Alphabet::Hexadecimal, b"0123456789ABCDEF"),
    (Alphabet::Base32, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    (Alphabet::Base32, b"abcdefghijklmnopqrstuvwxyz234567"),
    (
        Alphabet::Base64,
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    ),
    (
        Alphabet::Base64,
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    ),
];

/// The alphabets of base 85, in the order of their values.
const BASE_85: [&[u8; 85]; 3] = [
    b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstu",
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
];

/// The encoding whose symbols are as frequent as those of random data, if there is one.
///
/// Natural text is never uniform over its own symbols, nor are its letters over the alphabet.
pub(super) fn encoding(counts: &[u64; 256]) -> Option<Alphabet> {
    named(counts)
        .or_else(|| base_85(counts))
        .or_else(|| own_symbols(counts))
        .or_else(|| classes(counts).then_some(Alphabet::Classes))
}

/// A named alphabet that has all the symbols.
fn named(counts: &[u64; 256]) -> Option<Alphabet> {
    let bytes: u64 = counts.iter().sum();
    let separators = sum(counts, &SEPARATORS);
    NAMED.iter().find_map(|(name, symbols)| {
        let all = sum(counts, symbols) + separators == bytes;
        (all && is_uniform_over(counts, symbols)).then_some(*name)
    })
}

/// Base 85 writes four bytes as five digits, of which the first is never one of the last two.
fn base_85(counts: &[u64; 256]) -> Option<Alphabet> {
    let bytes: u64 = counts.iter().sum();
    let found = BASE_85.iter().any(|symbols| {
        // Padding is a symbol here.
        let n = sum(counts, *symbols);
        if n + sum(counts, WHITE_SPACE) != bytes || !is_enough(n, 85) {
            return false;
        }
        let chi_square: f64 = (0..)
            .zip(symbols.iter())
            .map(|(value, symbol)| {
                let expected = n as f64 * share_in_base_85(value);
                let seen = counts[usize::from(*symbol)] as f64;
                (seen - expected) * (seen - expected) / expected
            })
            .sum();
        normal_score(chi_square, 84.0).abs() <= MOST_Z
    });
    found.then_some(Alphabet::Base85)
}

/// How often a digit of this value is seen where random groups of four bytes are written.
fn share_in_base_85(value: u64) -> f64 {
    const GROUPS: u64 = 1 << 32;
    let mut seen = 0;
    let mut place = 1;
    while place < GROUPS {
        let turn = place * 85;
        let rest = GROUPS % turn;
        seen += GROUPS / turn * place + rest.saturating_sub(value * place).min(place);
        place = turn;
    }
    seen as f64 / (5.0 * GROUPS as f64)
}

/// Uniform over just the symbols that are there, beside white space.
fn own_symbols(counts: &[u64; 256]) -> Option<Alphabet> {
    let is_symbol = |byte: &u8| counts[usize::from(*byte)] > 0 && !WHITE_SPACE.contains(byte);
    let symbols: Vec<u8> = (0..=u8::MAX).filter(is_symbol).collect();
    let bytes: u64 = counts.iter().sum();
    let n = sum(counts, &symbols);
    let few = u8::try_from(symbols.len()).ok()?;
    // A symbol that did not come yet must not be taken for one that does not exist.
    let all_seen = n >= 20 * u64::from(few);
    (all_seen
        && SYMBOLS.contains(&symbols.len())
        && 2 * n >= bytes
        && is_uniform_over(counts, &symbols))
    .then_some(Alphabet::Other(few))
}

/// Letters uniform in their class, or digits where there are hardly any letters, whatever stands
/// between them.
fn classes(counts: &[u64; 256]) -> bool {
    let bytes: u64 = counts.iter().sum();
    let [small, capital, digits] = [SMALL, CAPITAL, DIGITS].map(|class| {
        let n = sum(counts, class);
        let uniform = (n >= FEWEST_OF_A_CLASS).then(|| is_uniform_over(counts, class));
        (n, uniform)
    });
    let letters = [small, capital];
    if letters.iter().any(|(_, uniform)| *uniform == Some(false)) {
        return false;
    }
    let few_letters = 20 * (small.0 + capital.0) <= bytes;
    let uniform_letters = letters.iter().any(|(_, uniform)| *uniform == Some(true));
    let uniform: u64 = [small, capital, digits]
        .iter()
        .filter(|(_, uniform)| *uniform == Some(true))
        .map(|(n, _)| n)
        .sum();
    (uniform_letters || few_letters) && 2 * uniform >= bytes
}

fn sum(counts: &[u64; 256], symbols: &[u8]) -> u64 {
    symbols.iter().map(|byte| counts[usize::from(*byte)]).sum()
}

/// Whether these symbols are enough, and equally frequent among each other.
fn is_uniform_over(counts: &[u64; 256], symbols: &[u8]) -> bool {
    let n = sum(counts, symbols);
    let square = |byte: &u8| u128::from(counts[usize::from(*byte)]).pow(2);
    let squares = symbols.iter().map(square).sum();
    is_enough(n, symbols.len()) && uniformity_z(squares, n, symbols.len()).abs() <= MOST_Z
}

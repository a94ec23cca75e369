//! Reading on past a record that is not what was stored: one of them does not silence the rest.

use anomaly_model::Severity;
use anomaly_storage::{AuditEntry, AuditQuery, Read, Recorded, StoreError, Stored};

use crate::duties::Duties;

/// Numbers that are tried until what comes after them can be read again. So many records in a row are
/// not damaged one by one: the database is.
const MOST_PASSED: u64 = 10_000;

/// What comes after a number.
#[derive(Debug)]
pub(crate) struct Page<T> {
    /// What could be read.
    pub(crate) found: Vec<T>,
    /// Up to which number that is all there is.
    pub(crate) until: u64,
    /// Whether there is nothing more.
    pub(crate) is_last: bool,
}

/// At most `most` records after a number, as `read` gives them, in their order and without those that are
/// damaged.
///
/// # Errors
/// When the store cannot be read for another reason, or nothing in it can.
pub(crate) fn page<T>(
    duties: &Duties,
    after: u64,
    most: usize,
    number: impl Fn(&T) -> u64,
    read: impl Fn(u64, usize) -> Result<Vec<T>, StoreError>,
) -> Result<Page<T>, StoreError> {
    let mut page = Page {
        found: Vec::new(),
        until: after,
        is_last: false,
    };
    match read(after, most) {
        Err(error) if error.is_damaged() => {}
        found => {
            page.found = found?;
            page.until = page.found.last().map_or(after, number);
            page.is_last = page.found.len() < most;
            return Ok(page);
        }
    }
    // One by one: which one it is, only the next one tells.
    let mut damage = None;
    let mut passed = 0;
    while page.found.len() < most {
        match read(page.until, 1) {
            Ok(found) => {
                if let Some(damage) = damage.take() {
                    duties.passed_over(&damage);
                }
                let Some(one) = found.into_iter().next() else {
                    page.is_last = true;
                    break;
                };
                page.until = number(&one);
                page.found.push(one);
            }
            Err(error) if error.is_damaged() && passed < MOST_PASSED => {
                passed += 1;
                page.until += 1;
                damage = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

/// At most `most` observations and reviews after a number, the same way.
pub(crate) fn recorded(
    duties: &Duties,
    records: &(impl Read + ?Sized),
    after: u64,
    most: usize,
) -> Result<Page<Recorded>, StoreError> {
    page(duties, after, most, Recorded::number, |after, most| {
        records.recorded_after(None, after, most)
    })
}

/// At most `most` entries of the audit log after a number that say something of Backwatch itself, the same
/// way.
pub(crate) fn system_events(
    duties: &Duties,
    records: &(impl Read + ?Sized),
    after: u64,
    most: usize,
) -> Result<Page<Stored<AuditEntry>>, StoreError> {
    let query = AuditQuery::default().at_least(Severity::Low);
    let number = |entry: &Stored<AuditEntry>| entry.number;
    page(duties, after, most, number, |after, most| {
        records.audit_entries(&query.clone().after(after).limit(most))
    })
}

/// The newest, as `read` gives them: at most `most`, and none that is older than a damaged one.
///
/// # Errors
/// When the store cannot be read for another reason.
pub(crate) fn newest<T>(
    duties: &Duties,
    most: usize,
    read: impl Fn(usize) -> Result<Vec<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut most = most;
    loop {
        match read(most) {
            Err(error) if error.is_damaged() && most > 0 => {
                duties.passed_over(&error);
                most -= 1;
            }
            found => return found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duties::Duty;

    fn damaged() -> StoreError {
        StoreError::Damaged {
            database: "db".to_owned(),
            source: "a byte is another".into(),
        }
    }

    /// What can be read of these numbers, the last ones damaged or not, in pages of `most`.
    fn read_all(duties: &Duties, numbers: &[(u64, bool)], most: usize) -> (Vec<u64>, u64) {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let page = page(
                duties,
                after,
                most,
                |number| *number,
                |after, most| {
                    let later = numbers.iter().filter(|(number, _)| *number > after);
                    let one = |(number, is_whole): &(u64, bool)| is_whole.then_some(*number);
                    let found: Option<Vec<u64>> = later.take(most).map(one).collect();
                    found.ok_or_else(damaged)
                },
            );
            let page = page.unwrap();
            assert!(page.found.len() <= most && page.until >= after);
            all.extend(page.found);
            after = page.until;
            if page.is_last {
                return (all, after);
            }
        }
    }

    #[test]
    fn all_but_the_damaged_ones_are_read() {
        let numbers = [(2, true), (3, false), (4, false), (9, true), (700, true)];
        let with_a_damaged_end = [(1, false), (5, true), (6, false)];
        for most in 1..7 {
            let duties = Duties::default();
            assert_eq!(read_all(&duties, &[(2, true)], most), (vec![2], 2));
            assert!(duties.failing().is_empty());
            let (all, until) = read_all(&duties, &numbers, most);
            assert_eq!((all, until), (vec![2, 9, 700], 700), "{most}");
            assert!(duties.failing().contains_key(&Duty::Read));
            let (all, until) = read_all(&duties, &with_a_damaged_end, most);
            assert_eq!((all, until), (vec![5], 6), "{most}");
        }
    }

    /// A table that cannot be read is no row of damaged records: nothing is passed over.
    #[test]
    fn a_damaged_database_is_an_error() {
        let duties = Duties::default();
        let read = |_, _| Err::<Vec<u64>, _>(damaged());
        let error = page(&duties, 0, 5, |number| *number, read).unwrap_err();
        assert!(error.is_damaged() && duties.failing().is_empty());
    }

    #[test]
    fn the_newest_are_read_up_to_a_damaged_one() {
        let duties = Duties::default();
        let up_to = |whole: usize| {
            newest(&duties, 100, |most| {
                if most > whole {
                    return Err(damaged());
                }
                Ok(vec![0; most])
            })
        };
        for whole in [0, 1, 99, 100] {
            assert_eq!(up_to(whole).unwrap().len(), whole);
        }
    }
}

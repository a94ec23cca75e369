//! The append-only log in its tables.

use rusqlite::{Connection, Result};

use super::fault::{self, Fault};
use super::values::{count, from_count, from_limit};
use crate::Hash;
use crate::evidence::{Leaf, LeafKind, Tree};

/// The end of the log in a transaction: read when it is first needed, and written back before the
/// commit.
#[derive(Debug, Default)]
pub(super) struct Log {
    tree: Option<Tree>,
    recorded_at_micros: Option<i64>,
}

impl Log {
    pub(super) fn set_now(&mut self, micros: i64) {
        self.recorded_at_micros = Some(micros);
    }

    /// The number that the record gets which is appended next.
    pub(super) fn next(&mut self, connection: &Connection) -> fault::Result<u64> {
        Ok(self.tree(connection)?.size() + 1)
    }

    /// Adds a leaf whose data is `parts`: of the record that got the [`next`](Self::next) number.
    pub(super) fn append(
        &mut self,
        connection: &Connection,
        kind: LeafKind,
        parts: &[&str],
    ) -> fault::Result<()> {
        let recorded_at_micros = self.recorded_at_micros;
        let tree = self.tree(connection)?;
        let leaf = Leaf {
            number: tree.size() + 1,
            kind,
            recorded_at_micros,
            parts,
        };
        let hash = leaf.hash();
        connection
            .prepare_cached(
                "INSERT INTO log (number, kind, recorded_at_micros, hash) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((
                from_count(leaf.number),
                kind as u8,
                recorded_at_micros,
                hash,
            ))?;
        tree.push(hash);
        Ok(())
    }

    /// Writes back what the log has become.
    pub(super) fn save(&self, connection: &Connection) -> Result<()> {
        if let Some(tree) = &self.tree {
            connection
                .prepare_cached("UPDATE log_tree SET size = ?1, peaks = ?2")?
                .execute((from_count(tree.size()), tree.peaks()))?;
        }
        Ok(())
    }

    /// The tree as it is in the transaction.
    pub(super) fn current(&self, connection: &Connection) -> fault::Result<Tree> {
        match &self.tree {
            Some(tree) => Ok(tree.clone()),
            None => tree(connection),
        }
    }

    fn tree(&mut self, connection: &Connection) -> fault::Result<&mut Tree> {
        let tree = match self.tree.take() {
            Some(tree) => tree,
            None => tree(connection)?,
        };
        Ok(self.tree.insert(tree))
    }
}

/// The hashes of up to `limit` leaves, from the first one after the one with the number `after`.
pub(super) fn hashes(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> fault::Result<Vec<Hash>> {
    let mut statement = connection
        .prepare_cached("SELECT hash FROM log WHERE number > ?1 ORDER BY number LIMIT ?2")?;
    let range = (from_count(after), from_limit(Some(limit)));
    let hashes = statement.query_map(range, |row| row.get(0))?;
    Ok(hashes.collect::<Result<_>>()?)
}

/// The tree as it was committed.
pub(super) fn tree(connection: &Connection) -> fault::Result<Tree> {
    let (size, peaks): (u64, Vec<u8>) = connection
        .prepare_cached("SELECT size, peaks FROM log_tree")?
        .query_row((), |row| Ok((count(row, 0)?, row.get(1)?)))?;
    Tree::from_peaks(size, &peaks).ok_or_else(|| {
        Fault::Damaged(format!(
            "no tree of {size} leaves has {} peaks",
            peaks.len() / 32
        ))
    })
}

//! Tests that every store must pass.

/// Runs each function, which takes a `&mut dyn Store` that is empty, on both stores.
macro_rules! both_stores {
    ($($test:ident)*) => {
        mod memory {
            $(#[test] fn $test() {
                super::$test(&mut anomaly_storage::MemoryStore::default());
            })*
        }

        mod sqlite {
            $(#[test] fn $test() {
                let directory = tempfile::tempdir().unwrap();
                let path = directory.path().join("db");
                super::$test(&mut anomaly_storage::SqliteStore::open(path).unwrap());
            })*
        }
    };
}
pub(crate) use both_stores;

//! Who is signed in, in memory: a restart ends all sessions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use time::OffsetDateTime;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::Result;

/// All sessions, by their ids. Those that have ended are dropped whenever one begins: only then are
/// there more of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sessions(Arc<Mutex<HashMap<Id, Record>>>);

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let mut sessions = self.lock();
        sessions.retain(|_, record| is_active(record));
        while sessions.contains_key(&record.id) {
            record.id = Id::default();
        }
        sessions.insert(record.id, record.clone());
        Ok(())
    }

    /// What was deleted meanwhile stays so: who signs out ends a request too that is still answered.
    async fn save(&self, record: &Record) -> Result<()> {
        if let Some(kept) = self.lock().get_mut(&record.id) {
            kept.clone_from(record);
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let sessions = self.lock();
        Ok(sessions.get(id).filter(|kept| is_active(kept)).cloned())
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.lock().remove(id);
        Ok(())
    }
}

fn is_active(record: &Record) -> bool {
    record.expiry_date > OffsetDateTime::now_utc()
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    fn record(hours: i64) -> Record {
        Record {
            id: Id::default(),
            data: HashMap::default(),
            expiry_date: OffsetDateTime::now_utc() + Duration::hours(hours),
        }
    }

    #[tokio::test]
    async fn what_has_ended_is_dropped_and_never_lives_again() {
        let sessions = Sessions::default();
        let (mut ended, mut signed_out, mut active) = (record(-1), record(1), record(1));
        for new in [&mut ended, &mut signed_out, &mut active] {
            sessions.create(new).await.unwrap();
        }
        assert_eq!(sessions.load(&ended.id).await.unwrap(), None);
        sessions.delete(&signed_out.id).await.unwrap();
        sessions.save(&signed_out).await.unwrap();
        sessions.create(&mut record(1)).await.unwrap();
        assert_eq!(sessions.lock().len(), 2);
        let expected = Some(active.clone());
        assert_eq!(sessions.load(&active.id).await.unwrap(), expected);
        // One more with the same id is another one.
        let mut same = active.clone();
        sessions.create(&mut same).await.unwrap();
        assert_ne!(same.id, active.id);
    }
}

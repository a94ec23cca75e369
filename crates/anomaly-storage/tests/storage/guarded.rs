//! The audit log, accepted settings, and changes that wait for a second person.

use anomaly_model::{ReviewStatus, Severity};
use anomaly_storage::{
    AuditEntry, AuditQuery, Decision, PendingChange, SettingsVersion, Store, StoreError,
};
use serde_json::json;

use crate::both_stores::both_stores;
use crate::data::{Case, anomalous, at, review, store_all};

both_stores! {
    audit_entries_are_found_by_what_is_asked
    a_review_is_audited_with_before_and_after
    settings_are_kept_in_all_their_versions
    a_proposal_is_decided_once
    what_is_dropped_leaves_no_trace
}

fn entry(minute: i64, who: &str, what: &str, subject: &str) -> AuditEntry {
    AuditEntry::new(at(minute), who, what, subject)
}

fn audit_entries_are_found_by_what_is_asked(store: &mut dyn Store) {
    let entries = [
        entry(1, "ann", "exclude", "mail01").with_severity(Severity::Medium),
        entry(2, "bob", "settings", "fleet")
            .with_reason("too many alarms")
            .with_change(Some(json!({ "alarm_budget": 1 })), Some(json!(null))),
        entry(3, "ann", "settings", "mail01").with_severity(Severity::High),
        entry(2, "bob", "settings", "fleet").with_severity(Severity::Low),
    ];
    let mut transaction = store.transaction().unwrap();
    let numbers = entries
        .each_ref()
        .map(|entry| transaction.audit(entry).unwrap());
    transaction.commit().unwrap();
    assert_eq!(numbers, [1, 2, 3, 4]);

    let found = |query: AuditQuery| -> Vec<u64> {
        let found = store.audit_entries(&query).unwrap();
        for stored in &found {
            let place = usize::try_from(stored.number).unwrap() - 1;
            // JSON has one null: a value of null is read back as none.
            let mut expected = entries[place].clone();
            expected.after = expected.after.filter(|value| !value.is_null());
            assert_eq!(stored.record.before, expected.before);
        }
        found.into_iter().map(|stored| stored.number).collect()
    };
    let query = AuditQuery::default;
    assert_eq!(found(query()), [4, 3, 2, 1]);
    assert_eq!(found(query().who("ann".to_owned())), [3, 1]);
    assert_eq!(found(query().what("settings".to_owned())), [4, 3, 2]);
    assert_eq!(found(query().subject("mail01".to_owned())), [3, 1]);
    assert_eq!(found(query().at_least(Severity::Medium)), [3, 1]);
    assert_eq!(found(query().at_least(Severity::Low)), [4, 3, 1]);
    assert_eq!(found(query().before(3)), [2, 1]);
    assert_eq!(found(query().before(4).limit(1)), [3]);
    assert_eq!(found(query().after(0)), [1, 2, 3, 4]);
    assert_eq!(found(query().after(1).limit(2)), [2, 3]);
    assert_eq!(found(query().after(1).before(4)), [2, 3]);
    assert_eq!(found(query().after(1).at_least(Severity::Low)), [3, 4]);
    assert_eq!(found(query().after(4)), [0; 0]);
}

fn a_review_is_audited_with_before_and_after(store: &mut dyn Store) {
    let case = Case::new("a", 1, anomalous());
    store_all(store, [&case]);
    let [first, second] = [
        review(ReviewStatus::FalsePositive, "ann"),
        review(ReviewStatus::Confirmed, "bob"),
    ];
    store.review(&case.key(), &first).unwrap();
    store.review(&case.key(), &second).unwrap();

    let found = store.audit_entries(&AuditQuery::default()).unwrap();
    let [last, before] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(before.number < last.number);
    let entry = &last.record;
    assert_eq!((entry.who.as_str(), entry.what.as_str()), ("bob", "review"));
    assert_eq!(entry.at, second.reviewed_at);
    assert_eq!(entry.subject, "job a of restic");
    assert_eq!(entry.reason, second.reason);
    assert_eq!(entry.before, Some(serde_json::to_value(&first).unwrap()));
    assert_eq!(entry.after, Some(serde_json::to_value(&second).unwrap()));
    assert_eq!(before.record.before, None);
}

fn settings_are_kept_in_all_their_versions(store: &mut dyn Store) {
    assert_eq!(store.settings().unwrap(), None);
    let version = |minute, budget: f64| SettingsVersion {
        accepted_at: at(minute),
        accepted_by: "ann".into(),
        seconded_by: (minute > 1).then(|| "bob".into()),
        settings: json!({ "detection": { "alarm_budget": budget } }),
    };
    let versions = [version(1, 1.0), version(2, 0.1 + 0.2)];
    for version in &versions {
        let mut transaction = store.transaction().unwrap();
        transaction.accept_settings(version).unwrap();
        transaction.commit().unwrap();
    }
    let latest = store.settings().unwrap().unwrap();
    assert_eq!((latest.number, &latest.record), (2, &versions[1]));
    let all = store.settings_versions().unwrap();
    assert_eq!(all[0].record, versions[0]);
    assert_eq!(all[1], latest);
}

fn proposal() -> PendingChange {
    PendingChange {
        proposed_at: at(1),
        proposed_by: "ann".into(),
        what: "settings".into(),
        subject: "fleet".into(),
        reason: Some("too many alarms".into()),
        change: json!({ "alarm_budget": 5 }),
        expires_at: Some(at(100)),
        decision: None,
    }
}

fn decision(who: &str, accepted: bool) -> Decision {
    Decision {
        at: at(2),
        who: who.into(),
        accepted,
    }
}

fn a_proposal_is_decided_once(store: &mut dyn Store) {
    let mut transaction = store.transaction().unwrap();
    for number in 1..=2 {
        assert_eq!(transaction.propose(&proposal()).unwrap(), number);
    }
    transaction.commit().unwrap();
    assert_eq!(store.pending().unwrap().len(), 2);

    let mut transaction = store.transaction().unwrap();
    transaction.decide(1, &decision("bob", true)).unwrap();
    // Who comes second is told, and changes nothing.
    for number in [1, 3] {
        let error = transaction
            .decide(number, &decision("eve", false))
            .unwrap_err();
        assert!(matches!(error, StoreError::NoSuchRecord { .. }), "{error}");
    }
    transaction.commit().unwrap();
    let pending = store.pending().unwrap();
    assert_eq!((pending.len(), pending[0].number), (1, 2));
    assert_eq!(pending[0].record, proposal());
    let decided = store.proposal(1).unwrap().unwrap();
    assert_eq!(decided.decision, Some(decision("bob", true)));
    assert_eq!(store.proposal(3).unwrap(), None);
}

fn what_is_dropped_leaves_no_trace(store: &mut dyn Store) {
    let mut transaction = store.transaction().unwrap();
    transaction.propose(&proposal()).unwrap();
    transaction.commit().unwrap();

    let mut transaction = store.transaction().unwrap();
    transaction
        .audit(&entry(1, "ann", "exclude", "mail01"))
        .unwrap();
    let version = SettingsVersion {
        accepted_at: at(1),
        accepted_by: "ann".into(),
        seconded_by: None,
        settings: json!({}),
    };
    transaction.accept_settings(&version).unwrap();
    transaction.propose(&proposal()).unwrap();
    transaction.decide(1, &decision("bob", true)).unwrap();
    assert_eq!(transaction.pending().unwrap().len(), 1);
    drop(transaction);

    assert_eq!(store.audit_entries(&AuditQuery::default()).unwrap(), []);
    assert_eq!(store.settings().unwrap(), None);
    assert_eq!(store.pending().unwrap().len(), 1);
    assert_eq!(store.proposal(1).unwrap(), Some(proposal()));
    assert_eq!(store.proposal(2).unwrap(), None);
}

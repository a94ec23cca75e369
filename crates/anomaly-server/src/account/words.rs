//! What was done to an account, as it is told.

use anomaly_storage::AuditEntry;

/// What was done to somebody's account, in a sentence; `None` when the entry is about none.
pub(crate) fn in_words(entry: &AuditEntry) -> Option<String> {
    let AuditEntry { who, subject, .. } = entry;
    let after = entry.after.as_ref();
    let role = after.and_then(|after| after.get("role")?.as_str());
    let role = role.unwrap_or("unknown");
    Some(match entry.what.as_str() {
        "add_user" => format!("{who} added {subject} with the role {role}."),
        "set_password" => format!("{who} gave {subject} another password."),
        "remove_second_factor" => format!("{who} took the second factor of {subject} away."),
        "set_role" => format!("{who} gave {subject} the role {role}."),
        "wrong_codes" => format!(
            "Somebody who knows the password of {subject} has sent several wrong one-time passwords. \
             If it was not {subject}, change the password."
        ),
        "add_api_key" => {
            let name = after.and_then(|after| after.get("name")?.as_str());
            let name = name.unwrap_or(subject);
            format!("{who} made the API key {name} with the role {role}.")
        }
        "remove_user" => format!("{who} removed {subject}."),
        _ => return None,
    })
}

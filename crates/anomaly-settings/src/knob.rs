//! What a key's type must be able to say about itself.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{ClientName, PolicyName, PolicyType, ScheduleType};
use serde::{Serialize, de::DeserializeOwned};

/// The type of a key's value.
pub(crate) trait Knob: Serialize + DeserializeOwned {
    /// The TOML type, for the table of keys.
    const TOML_TYPE: &'static str;

    /// What a value may be, so that "must be ..." reads on.
    fn allowed() -> String;
}

macro_rules! knobs {
    ($($Type:ty: $toml_type:literal, $allowed:expr;)*) => {$(
        impl Knob for $Type {
            const TOML_TYPE: &'static str = $toml_type;

            fn allowed() -> String {
                $allowed.to_owned()
            }
        }
    )*};
}

knobs! {
    bool: "boolean", "true or false";
    u32: "integer", "a whole number";
    u64: "integer", "a whole number from 0 to 18446744073709551615";
    f64: "float", "a number";
    ClientName: "string", "the name of a client, not blank";
    PolicyName: "string", "the name of a policy, not blank";
    PolicyType: "string", "a policy type, not blank";
    DateTime<Utc>: "string", "a time with a zone, such as \"2027-01-31T00:00:00Z\"";
    ScheduleType: "string", format!(
        "one of {}",
        ScheduleType::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", ")
    );
}

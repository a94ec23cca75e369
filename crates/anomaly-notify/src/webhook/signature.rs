//! Signatures by which a receiver knows who tells, as Standard Webhooks 1.0 says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A key shorter than this could be guessed.
const LEAST_KEY_BYTES: usize = 24;

/// The signature of one message under one key: what stands behind `v1,` in `webhook-signature`.
///
/// It is the HMAC-SHA256 of `ID.TIMESTAMP.BODY` in base64. A receiver computes it from the headers
/// `webhook-id` and `webhook-timestamp` and the body as it came, compares it in constant time, and
/// refuses a timestamp that is more than some minutes off.
///
/// ```
/// use anomaly_notify::signature;
/// use base64::Engine as _;
/// // The example of the specification.
/// let key = base64::prelude::BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
/// let signed = signature(&key, id, 1_614_265_330, br#"{"test": 2432232314}"#);
/// assert_eq!(signed, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
/// # Ok::<(), base64::DecodeError>(())
/// ```
#[must_use]
pub fn signature(key: &[u8], id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(format!("{id}.{timestamp_seconds}.").as_bytes());
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The keys to sign with: more than one while the receiver changes from one to another.
pub(super) struct Keys(Vec<Vec<u8>>);

impl Keys {
    /// One key a line: `whsec_` and base64, or any text of 24 bytes or more.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut keys = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let key = match line.strip_prefix("whsec_") {
                Some(encoded) => STANDARD
                    .decode(encoded)
                    .map_err(|_| "what follows `whsec_` is not base64")?,
                None => line.as_bytes().to_vec(),
            };
            if key.len() < LEAST_KEY_BYTES {
                return Err(
                    "a key must have 24 bytes or more: `openssl rand -base64 32` makes one",
                );
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// The header: each signature behind `v1,`, with blanks between them.
    pub(super) fn sign(&self, id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
        let signed = self.0.iter();
        let signed =
            signed.map(|key| format!("v1,{}", signature(key, id, timestamp_seconds, body)));
        signed.collect::<Vec<_>>().join(" ")
    }
}

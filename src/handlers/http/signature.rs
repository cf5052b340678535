//! Signatures by the Standard Webhooks specification.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use standardwebhooks::Webhook;

/// What a secret begins with; the rest is the key in base64.
pub(super) const PREFIX: &str = "whsec_";

/// Signs. It has no `Debug`: it is the key.
pub(super) struct Signer {
    webhook: Webhook,
    key: Hmac<Sha256>,
}

/// The text is no secret by the specification. What is wrong with it is not said: that would repeat a part of it.
#[derive(Debug, thiserror::Error)]
#[error(
    "this is no Standard Webhooks secret: write `whsec_` and the key in base64, as your receiver shows it"
)]
pub(super) struct NotASecret;

impl Signer {
    /// Takes a secret as the specification writes it.
    ///
    /// # Errors
    /// When it is written otherwise, or holds no key at all.
    pub(super) fn new(secret: &str) -> Result<Self, NotASecret> {
        let encoded = secret.strip_prefix(PREFIX).ok_or(NotASecret)?;
        let key = STANDARD.decode(encoded).ok().filter(|key| !key.is_empty()).ok_or(NotASecret)?;
        Ok(Self {
            key: Hmac::new_from_slice(&key).map_err(|_| NotASecret)?,
            webhook: Webhook::from_bytes(key).map_err(|_| NotASecret)?,
        })
    }

    /// The value of the `webhook-signature` header.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        self.webhook.sign(id, timestamp, body).unwrap_or_else(|_| self.sign_bytes(id, timestamp, body))
    }

    /// The library refuses a body that is not UTF-8. The specification does not: it signs the bytes that are sent.
    fn sign_bytes(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let digest = self
            .key
            .clone()
            .chain_update(format!("{id}.{timestamp}."))
            .chain_update(body)
            .finalize()
            .into_bytes();
        format!("v1,{}", STANDARD.encode(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // The example of the specification's own libraries.
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    #[test]
    fn the_example_of_the_specification_has_its_signature() {
        let signer = Signer::new(SECRET).unwrap();
        assert_eq!(signer.sign(ID, 1_649_367_553, BODY), SIGNATURE);
        assert_eq!(signer.sign_bytes(ID, 1_649_367_553, BODY), SIGNATURE);
    }

    #[test]
    fn a_body_that_is_not_utf_8_is_signed_like_any_other() {
        let signer = Signer::new(SECRET).unwrap();
        assert_eq!(signer.sign(ID, 1, b"\xff\x00"), signer.sign_bytes(ID, 1, b"\xff\x00"));
        assert_ne!(signer.sign(ID, 1, b"\xff"), signer.sign(ID, 1, "\u{fffd}".as_bytes()));
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_repeated() {
        for text in ["", "whsec_", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_no base64!", "hunter2"] {
            let refused = Signer::new(text).err().unwrap().to_string();
            assert!(refused.contains("base64, as your receiver shows it"), "{refused}");
            assert!(!refused.contains("hunter2") && !refused.contains("no base64!"), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_agree_on_every_text(id in "[a-z0-9-]{1,40}", at in 0_i64..4_000_000_000, body in any::<String>()) {
            let signer = Signer::new(SECRET).unwrap();
            let expected = signer.webhook.sign(&id, at, body.as_bytes()).unwrap();
            prop_assert_eq!(signer.sign_bytes(&id, at, body.as_bytes()), expected);
        }
    }
}

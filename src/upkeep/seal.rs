//! Sealing: what the store keeps and nobody may read there.

use std::io;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// The first byte of what is sealed: how it was done.
const FORM: u8 = 1;

/// A key that seals. It is made of a secret of 256 random bits.
pub struct SealingKey(LessSafeKey);

/// What was kept can't be read with this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "what is kept can't be read with this key: `podium.encryption_key` must be the one that it was kept with, in every \
     process; where it is lost, sign in again and rotate the webhooks' secrets"
)]
pub struct NotSealed;

impl SealingKey {
    /// The key of a secret.
    #[must_use]
    pub fn of(secret: &SecretString) -> Self {
        let bytes = Sha256::new()
            .chain_update(b"lectern sealing key\0")
            .chain_update(secret.expose_secret().as_bytes())
            .finalize();
        let key = UnboundKey::new(&AES_256_GCM, &bytes).expect("the digest is as long as the key");
        Self(LessSafeKey::new(key))
    }

    /// Seals what is kept under `name`: elsewhere it is not opened.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal(&self, name: &str, plain: &[u8]) -> io::Result<Vec<u8>> {
        // At random: few things are sealed with one key, and 96 bits do for very many.
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| io::Error::other("it is too long to be sealed"))?;
        Ok([&[FORM][..], &nonce, &sealed].concat())
    }

    /// What was sealed under `name`.
    ///
    /// # Errors
    /// When it was sealed with another key or under another name, or was changed.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, NotSealed> {
        if sealed.len() < 1 + NONCE_LEN + MAX_TAG_LEN || sealed[0] != FORM {
            return Err(NotSealed);
        }
        let (nonce, sealed) = sealed[1..].split_at(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotSealed)?;
        let mut opened = sealed.to_vec();
        let length = self
            .0
            .open_in_place(nonce, Aad::from(name.as_bytes()), &mut opened)
            .map_err(|_| NotSealed)?
            .len();
        opened.truncate(length);
        Ok(opened)
    }
}

/// Nothing of the key.
impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_sealed_is_opened_by_its_key_under_its_name_and_by_nothing_else() {
        let (key, other) = (SealingKey::of(&"one".into()), SealingKey::of(&"other".into()));
        let sealed = key.seal("here", b"hunter2").unwrap();
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(key.open("here", &sealed).as_deref(), Ok(b"hunter2".as_slice()));
        assert_eq!(key.open("there", &sealed), Err(NotSealed));
        assert_eq!(other.open("here", &sealed), Err(NotSealed));
        assert_ne!(key.seal("here", b"hunter2").unwrap(), sealed, "equal texts look alike");
    }

    proptest! {
        #[test]
        fn whatever_is_changed_is_not_opened(plain: Vec<u8>, at: prop::sample::Index, bit in 0..8_u8) {
            let key = SealingKey::of(&"one".into());
            let mut sealed = key.seal("here", &plain).unwrap();
            prop_assert_eq!(key.open("here", &sealed), Ok(plain));
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert_eq!(key.open("here", &sealed), Err(NotSealed));
        }

        #[test]
        fn what_was_never_sealed_is_not_opened(bytes: Vec<u8>) {
            prop_assert_eq!(SealingKey::of(&"one".into()).open("here", &bytes), Err(NotSealed));
        }
    }
}

//! The keys that may have been signed with: each secret as it is, and as it is misread.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret as _;
use sha2::Sha256;

use super::encoded::from_base64;
use super::message::Message;
use super::{Candidate, Code, Finding, Rules};

/// A key that may have been signed with.
pub(super) struct Key<'a> {
    pub(super) candidate: &'a Candidate,
    misread: Option<Misread>,
    mac: Hmac<Sha256>,
}

/// A secret that is read otherwise than Podium does, who takes its text as it is.
type Misread = (Code, &'static str);

/// Every secret as it is: first those that are good, then those that were, those given by hand, and the other sources'.
pub(super) fn as_they_are<'a>(rules: &Rules<'a>) -> Vec<Key<'a>> {
    let mut candidates: Vec<&Candidate> = rules.secrets.iter().collect();
    candidates.sort_by_key(|candidate| match &candidate.source {
        Some(source) if source == rules.source => u8::from(candidate.expired),
        None => 2,
        Some(_) => 3,
    });
    candidates
        .into_iter()
        .map(|candidate| Key::new(candidate, None, candidate.value.expose_secret().as_bytes()))
        .collect()
}

/// Each of these secrets in every way in which it is misread.
pub(super) fn misread<'a>(keys: &[Key<'a>]) -> Vec<Key<'a>> {
    let of_one = |key: &Key<'a>| {
        let candidate = key.candidate;
        let misreadings = misreadings(candidate.value.expose_secret());
        misreadings.into_iter().map(move |(misread, bytes)| Key::new(candidate, Some(misread), &bytes))
    };
    keys.iter().flat_map(of_one).collect()
}

fn misreadings(secret: &str) -> Vec<(Misread, Vec<u8>)> {
    use Code::{SecretDecoded, SecretNotBare, SecretPrefix};

    let without_prefix = secret.strip_prefix("whsec_");
    let mut found: Vec<(Misread, Vec<u8>)> = Vec::new();
    let mut add = |code, signed_with, bytes: Option<Vec<u8>>| {
        let bytes = bytes.filter(|bytes| !bytes.is_empty() && bytes != secret.as_bytes());
        found.extend(bytes.map(|bytes| ((code, signed_with), bytes)));
    };
    let text = |text: String| Some(text.into_bytes());
    add(SecretNotBare, "without the white space around it", text(secret.trim().to_owned()));
    add(SecretNotBare, "without the quotes around it", text(secret.trim_matches(['"', '\'']).to_owned()));
    add(SecretNotBare, "with a newline at its end", text(format!("{secret}\n")));
    add(SecretNotBare, "with a carriage return and a newline at its end", text(format!("{secret}\r\n")));
    add(SecretNotBare, "with a carriage return at its end", text(format!("{secret}\r")));
    add(SecretNotBare, "with a space at its end", text(format!("{secret} ")));
    add(SecretNotBare, "with a space before it", text(format!(" {secret}")));
    add(SecretNotBare, "with double quotes around it", text(format!("\"{secret}\"")));
    add(SecretNotBare, "with single quotes around it", text(format!("'{secret}'")));
    add(SecretPrefix, "without its `whsec_`", without_prefix.and_then(|rest| text(rest.to_owned())));
    add(SecretPrefix, "with `whsec_` before it", text(format!("whsec_{secret}")));
    add(SecretDecoded, "decoded from base64", from_base64(secret.as_bytes()));
    add(
        SecretDecoded,
        "without its `whsec_` and decoded from base64",
        without_prefix.and_then(|rest| from_base64(rest.as_bytes())),
    );
    add(SecretDecoded, "decoded from hexadecimal characters", hex::decode(secret).ok());
    found
}

impl<'a> Key<'a> {
    fn new(candidate: &'a Candidate, misread: Option<Misread>, bytes: &[u8]) -> Self {
        let mac = Hmac::new_from_slice(bytes).expect("HMAC takes a key of any length");
        Self { candidate, misread, mac }
    }

    /// Whether this key gives `digest` over a message with this body.
    pub(super) fn gives(&self, digest: &[u8; 32], message: &Message, body: &[u8]) -> bool {
        let mac =
            self.mac.clone().chain_update(&message.before).chain_update(body).chain_update(&message.after);
        mac.verify_slice(digest).is_ok()
    }

    /// What is not as it should be with the secret, for requests to `source`.
    pub(super) fn findings(&self, source: &str) -> impl Iterator<Item = Finding> {
        let secret = self.candidate.described();
        let whose = match &self.candidate.source {
            Some(other) if other != source => Some(Finding::new(
                Code::SecretOfAnotherSource,
                format!("The signature fits {secret}, and the request came to the source `{source}`."),
                format!(
                    "Correct the webhook's URL at Podium, which should end in /webhooks/podium/{other}; or, if the URL is \
                     right, the webhook's secret there or here."
                ),
            )),
            Some(_) if self.candidate.expired => Some(Finding::new(
                Code::SecretExpired,
                format!("The signature fits {secret}, whose time is over (`not_after`)."),
                "Podium still signs with it: set the new secret at Podium. Until then, or while events signed before \
                 wait in Podium's queue, which may be 10 days, move its `not_after`.",
            )),
            Some(_) => None,
            None => Some(Finding::new(
                Code::SecretNotConfigured,
                format!("The signature fits {secret}, which is not among those of the source `{source}`."),
                format!("Configure it as a secret of the source `{source}`."),
            )),
        };
        let misread = self.misread.map(|(code, how)| {
            Finding::new(code, format!("The signature fits {secret} {how}."), advice(code))
        });
        whose.into_iter().chain(misread)
    }
}

fn advice(code: Code) -> &'static str {
    match code {
        Code::SecretNotBare => {
            "The secret here and the sender's are not the same to the last byte. Often a file was read with the \
             newline at its end, or quotes were taken for a part of a variable. Set the same text in both places."
        }
        Code::SecretPrefix => {
            "Podium's key is the secret's whole text, whatever it begins with. Configure it here exactly as it is set at \
             Podium; a sender of your own must not cut anything off."
        }
        _ => {
            "Podium's key is the secret's text as it is, nothing is decoded. A sender of your own must use the text's \
             bytes."
        }
    }
}

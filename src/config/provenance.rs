//! What every key came to, and where that is from.

use std::fmt;

use secrecy::SecretString;

/// A key with its value, as it may be shown, and where the value is from.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// The heading that it stands under, such as `[public]`.
    pub(super) heading: String,
    pub(super) key: String,
    pub(super) shown: String,
    pub(super) from: String,
    /// All of the value, to tell whether another one is the same; empty when it is not set. It may be a secret.
    pub(super) whole: SecretString,
}

impl Setting {
    /// Whether an item of a list of tables begins here: each begins with its name, or with whose it is.
    pub(super) fn is_first_of_item(&self) -> bool {
        self.heading.starts_with("[[") && ["name", "source"].contains(&self.key.as_str())
    }
}

/// The whole configuration as a person reads it: TOML, each value with its origin, secrets hidden.
#[derive(Clone, Copy, Debug)]
pub struct Provenance<'a>(pub(super) &'a [Setting]);

impl fmt::Display for Provenance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |text: &str| text.chars().count();
        let keys = self.0.iter().map(|setting| width(&setting.key)).max().unwrap_or(0);
        let values = self.0.iter().map(|setting| width(&setting.shown)).max().unwrap_or(0).min(40);
        let mut heading = "";
        for (at, setting) in self.0.iter().enumerate() {
            let Setting { heading: own, key, shown, from, .. } = setting;
            // Two handlers have the same heading, and so have two secrets of a source.
            if own != heading || setting.is_first_of_item() {
                writeln!(f, "{}{own}", if at == 0 { "" } else { "\n" })?;
                heading = own;
            }
            writeln!(f, "{key:keys$} = {shown:values$}  # {from}")?;
        }
        Ok(())
    }
}

//! Where a value was written.

use std::fmt;
use std::path::PathBuf;

/// Where a value was written, the weakest first: what stands in a later one wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// `config/default.toml`, compiled in.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl Origin {
    /// Reads what [`Self::mark`] wrote.
    pub(super) fn read(mark: &str) -> Self {
        match mark.split_once(':') {
            Some(("file", path)) => Self::File(path.into()),
            Some(("variable", name)) => Self::Variable(name.to_owned()),
            Some(("flag", name)) => Self::Flag(name.to_owned()),
            _ => Self::Default,
        }
    }

    /// The text that a value of the `config` crate carries as its origin.
    pub(super) fn mark(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::File(path) => format!("file:{}", path.display()),
            Self::Variable(name) => format!("variable:{name}"),
            Self::Flag(name) => format!("flag:{name}"),
        }
    }

    /// How far up it stands: of two values, the one from the higher layer is meant.
    pub(super) const fn layer(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File(_) => 1,
            Self::Variable(_) => 2,
            Self::Flag(_) => 3,
        }
    }

    /// An advice about what to write, as it fits this place. In a file a text stands in quotes; in a variable and in
    /// a flag they would be part of it.
    pub(super) fn advice(&self, advice: &str) -> String {
        match self {
            Self::Default | Self::File(_) => advice.to_owned(),
            Self::Variable(_) | Self::Flag(_) => advice.replace(" in quotes", "").replace('"', ""),
        }
    }

    /// As a column shows it.
    pub(super) fn short(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Variable(name) | Self::Flag(name) => name.clone(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the defaults"),
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::Flag(name) => write!(f, "the flag {name}"),
        }
    }
}

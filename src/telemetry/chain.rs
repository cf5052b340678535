//! Errors with their causes, on one line.

use std::error::Error;
use std::fmt;

/// Shows an error and every cause behind it: `the store is unavailable: connection refused`. A cause that the error
/// before it has told already is left out.
pub struct Chain<'a>(pub &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        f.write_str(&told)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !told.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            told = text;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Caused {
        text: &'static str,
        source: Option<Box<Caused>>,
    }

    #[test]
    fn each_cause_is_told_once() {
        let refused = Caused { text: "connection refused", source: None };
        let io = Caused { text: "can't connect: connection refused", source: Some(refused.into()) };
        let outer = Caused { text: "the store is unavailable", source: Some(io.into()) };
        assert_eq!(Chain(&outer).to_string(), "the store is unavailable: can't connect: connection refused");
    }
}

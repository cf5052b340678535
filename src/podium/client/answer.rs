//! The form of Podium's answers.

use serde::Deserialize;
use serde_json::value::RawValue;

/// An answer with what was asked for.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) data: Box<RawValue>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) next_cursor: Option<String>,
}

impl Answer {
    /// What a list has. Podium's documents show some lists as a single object: one is a list of one.
    pub(super) fn items(self) -> Result<Vec<Box<RawValue>>, serde_json::Error> {
        match self.data.get().as_bytes().first() {
            Some(b'[') => serde_json::from_str(self.data.get()),
            Some(b'{') => Ok(vec![self.data]),
            _ => Ok(Vec::new()),
        }
    }
}

/// An answer without it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    code: Code,
    message: Option<String>,
}

/// A word in the answers, a number in the document.
#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Word(String),
    Number(i64),
    Other(serde::de::IgnoredAny),
}

impl Default for Code {
    fn default() -> Self {
        Self::Other(serde::de::IgnoredAny)
    }
}

impl Problem {
    /// What an answer's body says of why it is none; nothing of it need be there.
    pub(super) fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    pub(super) fn code(&self) -> String {
        match &self.code {
            Code::Word(word) => short(word),
            Code::Number(number) => number.to_string(),
            Code::Other(_) => "no code".to_owned(),
        }
    }

    pub(super) fn message(&self) -> String {
        self.message.as_deref().map_or_else(|| "no message".to_owned(), short)
    }
}

/// As much of a text from elsewhere as a line of a log has room for, without what a terminal would act on.
fn short(text: &str) -> String {
    text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_read_whatever_its_code_is() {
        let said = |body: &str| {
            let problem = Problem::of(body.as_bytes());
            (problem.code(), problem.message())
        };
        let pair = |code: &str, message: &str| (code.to_owned(), message.to_owned());
        assert_eq!(said(r#"{"code":"rate_limit","message":"slow\ndown"}"#), pair("rate_limit", "slow down"));
        assert_eq!(said(r#"{"code":404,"message":"none","more":1}"#), pair("404", "none"));
        assert_eq!(said(r#"{"code":null}"#), pair("no code", "no message"));
        assert_eq!(said("<html>"), pair("no code", "no message"));
    }

    #[test]
    fn a_list_is_a_list_even_where_it_is_one_object_or_nothing() {
        let number = |json: &str| {
            let answer: Answer = serde_json::from_str(json).unwrap();
            answer.items().unwrap().len()
        };
        assert_eq!(number(r#"{"data":[{"a":1},{"b":2}],"metadata":{}}"#), 2);
        assert_eq!(number(r#"{"data":{"a":1}}"#), 1);
        assert_eq!(number(r#"{"data":null}"#), 0);
        assert_eq!(number(r#"{"data":[]}"#), 0);
    }
}

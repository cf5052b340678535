//! What a handler sends: the body as it was received, or what a template makes of the event.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Failure, Work};
use crate::config::{Settings, SettingsError};
use crate::shape::{Mistake, Scope, Template};

/// What a body is taken for when nothing says what it is.
const JSON: &str = "application/json";

/// The keys of [`Written`].
const KEYS: [&str; 3] = ["template", "template_file", "content_type"];

/// The settings, as written.
#[derive(Deserialize)]
struct Written {
    /// What to send instead of the body.
    template: Option<String>,
    /// The file that holds it.
    template_file: Option<PathBuf>,
    /// The type of what the template makes.
    content_type: Option<String>,
}

/// What a handler sends: the body as it was received, or what a template makes of the event. For every kind that sends one.
#[derive(Debug, Default)]
pub struct Body(Option<Shaped>);

#[derive(Debug)]
struct Shaped {
    template: Template,
    content_type: String,
}

/// A body that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// The bytes.
    pub bytes: Bytes,
    /// What they are: the configured content type with a template, else that of the request from Podium.
    pub content_type: Cow<'a, str>,
}

impl Body {
    /// Reads the settings of a kind that sends a body: `template`, `template_file` and `content_type`, and all others as
    /// the kind's own type, as [`Settings::read`] does. An empty text counts as not set. Without a template it is the body
    /// as it was received. A template is of `application/json` unless something else is said.
    ///
    /// # Errors
    /// As [`Settings::read`]; and when both kinds of a template are set or a content type without either, when the file
    /// can't be read, and when the template is not right; the message names the key, and the line.
    pub fn read_beside<T: DeserializeOwned>(mut settings: Settings) -> Result<(Self, T), SettingsError> {
        let written = settings.take(&KEYS)?;
        // The kind's own first: `content_type` beside a misspelt `template` is not the mistake.
        let own = settings.read()?;
        Ok((Self::of(written)?, own))
    }

    fn of(written: Written) -> Result<Self, SettingsError> {
        let Written { template, template_file, content_type } = written;
        let template = template.filter(|template| !template.is_empty());
        let file = template_file.filter(|file| !file.as_os_str().is_empty());
        let content_type = content_type.filter(|content_type| !content_type.is_empty());
        let compile = |source: &str, content_type: Option<String>| {
            let content_type = checked(content_type.unwrap_or_else(|| JSON.to_owned()))?;
            let template = Template::compile(source, &content_type).map_err(Problem::Template)?;
            Ok(Self(Some(Shaped { template, content_type })))
        };
        match (template, file) {
            (None, None) if content_type.is_some() => Err(SettingsError(
                "`content_type` is set without a `template`: the body as it was received has a type"
                    .to_owned(),
            )),
            (None, None) => Ok(Self(None)),
            (Some(_), Some(_)) => {
                Err(SettingsError("`template` and `template_file` are both set: keep one".to_owned()))
            }
            (Some(source), None) => {
                compile(&source, content_type).map_err(|problem: Problem| problem.said_of("`template`"))
            }
            (None, Some(file)) => {
                let named = format!("`template_file` {}", file.display());
                compile(&read(&file)?, content_type).map_err(|problem| problem.said_of(&named))
            }
        }
    }

    /// The body for this work. Without a template nothing is copied.
    ///
    /// # Errors
    /// A permanent failure when the template can't be filled in: it would be no different with the next try. Once the
    /// template is right, the dead delivery can be replayed.
    pub fn render<'a>(&'a self, work: &'a Work) -> Result<Outgoing<'a>, Failure> {
        let Some(Shaped { template, content_type }) = &self.0 else {
            let received = work.content.header("content-type").unwrap_or(JSON);
            return Ok(Outgoing { bytes: work.content.body.clone(), content_type: received.into() });
        };
        let Work { event, content, delivery, .. } = work;
        let scope = Scope::of_delivery(event, &content.body, delivery.id, &delivery.handler, work.attempt());
        match template.fill_in(&scope) {
            Ok(text) => Ok(Outgoing { bytes: text.into(), content_type: content_type.into() }),
            Err(mistake) => Err(Failure::permanent(format!("the template can't be filled in: {mistake}"))),
        }
    }
}

/// What is wrong with the settings, before it is said of which.
enum Problem {
    ContentType,
    Template(Mistake),
}

impl Problem {
    fn said_of(self, template: &str) -> SettingsError {
        SettingsError(match self {
            Self::ContentType => "`content_type`: write it as type/subtype, such as text/plain".to_owned(),
            Self::Template(mistake) => format!("{template}: {mistake}"),
        })
    }
}

fn checked(content_type: String) -> Result<String, Problem> {
    let is_printable = content_type.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let has_both = essence.split_once('/').is_some_and(|(a, b)| {
        let is_word = |word: &str| !word.is_empty() && !word.contains(['/', ' ']);
        is_word(a) && is_word(b)
    });
    if is_printable && has_both { Ok(content_type) } else { Err(Problem::ContentType) }
}

fn read(file: &Path) -> Result<String, SettingsError> {
    let but = |why| SettingsError(format!("`template_file` names {}, which {why}", file.display()));
    match std::fs::read_to_string(file) {
        Ok(text) if text.trim().is_empty() => Err(but("is empty".to_owned())),
        Ok(text) => Ok(text),
        Err(error) => Err(but(format!("can't be read: {error}"))),
    }
}

//! Templates: what is made of an event.

use std::fmt;

use minijinja::{Environment, Error};
use serde::de::IgnoredAny;

use super::escape::{self, Escape};
use super::mistake::Mistake;
use super::scope::{OF_DELIVERY, Scope};
use super::{check, language, trial};

/// Enough to write all of a body of some megabytes as JSON, and over within a fraction of a second.
const FUEL: u64 = 1_000_000;

/// The largest text that is made, in bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// The name of the only template of its engine.
const NAME: &str = "template";

/// A text with expressions in it, such as `{"text": "{{ data.contactName }} wrote: {{ data.body }}"}`.
pub struct Template {
    engine: Environment<'static>,
    escape: Escape,
}

/// Nothing of its text.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("escape", &self.escape).finish_non_exhaustive()
    }
}

impl Template {
    /// Reads a template of something with this content type, and tries it on a sample of each event type.
    ///
    /// The content type decides how what is inserted is escaped: in JSON as a part of a text between quotation marks, in HTML
    /// and XML as text, elsewhere not at all.
    ///
    /// # Errors
    /// When it does not follow the syntax, names something that there is not, or takes too long.
    pub fn compile(source: &str, content_type: &str) -> Result<Self, Mistake> {
        let told = |error: &Error| Mistake::of(error, source);
        let escape = Escape::of(content_type);
        let mut engine = language::engine(FUEL);
        engine.set_formatter(escape::write);
        engine.set_auto_escape_callback(move |_name| escape.into());
        engine.add_template_owned(NAME, source.to_owned()).map_err(|error| told(&error))?;
        let template = engine.get_template(NAME).map_err(|error| told(&error))?;
        check::names(&engine, source, template.undeclared_variables(true), OF_DELIVERY)?;
        check::comparisons(source)?;
        trial::deliveries(|scope| template.render(scope.0).map(drop)).map_err(|error| told(&error))?;
        Ok(Self { engine, escape })
    }

    /// Fills it in. The same event always gives the same text, or the same mistake.
    ///
    /// # Errors
    /// When that fails for this event, comes to more than 4 MiB or, where it should be JSON, is none.
    pub fn fill_in(&self, scope: &Scope) -> Result<String, Mistake> {
        let template = self.engine.get_template(NAME).map_err(|error| Mistake::of(&error, ""))?;
        let text =
            template.render(scope.0.clone()).map_err(|error| Mistake::of(&error, template.source()))?;
        if text.len() > LARGEST {
            return Err(Mistake(format!("it comes to {} bytes, more than {LARGEST}", text.len())));
        }
        if self.escape == Escape::Json
            && let Err(error) = serde_json::from_str::<IgnoredAny>(&text)
        {
            return Err(Mistake(format!("what it comes to is no JSON: {error}")));
        }
        Ok(text)
    }
}

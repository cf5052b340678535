//! Conditions: whether a handler wants an event.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Expression};

use super::mistake::Mistake;
use super::scope::{OF_EVENT, Scope};
use super::{check, language, trial};

/// Conditions are evaluated while Podium waits: some milliseconds at the very most.
const FUEL: u64 = 50_000;

/// The engine of all conditions: they have nothing of their own but their text.
static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| language::engine(FUEL));

/// A condition over an event, such as `data.conversation.channel.type == "sms"`.
#[derive(Clone)]
pub struct Condition {
    source: Arc<str>,
    expression: Arc<Expression<'static, 'static>>,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source).finish()
    }
}

impl Condition {
    /// Reads a condition, and tries it on a sample of each event type.
    ///
    /// # Errors
    /// When it is no expression, or names something that there is not.
    pub fn compile(source: &str) -> Result<Self, Mistake> {
        let told = |error: &Error| Mistake::of(error, source);
        let expression = ENGINE.compile_expression_owned(source.to_owned()).map_err(|error| told(&error))?;
        check::names(&ENGINE, source, expression.undeclared_variables(true), OF_EVENT)?;
        check::comparisons(source)?;
        trial::events(|event, body| expression.eval(Scope::of_event(event, body).0).map(drop))
            .map_err(|error| told(&error))?;
        Ok(Self { source: source.into(), expression: Arc::new(expression) })
    }

    /// Whether it is met.
    ///
    /// # Errors
    /// When it can't be said of this event, such as when a text is compared with a number.
    pub fn is_met(&self, scope: &Scope) -> Result<bool, Mistake> {
        let met = || {
            let value = self.expression.eval(scope.0.clone())?;
            match value.kind() {
                ValueKind::Invalid => Err(Error::new(ErrorKind::InvalidOperation, "it comes to nothing")),
                _ => Ok(value.is_true()),
            }
        };
        // An event that was answered otherwise than with 200 would come again and again, and hold up all that follow: a
        // mistake in an engine that is not ours must not do that.
        match catch_unwind(AssertUnwindSafe(met)) {
            Ok(met) => met.map_err(|error| Mistake::of(&error, &self.source)),
            Err(_panic) => Err(Mistake("it ends in a mistake of the engine".to_owned())),
        }
    }
}

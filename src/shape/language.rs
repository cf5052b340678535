//! What conditions and templates have in common: the engine, and how it is set.

use minijinja::{Environment, UndefinedBehavior, Value};

/// How deep what is evaluated may be nested: loops in loops, or a loop that calls itself.
const DEPTH: usize = 50;

/// An engine whose every evaluation may use so much fuel: about as many steps, or 64 times as many bytes.
pub(super) fn engine(fuel: u64) -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Chainable);
    engine.set_fuel(Some(fuel));
    engine.set_recursion_limit(DEPTH);
    // What Podium sends as null is undefined here, so this must be true of it.
    engine.add_test("none", |value: &Value| value.is_none() || value.is_undefined());
    // With it a loop could nest lists in lists, past any depth that can be printed or dropped.
    engine.remove_global("namespace");
    // It prints all that is known, for the makers of templates and not for whom an event is sent to.
    engine.remove_global("debug");
    engine
}

//! `lectern config check` and `lectern config show`.

use clap::Subcommand;

use super::failure::Failure;
use super::output;
use crate::config::{HandlerConfig, Loaded};
use crate::handlers::Registry;
use crate::model::TypePattern;
use crate::podium::EventType;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Looks for mistakes, and names all of them
    Check,
    /// Prints every key with its value and where that is from; secrets are hidden
    Show,
}

pub(super) fn run(command: &Command, loaded: &Loaded, registry: &Registry) -> Result<(), Failure> {
    match command {
        Command::Check => check(loaded, registry),
        Command::Show => output::line(loaded.provenance().to_string().trim_end()),
    }
}

fn check(loaded: &Loaded, registry: &Registry) -> Result<(), Failure> {
    check_handlers(loaded, registry)?;
    loaded.check_generated()?;
    let sources: Vec<&str> = loaded.sources().map(|source| source.name.as_str()).collect();
    let handlers: Vec<String> = loaded.handlers().map(described).collect();
    let handlers =
        if handlers.is_empty() { "none: events are only kept".to_owned() } else { handlers.join(", ") };
    output::line("ok")?;
    output::line(format_args!("  database  {}", loaded.database().url))?;
    output::line(format_args!("  sources   {}", sources.join(", ")))?;
    output::line(format_args!("  handlers  {handlers}"))?;
    for source in loaded.sources().filter(|source| source.allow_unsigned) {
        output::line(format_args!(
            "note: the source `{}` takes requests without a signature (`allow_unsigned`): anybody who can reach the \
             public listener can send events",
            source.name
        ))?;
    }
    for handler in loaded.handlers() {
        for pattern in idle_patterns(handler) {
            output::line(format_args!(
                "note: the handler `{}` wants `{pattern}`, which is no event type that is known today",
                handler.subscription.handler
            ))?;
        }
    }
    Ok(())
}

/// Has each handler's kind check its settings.
pub(super) fn check_handlers(loaded: &Loaded, registry: &Registry) -> Result<(), Failure> {
    Ok(loaded.check_handlers(|kind, settings| registry.build(kind, settings).map(drop))?)
}

fn described(handler: &HandlerConfig) -> String {
    let types: Vec<&str> = handler.subscription.types.iter().map(TypePattern::as_str).collect();
    format!("{} ({}: {})", handler.subscription.handler, handler.kind, types.join(" "))
}

/// The patterns that fit no type that is known. Podium's list is open, so this is no mistake, but it may be a slip.
fn idle_patterns(handler: &HandlerConfig) -> impl Iterator<Item = &str> {
    let known = EventType::ALL;
    let patterns = handler.subscription.types.iter();
    patterns
        .filter(move |pattern| !known.iter().any(|known| pattern.matches(known.as_str())))
        .map(TypePattern::as_str)
}

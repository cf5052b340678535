//! Lectern with one more kind of handler: `shout`, which prints the texts that customers write, in capitals.
//!
//! Everything else is as in Lectern itself, so this program takes the same configuration and the same commands:
//!
//! ```toml
//! [[handlers]]
//! name = "loud"
//! kind = "shout"
//! events = ["message.received"]
//! prefix = "A customer says: "
//! ```
//!
//! ```console
//! $ cargo run --example custom_handler -- serve --config shout.toml
//! $ cargo run --example custom_handler -- send message.received
//! ```

use std::io::{self, Write};
use std::process::ExitCode;

use lectern::config::{Settings, SettingsError};
use lectern::handlers::{Failure, Handler, Registry, Success, Work, async_trait};
use lectern::podium::Event;
use serde::Deserialize;

/// The keys that the kind understands. A misspelt one stops the start with a message that names it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shout {
    #[serde(default)]
    prefix: String,
}

impl Shout {
    fn build(settings: Settings) -> Result<Box<dyn Handler>, SettingsError> {
        Ok(Box::new(settings.read::<Self>()?))
    }
}

#[async_trait]
impl Handler for Shout {
    async fn handle(&self, work: &Work) -> Result<Success, Failure> {
        // An error that `?` returns is tried again. A body that can't be read never gets better: it waits for a person.
        let event = work.decode().event.map_err(Failure::permanent)?;
        if let Event::Message(message) = event
            && let Some(text) = message.body
        {
            writeln!(io::stdout(), "{}{}", self.prefix, text.to_uppercase())?;
        }
        Ok(Success::done())
    }
}

fn main() -> ExitCode {
    lectern::cli::main(Registry::built_in().with("shout", Shout::build))
}

//! The command line: one file a command.

mod beside;
mod config;
mod doctor;
mod duration;
mod failure;
mod flags;
mod handlers;
mod migrate;
mod output;
mod replay;
mod replays;
mod resolve;
mod send;
mod serve;
mod sources;
mod table;
mod token;
mod welcome;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use self::failure::Failure;
use self::flags::ConfigurationFlags;
use crate::config::Environment;
use crate::handlers::Registry;

/// Receives Podium's webhooks: verifies them, keeps them, and hands them to your handlers in order.
#[derive(Parser)]
#[command(name = "lectern", version, propagate_version = true, max_term_width = 100, after_long_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    configuration: ConfigurationFlags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Receives webhooks and runs handlers; the same as `lectern` alone
    Serve,
    /// Sends sample events, signed as Podium signs them: for trying things out, and for load
    Send(Box<send::Arguments>),
    /// Says why a request, by default the newest in quarantine, is not accepted, and what to do about it
    Doctor(Box<doctor::Arguments>),
    /// Shows or checks the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Makes, lists and revokes tokens for the REST API
    #[command(subcommand)]
    Token(token::Command),
    /// Lists the webhooks that may call, and when each of their secrets was last used
    Sources(sources::Arguments),
    /// Lists the handlers with what they have to do and how fast they are, and pauses them
    Handlers(handlers::Arguments),
    /// Replays a delivery, or all that flags fit: their handlers do them again
    Replay(Box<replay::Arguments>),
    /// Lists replays of many deliveries, and calls them off
    Replays(replays::Arguments),
    /// Calls a dead delivery done, with a note why
    Resolve(resolve::Arguments),
    /// Brings the database's schema up to date, as `serve` does when it starts
    Migrate,
}

const EXAMPLES: &str = "\
Examples:
  Start; the first start makes all that it needs:
    lectern
  Send it a sample event:
    lectern send message.received
  Keep everything in PostgreSQL:
    DATABASE_URL=postgres://USER:PASSWORD@HOST/DATABASE lectern
  See how the handlers stand, and have done again what was given up for one of them:
    lectern handlers
    lectern replay --handler crm --since 12h
  Look for mistakes in a configuration file:
    lectern --config lectern.toml config check

Exit codes: 0 done, 1 failed, 2 wrong usage.";

/// The whole command line, with the kinds of handlers that `registry` knows: `main` of a program of one's own.
///
/// ```no_run
/// use lectern::handlers::Registry;
///
/// fn main() -> std::process::ExitCode {
///     lectern::cli::main(Registry::built_in())
/// }
/// ```
#[must_use]
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is the end of the registry's way: `main` has no use for it after"
)]
pub fn main(registry: Registry) -> ExitCode {
    run(std::env::args_os().collect(), Environment::of_process(), &registry)
}

fn run(arguments: Vec<OsString>, environment: Environment, registry: &Registry) -> ExitCode {
    let program = welcome::program(arguments.first());
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        // Help and the version come this way, too. Nobody is left to tell when they can't be printed.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let done = runtime().and_then(|runtime| {
        let done = runtime.block_on(execute(parsed, environment, registry, &program));
        // Looking up a host's name can't be called off, and is no reason to stay.
        runtime.shutdown_timeout(Duration::from_secs(1));
        done
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

async fn execute(
    arguments: Arguments,
    environment: Environment,
    registry: &Registry,
    program: &str,
) -> Result<(), Failure> {
    // One TLS implementation for everything that speaks HTTPS; another one that is there already will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Arguments { configuration, command } = arguments;
    let layers = configuration.layers(environment);
    match command.unwrap_or(Command::Serve) {
        Command::Serve => {
            serve::run(layers, registry, &format!("{program}{}", configuration.repeated())).await
        }
        Command::Send(arguments) => send::run(*arguments, &layers.load()?).await,
        Command::Doctor(arguments) => doctor::run(&arguments, &layers.load()?).await,
        Command::Config(command) => config::run(&command, &layers.load()?, registry),
        Command::Token(command) => token::run(command, layers.load()?).await,
        Command::Sources(arguments) => sources::run(&arguments, layers.load()?).await,
        Command::Handlers(arguments) => handlers::run(&arguments, &layers.load()?).await,
        Command::Replay(arguments) => replay::run(&arguments, &layers.load()?).await,
        Command::Replays(arguments) => replays::run(&arguments, &layers.load()?).await,
        Command::Resolve(arguments) => resolve::run(&arguments, &layers.load()?).await,
        Command::Migrate => migrate::run(layers.load()?).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}

//! The command line: one file a command.

mod auth;
mod beside;
mod client;
mod config;
mod doctor;
mod duration;
mod erase;
mod export;
mod failure;
mod flags;
mod handlers;
mod health;
mod http;
mod import;
mod kept_secrets;
mod migrate;
mod outside;
mod output;
mod plain;
mod podium;
mod progress;
mod prune;
mod quarantine;
mod rebuild;
mod repair;
mod replay;
mod replays;
mod resolve;
mod send;
mod serve;
mod simulate;
mod sources;
mod table;
mod tail;
mod token;
mod webhooks;
mod welcome;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use self::client::Kind;
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
    /// Lists the events that arrived, or shows one
    Events(Box<client::Arguments>),
    /// Lists messages, or shows one
    Messages(Box<client::Arguments>),
    /// Lists conversations, or shows one
    Conversations(Box<client::Arguments>),
    /// Lists contacts, or shows one
    Contacts(Box<client::Arguments>),
    /// Lists invoices, or shows one
    Invoices(Box<client::Arguments>),
    /// Lists reviews, or shows one
    Reviews(Box<client::Arguments>),
    /// Lists calls, or shows one
    Calls(Box<client::Arguments>),
    /// Lists what handlers owe to events, or shows a delivery with its attempts
    Deliveries(Box<client::Arguments>),
    /// Lists requests that failed verification, has them verified again, deletes them
    Quarantine(Box<quarantine::Arguments>),
    /// Shows events as they arrive
    Tail(Box<tail::Arguments>),
    /// Makes the mirror, which messages and the like are shown from, anew; or shows how it stands
    Rebuild(rebuild::Arguments),
    /// Signs in to Podium, or out, or shows how that stands
    #[command(subcommand)]
    Auth(auth::Command),
    /// Makes the webhooks at Podium what the configuration says, shows in what they differ, changes their secrets
    #[command(subcommand)]
    Webhooks(webhooks::Command),
    /// Reads back from Podium what was missed
    Repair(repair::Arguments),
    /// Shows what Podium itself has: users, locations, conversations and so on
    Podium(podium::Arguments),
    /// Plays Podium, for trying things out
    Simulate(simulate::Arguments),
    /// Asks the server on this machine whether it takes events: for a container's health check
    Health,
    /// Erases what is stored about a person
    Erase(erase::Arguments),
    /// Forgets what is older than the configuration says, at once; or says how much that is
    Prune(prune::Arguments),
    /// Writes everything that the database has, to be imported into another
    Export(export::Arguments),
    /// Reads what was exported into an empty database, such as from SQLite into PostgreSQL
    Import(import::Arguments),
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
  See what was said, and what arrives from now on:
    lectern messages q=walnut
    lectern tail 'type=message.*'
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
        Command::Events(arguments) => client::run(Kind::Events, *arguments, &layers.load()?).await,
        Command::Messages(arguments) => client::run(Kind::Messages, *arguments, &layers.load()?).await,
        Command::Conversations(arguments) => {
            client::run(Kind::Conversations, *arguments, &layers.load()?).await
        }
        Command::Contacts(arguments) => client::run(Kind::Contacts, *arguments, &layers.load()?).await,
        Command::Invoices(arguments) => client::run(Kind::Invoices, *arguments, &layers.load()?).await,
        Command::Reviews(arguments) => client::run(Kind::Reviews, *arguments, &layers.load()?).await,
        Command::Calls(arguments) => client::run(Kind::Calls, *arguments, &layers.load()?).await,
        Command::Deliveries(arguments) => client::run(Kind::Deliveries, *arguments, &layers.load()?).await,
        Command::Quarantine(arguments) => quarantine::run(*arguments, &layers.load()?).await,
        Command::Tail(arguments) => tail::run(*arguments, &layers.load()?).await,
        Command::Rebuild(arguments) => rebuild::run(&arguments, &layers.load()?).await,
        Command::Auth(command) => auth::run(&command, &layers.load()?).await,
        Command::Webhooks(command) => webhooks::run(command, layers.load()?).await,
        Command::Repair(arguments) => repair::run(&arguments, layers.load()?).await,
        Command::Podium(arguments) => podium::run(arguments, &layers.load()?).await,
        Command::Simulate(arguments) => simulate::run(arguments, &layers.load()?).await,
        Command::Health => health::run(&layers.load()?).await,
        Command::Erase(arguments) => erase::run(&arguments, &layers.load()?).await,
        Command::Prune(arguments) => prune::run(&arguments, &layers.load()?).await,
        Command::Export(arguments) => export::run(&arguments, &layers.load()?).await,
        Command::Import(arguments) => import::run(&arguments, layers.load()?).await,
        Command::Migrate => migrate::run(layers.load()?).await,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use clap::error::ErrorKind;
    use clap::{CommandFactory as _, Parser as _};

    use super::Arguments;

    /// What shows commands: the pages, and what an alarm says is to be done.
    fn pages() -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders = ["", "docs", "docs/decisions", "migrations", "secrets", "deploy/prometheus"];
        let files = folders.map(|folder| fs::read_dir(root.join(folder)).unwrap());
        let paths = files.into_iter().flatten().map(|file| file.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|kind| kind == "md" || kind == "yaml"))
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_is_deployed_says_which_version_it_is() {
        let version = env!("CARGO_PKG_VERSION");
        assert!(include_str!("../../Dockerfile").contains(&format!("ARG VERSION={version}\n")));
        let kustomization = include_str!("../../deploy/kubernetes/kustomization.yaml");
        assert!(kustomization.contains(&format!("newTag: \"{version}\"")));
    }

    #[test]
    fn every_command_in_the_documentation_is_one() {
        let (mut blocks, mut inline) = (0, 0);
        for page in pages() {
            // What stands outside of blocks is every other part.
            for (at, part) in page.split("```").enumerate() {
                if let Some(block) = part.strip_prefix("sh\n") {
                    for line in block.replace("\\\n", " ").lines() {
                        blocks += assert_calls(line, &[]);
                    }
                } else if at % 2 == 0 {
                    let code = part.split('`').skip(1).step_by(2).filter(|code| code.starts_with("lectern "));
                    inline += code.map(|code| assert_calls(&code.replace('\n', " "), &NAMED)).sum::<usize>();
                }
            }
        }
        assert!(
            blocks > 40 && inline > 60,
            "only {blocks} and {inline} commands: are these still the pages?"
        );
    }

    /// How many calls of the program a line has, all of which are as the program takes them.
    fn assert_calls(line: &str, but_for: &[ErrorKind]) -> usize {
        let calls = calls(line);
        for words in calls.iter().filter(|words| !words.contains(&"…".to_owned())) {
            if let Err(error) = Arguments::try_parse_from(words) {
                // Help that is asked for comes this way, too.
                assert!(!error.use_stderr() || but_for.contains(&error.kind()), "{line}\n{error}");
            }
        }
        calls.len()
    }

    /// What is wrong with a command that is only named, without what must follow it.
    const NAMED: [ErrorKind; 2] =
        [ErrorKind::MissingRequiredArgument, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand];

    /// The calls of the program in a line, each as its words.
    fn calls(line: &str) -> Vec<Vec<String>> {
        let line = line.split(" #").next().unwrap_or_default().replace("cargo run --release", "lectern");
        let line = line
            .replace("{{ $labels.handler }}", "crm")
            .replace("cargo run -- ", "lectern ")
            .replace("target/release/lectern", "lectern");
        let parts = line.split(['|', ';']).flat_map(|part| part.split("&&"));
        let words =
            parts.map(|part| words(part.split("$(").last().unwrap_or_default().trim_end_matches([')', '"'])));
        let call = |words: Vec<String>| {
            let at = words.iter().rposition(|word| word == "lectern")?;
            // What stands before it sets variables, or goes into a container.
            let is_called = words[..at].iter().all(|word| {
                word.contains('=')
                    || ["docker", "compose", "exec", "lectern", "sudo", "-T"].contains(&word.as_str())
            });
            let end =
                words.iter().position(|word| word.starts_with('>') || word == "&").unwrap_or(words.len());
            let filled = |word: &String| match word.as_str() {
                "DELIVERY" | "ID" => "01a2027b-da68-7001-9a3c-4b1d5e76f0ab".to_owned(),
                "COMMAND" => "serve".to_owned(),
                _ => word.clone(),
            };
            (is_called && at < end).then(|| words[at..end].iter().map(filled).collect())
        };
        words.filter_map(call).collect()
    }

    /// The words of a command, as a shell takes them apart.
    fn words(text: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for c in text.chars() {
            match (quote, c) {
                (Some(open), _) if c == open => quote = None,
                (None, '\'' | '"') => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (None, ' ') => words.extend(word.take()),
                _ => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        words
    }
}

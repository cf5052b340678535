//! `lectern import`.

use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::output;
use super::table::Table;
use crate::app;
use crate::config::Loaded;
use crate::moving;
use crate::telemetry;

#[derive(Args)]
#[command(after_long_help = NOTES)]
pub(super) struct Arguments {
    /// What `lectern export` has written; `-` is standard input
    file: PathBuf,
    /// Go on with an import that was interrupted: what is there already is passed over
    #[arg(long)]
    resume: bool,
}

const NOTES: &str = "\
The database must be empty, and no server may use it until this is done. In the end all of it is read out again and compared with
the lines, by number and by checksum.

Bring along from the data folder what the lines do not have: webhook-secret, api-token and, if Lectern looks after things at
Podium, encryption-key.";

/// Reads everything into the database.
pub(super) async fn run(arguments: &Arguments, loaded: Loaded) -> Result<(), Failure> {
    telemetry::start(loaded.log());
    let mut lines: Box<dyn BufRead + Send> = if arguments.file.as_os_str() == "-" {
        Box::new(BufReader::new(stdin()))
    } else {
        let file = File::open(&arguments.file)
            .map_err(|error| Failure::failed(format!("can't read {}: {error}", arguments.file.display())))?;
        Box::new(BufReader::with_capacity(1 << 20, file))
    };
    let config = loaded.start()?.config;
    let store = app::open_store(&config.database).await?;
    let bar = super::progress::spinner();
    let done = tokio::select! {
        done = moving::import(&mut *lines, &*store, arguments.resume, |count| {
            bar.set_message(format!("{count} records read"));
        }) => done.map_err(Failure::from),
        _ = tokio::signal::ctrl_c() => Err(Failure::failed("stopped; --resume goes on with it")),
    };
    bar.finish_and_clear();
    store.close().await;
    let tally = done?;
    let mut table = Table::new(["", "records", "sha256"]);
    for (name, sum) in &tally.0 {
        table.add([name.replace('_', " "), sum.count.to_string(), sum.sha256.clone()]);
    }
    output::line(table)?;
    output::line(format_args!("All of it is in {}, and the same.", config.database.url))
}

//! `lectern export`.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write, stdout};
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::{beside, output};
use crate::config::Loaded;
use crate::moving;

#[derive(Args)]
#[command(after_long_help = NOTES)]
pub(super) struct Arguments {
    /// The file to write; none of this name may be there yet [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

const NOTES: &str = "\
The lines have all that the database has, customers' messages included, and tokens as digests: keep them as you keep the database. Servers may
run meanwhile: what is written is how everything stands at one moment. Not in them is what lies in the data folder: the secrets that
Lectern made, the key that sealed tokens and secrets of Podium's, and the spool.

Examples:
  From SQLite to PostgreSQL, with the server stopped:
    lectern export --output lectern.ndjson
    DATABASE_URL=postgres://USER:PASSWORD@HOST/DATABASE lectern import lectern.ndjson";

/// Writes everything that the database has.
pub(super) async fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let store = beside::store(loaded).await?;
    let done = tokio::select! {
        done = write(arguments, &*store) => done,
        _ = tokio::signal::ctrl_c() => Err(Failure::failed("stopped; what was written is not whole")),
    };
    store.close().await;
    done
}

async fn write(arguments: &Arguments, store: &dyn crate::store::Database) -> Result<(), Failure> {
    let mut out: Box<dyn Write + Send> = match &arguments.output {
        None => Box::new(BufWriter::new(stdout())),
        Some(file) => {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options
                .open(file)
                .map_err(|error| Failure::failed(format!("can't write {}: {error}", file.display())))?;
            Box::new(BufWriter::new(file))
        }
    };
    let bar = super::progress::spinner();
    let tally = moving::export(store, &mut *out, |count| {
        if count % 1000 == 0 {
            bar.set_message(format!("{count} records written"));
        }
    })
    .await;
    bar.finish_and_clear();
    let tally = tally?;
    let total: u64 = tally.0.values().map(|sum| sum.count).sum();
    output::complain(&format!("{total} records were written."));
    Ok(())
}

//! `lectern export`.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use super::{beside, output};
use crate::config::Loaded;
use crate::moving;
use crate::spool::{self, Seen};
use crate::store::Database;

#[derive(Args)]
#[command(after_long_help = NOTES)]
pub(super) struct Arguments {
    /// The file to write; none of this name may be there yet [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

const NOTES: &str = "\
The lines have all that the database has, customers' messages included, and tokens as digests:
keep them as you keep the database. Servers may run meanwhile: what is written is how everything
stands at one moment. Not in them is what lies in the data folder: the secrets that Lectern made,
the key that sealed tokens and secrets of Podium's, and the spool. What waits in the spool of this
machine is warned of.

Examples:
  From SQLite to PostgreSQL, with the server stopped:
    lectern export --output lectern.ndjson
    DATABASE_URL=postgres://USER:PASSWORD@HOST/DATABASE lectern import lectern.ndjson";

/// Writes everything that the database has.
pub(super) async fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let store = beside::whole_store(loaded).await?;
    // Before the lines are written: an event goes from there into the database.
    let spooled = in_spool(loaded.spool_dir())?;
    let done = tokio::select! {
        done = write(arguments, &*store) => done,
        _ = tokio::signal::ctrl_c() => Err(Failure::failed("stopped; what was written is not whole")),
    };
    store.close().await;
    if done.is_ok() && spooled > 0 {
        output::complain(&format!(
            "{spooled} events wait in the spool of this machine and may not be in it: bring the folder {} along, or start the server until \
             `GET /readyz` shows nothing in the spool and export once more. Podium was told that they arrived.",
            loaded.spool_dir().display()
        ));
    }
    done
}

/// How many events wait there, those included that are kept for a person.
fn in_spool(folder: &Path) -> Result<usize, Failure> {
    let (mut events, mut damaged) = (0, BTreeSet::new());
    spool::look(folder, |seen, _| match seen {
        Seen::Waiting | Seen::SetAside(_) => events += 1,
        // Nobody knows how many there are in it.
        Seen::Damaged(file) => _ = damaged.insert(file),
    })?;
    Ok(events + damaged.len())
}

async fn write(arguments: &Arguments, store: &dyn Database) -> Result<(), Failure> {
    let written = match &arguments.output {
        None => lines(store, &mut BufWriter::new(stdout())).await?,
        Some(path) => file(store, path).await?,
    };
    output::complain(&format!("{written} records were written."));
    Ok(())
}

async fn file(store: &dyn Database, path: &Path) -> Result<u64, Failure> {
    let failed = |error: io::Error| Failure::failed(format!("can't write {}: {error}", path.display()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed)?;
    let written = lines(store, &mut BufWriter::new(&file)).await?;
    flush(&file, path).map_err(failed)?;
    Ok(written)
}

/// Has the disk keep the file and its name, whatever happens to the machine: the old database may go next.
fn flush(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// Returns how many records there are.
async fn lines(store: &dyn Database, out: &mut (dyn Write + Send)) -> Result<u64, Failure> {
    let bar = super::progress::spinner();
    let tally = moving::export(store, out, |count| {
        if count % 1000 == 0 {
            bar.set_message(format!("{count} records written"));
        }
    })
    .await;
    bar.finish_and_clear();
    Ok(tally?.0.values().map(|sum| sum.count).sum())
}

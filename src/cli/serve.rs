//! `lectern serve`.

use std::io::IsTerminal as _;

use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::welcome::{Welcome, webhook};
use super::{config, output};
use crate::app::{App, Reload};
use crate::config::Layers;
use crate::handlers::Registry;
use crate::telemetry;

/// Serves until it is told to stop. `program` is how this program was called, for the examples that it prints.
pub(super) async fn run(layers: Layers, registry: &Registry, program: &str) -> Result<(), Failure> {
    // First of all: until then, the signal ends the process.
    let hangups = Hangups::watch()?;
    let loaded = layers.load()?;
    telemetry::start(loaded.log());
    let _traces = telemetry::traces::start();
    config::check_handlers(&loaded, registry)?;
    // From here on, so that a signal during the start is not lost.
    let (stop, now) = stop_signals()?;
    let started = loaded.start()?;
    let (is_first, secret_file) = (started.is_first, started.webhook_secret_file);
    let (secret_is_generated, role) = (started.webhook_secret_is_generated, started.config.role);
    let (token_file, snapshot) = (started.api_token_file, started.snapshot);
    let takes_unsigned =
        started.config.sources.iter().any(|source| source.name == "default" && source.secrets.is_empty());

    let app = tokio::select! {
        app = App::start(started.config, registry) => app?,
        () = stop.cancelled() => return Ok(()),
    };
    let (public, internal) = (app.public_address(), app.internal_address());
    tracing::info!(%public, %internal, webhook = webhook(public), "listening");
    if role.receives() && (is_first || std::io::stdout().is_terminal()) {
        let welcome = Welcome {
            public,
            internal,
            secret_file,
            secret_is_generated,
            takes_unsigned,
            token_file,
            program,
        };
        // A server serves whether or not anybody reads its greeting.
        let _ = output::line(welcome);
    }
    let reload = app.reload(layers, snapshot);
    // In a task of its own: what is read again below sets up every handler to see whether it can be, which may take its time,
    // and nobody is kept waiting for it.
    let mut serving = tokio::spawn(app.run(stop.clone().cancelled_owned()));
    tokio::select! {
        ended = &mut serving => ended.map_err(|_| Failure::failed("the server was ended by a mistake in Lectern")),
        () = now.cancelled() => Err(Failure::failed("stopped at once, by the second signal")),
        () = hangups.each(reload, registry, &stop) => Ok(()),
    }
}

/// SIGHUP: the configuration is to be read again.
struct Hangups {
    #[cfg(unix)]
    signals: tokio::signal::unix::Signal,
    has_terminal: bool,
}

impl Hangups {
    /// Those from now on.
    fn watch() -> Result<Self, Failure> {
        Ok(Self {
            #[cfg(unix)]
            signals: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?,
            has_terminal: std::io::stdin().is_terminal(),
        })
    }

    /// Reads the configuration again at each, and never ends.
    async fn each(mut self, mut reload: Reload, registry: &Registry, stop: &CancellationToken) {
        while self.next().await {
            // The terminal that it was started from is gone, which is what the signal once was for: nobody would find the
            // server any more.
            if self.has_terminal && !std::io::stdin().is_terminal() {
                stop.cancel();
            } else {
                reload.again(registry).await;
            }
        }
        std::future::pending::<()>().await;
    }

    /// Waits for the next, if there can be one.
    async fn next(&mut self) -> bool {
        #[cfg(unix)]
        return self.signals.recv().await.is_some();
        #[cfg(not(unix))]
        return false;
    }
}

/// The first is cancelled at SIGINT (Ctrl-C) or SIGTERM (what a container's engine or systemd sends), the second when that
/// comes once more.
fn stop_signals() -> Result<(CancellationToken, CancellationToken), Failure> {
    let (stop, now) = (CancellationToken::new(), CancellationToken::new());
    let (first, second) = (stop.clone(), now.clone());
    #[cfg(unix)]
    let mut next = {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        async move || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
    };
    #[cfg(not(unix))]
    let mut next = async || drop(tokio::signal::ctrl_c().await);
    tokio::spawn(async move {
        next().await;
        first.cancel();
        tracing::info!("stopping: finishing what is under way");
        next().await;
        second.cancel();
    });
    Ok((stop, now))
}

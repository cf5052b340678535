//! Which Lectern is asked, and with which token.

use std::path::PathBuf;

use clap::Args;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use crate::cli::failure::Failure;
use crate::cli::welcome::reachable;
use crate::config::{Loaded, read_secret};

/// Which Lectern is asked. There is no flag for a token itself: every user of the machine sees what flags a process has.
#[derive(Args)]
#[command(next_help_heading = "Server")]
pub(in crate::cli) struct Server {
    /// The internal listener of a Lectern elsewhere, asked with the token of LECTERN_API_TOKEN or --token-file [default: the
    /// configured one, with its token]
    #[arg(long, value_name = "URL", value_parser = address)]
    url: Option<Url>,
    /// A file that holds the token to ask with
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Where to ask, and what opens it.
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) token: SecretString,
    /// What a person knows the token by.
    pub(super) token_from: String,
}

impl Server {
    pub(super) fn target(&self, loaded: &Loaded) -> Result<Target, Failure> {
        let (token, token_from) = self.token(loaded)?;
        if !token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::failed(format!(
                "the token from {token_from} can't be sent in a header: it must be letters, digits and signs of ASCII, \
                 without spaces"
            )));
        }
        Ok(Target { url: self.url(loaded)?, token, token_from })
    }

    fn url(&self, loaded: &Loaded) -> Result<Url, Failure> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        let listen = reachable(loaded.internal_listen());
        if listen.port() == 0 {
            return Err(Failure::usage(
                "`internal.listen` has the port 0, so where the server is must be said with --url",
            ));
        }
        Ok(Url::parse(&format!("http://{listen}"))?)
    }

    fn token(&self, loaded: &Loaded) -> Result<(SecretString, String), Failure> {
        if let Some(file) = &self.token_file {
            let shown = file.display();
            let token =
                read_secret(file).map_err(|why| Failure::failed(format!("the token file {shown} {why}")))?;
            return Ok((token, shown.to_string()));
        }
        if self.url.is_none() {
            let token = loaded.api_token().map_err(|error| {
                Failure::failed(format!(
                    "{error}\nA server that has its token from the environment or a file needs the same one here: give it with \
                     LECTERN_API_TOKEN or --token-file"
                ))
            })?;
            return Ok((token.value, token.from));
        }
        // The token of this machine's Lectern is nobody else's business.
        match loaded.configured_api_token().filter(|token| token.is_of_environment) {
            Some(token) => Ok((token.value, token.from)),
            None => Err(Failure::usage(
                "with --url goes the token of LECTERN_API_TOKEN or --token-file; `lectern token create` makes one there",
            )),
        }
    }
}

fn address(text: &str) -> Result<Url, String> {
    let fits = |url: &Url| {
        ["http", "https"].contains(&url.scheme())
            && (url.username(), url.password(), url.query(), url.fragment()) == ("", None, None, None)
    };
    Url::parse(text).ok().filter(fits).ok_or_else(|| {
        "it must be an address such as https://lectern.example.com, without a user, a query or a fragment"
            .to_owned()
    })
}

//! A request that is given by hand: in files, in arguments, on standard input.

use std::io::Read as _;
use std::path::Path;

use super::request::{self, Request};
use super::show::Origin;
use super::{Arguments, Case};
use crate::cli::failure::Failure;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Loaded;

/// How to give one.
pub(super) const USAGE: &str = "give the request that is to be examined: with --request FILE, or with --headers FILE or -H, and --body \
                                FILE; `lectern doctor --help` has examples";

impl Arguments {
    /// Whether a request is given, or a part of one.
    pub(super) const fn is_by_hand(&self) -> bool {
        self.request.is_some()
            || self.headers.is_some()
            || !self.header.is_empty()
            || self.body.is_some()
            || self.at.is_some()
    }
}

/// Reads the request that is given.
pub(super) fn read(arguments: &Arguments, loaded: &Loaded) -> Result<Case, Failure> {
    let Request { source, headers, body } = given(arguments)?;
    let limit = loaded.public().max_body;
    if body.len() > limit {
        return Err(Failure::failed(format!(
            "the body has {} bytes, and `public.max_body` is {limit}: it is answered 413 body_too_large before its \
             signature is looked at; raise `public.max_body`",
            body.len()
        )));
    }
    Ok(Case {
        source: arguments.source.clone().or(source).unwrap_or_else(|| "default".to_owned()),
        headers,
        body: body.into(),
        received_at: arguments.at.unwrap_or_else(|| SystemClock.now()),
        origin: if arguments.at.is_some() { Origin::AsSaid } else { Origin::Now },
    })
}

fn given(arguments: &Arguments) -> Result<Request, Failure> {
    if let Some(file) = &arguments.request {
        let name = file.display();
        return Request::whole(&bytes(file)?)
            .map_err(|error| Failure::usage(format!("{name} holds no request: {error}")));
    }
    let Some(body) = &arguments.body else { return Err(Failure::usage(USAGE)) };
    if arguments.headers.is_none() && arguments.header.is_empty() {
        return Err(Failure::usage(
            "give the request's headers beside its body: with --headers FILE, or with -H",
        ));
    }
    let stdin = Path::new("-");
    if body == stdin && arguments.headers.as_deref() == Some(stdin) {
        return Err(Failure::usage("headers and body can't both come from standard input: use --request -"));
    }
    let mut headers = Vec::new();
    for line in &arguments.header {
        let header = request::header(line)
            .map_err(|error| Failure::usage(format!("a header given with -H {error}")))?;
        headers.push(header);
    }
    if let Some(file) = &arguments.headers {
        let name = file.display();
        let found = request::headers(&bytes(file)?);
        headers.extend(found.map_err(|error| Failure::usage(format!("{name} holds no headers: {error}")))?);
    }
    Ok(Request { source: None, headers, body: bytes(body)? })
}

fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    let read = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    read.map_err(|error| Failure::usage(format!("{} can't be read: {error}", file.display())))
}

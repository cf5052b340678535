//! The settings of the kind `http`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::signature::{self, Signer};
use crate::config::{SettingsError, secret_as};
use crate::handlers::excerpt::Secrets;
use crate::handlers::text_table::TextTable;

/// The statuses of what will be no different the next time: the request is wrong for the receiver, or there is nothing
/// where it is sent to. 401 and 403 are not among them: a token may be mended while deliveries wait.
const PERMANENT: [u16; 4] = [400, 404, 410, 422];

/// A part of a path that is shorter is a word, such as `webhooks`, and no token.
const TOKEN: usize = 12;

/// As written. It has no `Debug`: every key may hold a secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// Where to post. A user and a password in it become an `authorization` header.
    url: String,
    /// What to sign with.
    secret: Option<SecretString>,
    /// The file that holds what to sign with.
    secret_file: Option<PathBuf>,
    /// Further headers.
    #[serde(default)]
    headers: TextTable,
    /// The statuses after which there is no further try.
    permanent_statuses: Option<Value>,
}

/// As meant.
pub(super) struct Checked {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) signer: Option<Signer>,
    pub(super) permanent: BTreeSet<u16>,
    pub(super) secrets: Secrets,
}

/// Checks all that can be checked before the first event.
pub(super) fn check(written: Written) -> Result<Checked, SettingsError> {
    let url = url(&written.url).map_err(|reason| SettingsError(format!("`url`: {reason}")))?;
    let mut secrets = Secrets::default();
    tokens(&url).iter().for_each(|token| secrets.add(token));
    for value in written.headers.0.values() {
        secrets.add(value);
        // A token is often repeated without the `Bearer` before it.
        value.split_whitespace().for_each(|word| secrets.add(word));
    }
    Ok(Checked {
        url,
        headers: headers(written.headers).map_err(|reason| SettingsError(format!("`headers`: {reason}")))?,
        signer: secret_as(written.secret, written.secret_file, "secret", |secret| {
            let secret = secret.expose_secret();
            secrets.add(secret);
            secrets.add(secret.strip_prefix(signature::PREFIX).unwrap_or_default());
            Signer::new(secret)
        })?,
        permanent: match written.permanent_statuses {
            None => PERMANENT.into(),
            Some(list) => statuses(&list).ok_or_else(|| {
                SettingsError(
                    "`permanent_statuses`: write a list of statuses from 300 to 599, such as [400, 404], or [] for none"
                        .to_owned(),
                )
            })?,
        },
        secrets,
    })
}

/// The messages never repeat the address: it may hold a password or a token.
fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; write it as https://host/path"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err("only http and https are possible; write it as https://host/path".to_owned()),
    }
}

/// What of an address may be as secret as a password: a receiver that finds nothing there repeats all of it, and others a part,
/// as it was sent or as it is read.
fn tokens(url: &Url) -> Vec<String> {
    let (path, query) = (url.path(), url.query().unwrap_or_default());
    let segments = path.split('/').filter(|segment| segment.len() >= TOKEN);
    let values = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1));
    let parts = segments.chain(values);
    let read = parts.clone().map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned());
    let whole = [format!("{path}?{query}"), path.to_owned(), query.to_owned()];
    read.chain(parts.map(str::to_owned)).chain(whole).collect()
}

fn headers(written: TextTable) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, text) in written.0 {
        let header: HeaderName =
            name.parse().map_err(|_| format!("`{}` can't be a header's name", name.escape_debug()))?;
        if is_ours(header.as_str()) {
            return Err(format!("`{name}` is set by Lectern itself and can't be changed"));
        }
        let mut value: HeaderValue =
            text.parse().map_err(|_| format!("the value of `{name}` can't be sent in a header"))?;
        value.set_sensitive(true);
        if headers.insert(header, value).is_some() {
            return Err(format!("`{name}` is there twice, in different letters"));
        }
    }
    Ok(headers)
}

/// Those that say what is sent, and those by which HTTP finds the end of it.
fn is_ours(name: &str) -> bool {
    name.starts_with("webhook-")
        || name.starts_with("lectern-")
        || ["connection", "content-length", "content-type", "host", "transfer-encoding", "user-agent"]
            .contains(&name)
}

fn statuses(list: &Value) -> Option<BTreeSet<u16>> {
    let status = |status: &Value| u16::try_from(status.as_u64()?).ok();
    list.as_array()?.iter().map(|one| status(one).filter(|status| (300..600).contains(status))).collect()
}

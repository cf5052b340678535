//! Why Redis did not take something, in words for the person who has to do something about it.

use redis::{ErrorKind, RedisError};

use super::settings::Checked;
use crate::handlers::Failure;
use crate::handlers::broker::Trouble;

/// An entry that was not added.
pub(super) fn of_adding(error: &RedisError, stream: &str) -> Trouble {
    let Some(code) = error.code() else {
        return Trouble::Lost(Failure::retry(format!(
            "the connection was lost before the entry was confirmed: {error}"
        )));
    };
    let said = error.detail().unwrap_or_default();
    let refused = |why: String| Trouble::Refused(Failure::retry(why));
    match code {
        "WRONGTYPE" => refused(format!(
            "the key `{stream}` holds something else than a stream: name another, or remove what is there"
        )),
        "NOPERM" => refused(format!("the server lets this user not add to `{stream}`: {said}")),
        "OOM" => refused(format!(
            "the server's memory is full: raise its `maxmemory`, or set `maxlen` so that the stream does not grow: {said}"
        )),
        "MOVED" | "ASK" => refused(format!(
            "the key `{stream}` is on another server of a Redis Cluster ({said}): name one that has it in `url`"
        )),
        // What was the primary before is a replica now: its name may lead elsewhere by the next connection.
        "READONLY" => {
            Trouble::Lost(Failure::retry("the server is a replica: `url` must lead to the primary"))
        }
        "NOAUTH" | "WRONGPASS" => Trouble::Lost(Failure::retry(CREDENTIALS)),
        // From somebody unknown the server does not even read as much as an entry is.
        "ERR" if said.contains("unauthenticated") => Trouble::Lost(Failure::retry(CREDENTIALS)),
        "ERR" if said.contains("invalid bulk length") => Trouble::Lost(Failure::permanent(
            "the server takes no entry of this size: raise its `proto-max-bulk-len`, and then replay this",
        )),
        _ => refused(format!("the server did not take it: {code} {said}")),
    }
}

const CREDENTIALS: &str = "the server refuses the user or the password: correct them, or let them in there";

/// A connection that was not made.
pub(super) fn of_connecting(error: &RedisError, server: &Checked) -> Failure {
    match error.kind() {
        ErrorKind::AuthenticationFailed => Failure::retry(format!("{server}: {CREDENTIALS}")),
        _ => match error.code() {
            Some("NOAUTH" | "WRONGPASS") => Failure::retry(format!("{server}: {CREDENTIALS}")),
            _ => Failure::retry(format!("{server} can't be reached: {error}")),
        },
    }
}

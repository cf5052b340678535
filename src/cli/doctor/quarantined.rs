//! A request that is in quarantine.

use super::Case;
use super::by_hand::USAGE;
use super::show::Origin;
use crate::app;
use crate::cli::failure::Failure;
use crate::config::{DatabaseUrl, Loaded};
use crate::model::{PageRequest, QuarantineFilter, QuarantineId, QuarantinedRequest};
use crate::store::{Store, StoreError};
use crate::telemetry;

/// Reads an id as it is typed.
pub(super) fn id(text: &str) -> Result<QuarantineId, &'static str> {
    text.parse().map_err(|_| {
        "no id of a request in quarantine, such as 01a2027b-da68-7002-8c1d-77e0a4c9b35f; a file is given with --request"
    })
}

/// The request of this id; without one the newest, of this source if one is named.
pub(super) async fn find(
    id: Option<QuarantineId>,
    source: Option<&str>,
    loaded: &Loaded,
) -> Result<Case, Failure> {
    telemetry::start(loaded.log());
    let database = loaded.database();
    let kept = match &database.url {
        // Nothing was ever received, and a look is no reason to make a database.
        DatabaseUrl::Sqlite(file) if matches!(file.try_exists(), Ok(false)) => None,
        _ => {
            let store = app::open_store(database).await?;
            let kept = read(&*store, id, source).await;
            store.close().await;
            kept?
        }
    };
    let Some(QuarantinedRequest { request, content }) = kept else {
        return Err(missing(id, source, &database.url));
    };
    if !loaded.sources().any(|config| config.name == request.source) {
        return Err(Failure::usage(format!(
            "the request {} in quarantine came to the source `{}`, which is not configured any more: configure it, or \
             name another request by its id, or another source with --source",
            request.id, request.source
        )));
    }
    Ok(Case {
        source: request.source.clone(),
        headers: content.headers,
        body: content.body,
        received_at: request.received_at,
        origin: Origin::Quarantine(request),
    })
}

async fn read(
    store: &dyn Store,
    id: Option<QuarantineId>,
    source: Option<&str>,
) -> Result<Option<QuarantinedRequest>, StoreError> {
    if let Some(id) = id {
        return store.quarantined_request(id).await;
    }
    let filter = QuarantineFilter { source: source.map(str::to_owned), ..QuarantineFilter::default() };
    loop {
        let newest = store.quarantined(&filter, PageRequest { limit: 1, below: None }).await?;
        let Some(newest) = newest.first() else { return Ok(None) };
        // It may be released or deleted between the two: then another is the newest.
        if let Some(request) = store.quarantined_request(newest.id).await? {
            return Ok(Some(request));
        }
    }
}

fn missing(id: Option<QuarantineId>, source: Option<&str>, database: &DatabaseUrl) -> Failure {
    if let Some(id) = id {
        return Failure::usage(format!(
            "there is no request {id} in the quarantine of {database}: it was released or deleted, or made room for newer \
             ones, if the database is the right one; `lectern doctor` alone examines the newest, and GET \
             /api/v1/quarantine lists all"
        ));
    }
    let of = source.map(|source| format!(" of the source `{source}`")).unwrap_or_default();
    Failure::usage(format!(
        "no request{of} is in the quarantine of {database}. To examine one by hand, {USAGE}"
    ))
}

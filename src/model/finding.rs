//! What the watchdog has found to be wrong.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something about a webhook that a person may have to see to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is, such as `disabled`.
    pub kind: String,
    /// The source whose webhook it is about; none when it is about the account.
    pub source: Option<String>,
    /// Since when it is known.
    pub since: Timestamp,
    /// What it is, in a sentence.
    pub detail: String,
}

//! A mention of another object.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Another object, named by its uid alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Reference {
    /// The other object's uid.
    pub uid: Option<String>,
}

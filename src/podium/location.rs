//! Where in the business something belongs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A location of the business, with the organization that it is part of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Location {
    /// The location's uid.
    pub uid: Option<String>,
    /// The uid of the location's organization.
    pub organization_uid: Option<String>,
}

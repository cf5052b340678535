//! Review responses: the `data` of `review.response_created` and `review.response_updated`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time;

/// The business's answer to a review. It doesn't name the review.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = podium::ReviewResponse)]
pub struct ReviewResponse {
    /// The answer's uid.
    pub uid: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// Whether it was removed.
    pub is_deleted: Option<bool>,
    /// How many people liked it.
    pub like_count: Option<i64>,
    /// When it was published.
    #[serde(deserialize_with = "time::optional")]
    pub publish_date: Option<Timestamp>,
    /// The name under which it was published.
    pub site_author_name: Option<String>,
    /// Where it was written, e.g. `EXTERNAL`. Podium documents no list.
    pub source: Option<String>,
}

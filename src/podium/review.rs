//! Reviews: the `data` of `review.created` and `review.updated`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reference::Reference;
use super::{time, unpopulated};

/// What a customer wrote about the business on a review site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = podium::Review)]
pub struct Review {
    /// The review's uid in Podium.
    pub uid: Option<String>,
    /// The review itself.
    #[serde(deserialize_with = "unpopulated::object")]
    pub review: Option<ReviewContent>,
    /// Who wrote it.
    #[serde(deserialize_with = "unpopulated::object")]
    pub author: Option<Author>,
    /// Whether it says "recommended" or not, in place of a number of stars.
    pub is_recommendation: Option<bool>,
    /// Whether it waits for an answer.
    pub needs_response: Option<bool>,
    /// The business's answers.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub responses: Vec<PublishedResponse>,
    /// Whose work the review is put down to.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub attributions: Vec<ReviewAttribution>,
    /// The locations that the review is about.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub locations: Vec<Reference>,
    /// When the review was made.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(deserialize_with = "time::optional")]
    pub updated_at: Option<Timestamp>,
}

/// What a [`Review`] says, and where.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ReviewContent {
    /// The text.
    pub body: Option<String>,
    /// Stars, from 1 (low) to 5 (high). A recommendation counts as 5, its contrary as 1.
    pub rating: Option<f64>,
    /// The review site, e.g. `Google`.
    pub site_name: Option<String>,
    /// The site's own id of the review.
    pub site_review_id: Option<String>,
    /// Where the review can be read.
    pub url: Option<String>,
}

/// Who wrote a [`Review`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Author {
    /// The review site's own id of the author.
    pub id: Option<String>,
    /// The author's name.
    pub name: Option<String>,
}

/// An answer of the business, as it stands under a [`Review`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PublishedResponse {
    /// The text.
    pub body: Option<String>,
    /// The name under which it was published.
    pub site_author_name: Option<String>,
    /// When it was made.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
}

/// Whose work a [`Review`] is put down to, e.g. the technician who visited the customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ReviewAttribution {
    /// The uid of the Podium user.
    pub user_uid: Option<String>,
    /// The uid of the program that asked for the review.
    pub api_client_uid: Option<String>,
    /// The uid of the invitation that led to the review.
    pub review_invitation_uid: Option<String>,
}

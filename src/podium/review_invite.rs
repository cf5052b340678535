//! Review invites: the `data` of `review.invite_link_created` and `review.invite_link_updated`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::channel::Channel;
use super::location::Location;
use super::open_enum::open_enum;
use super::{time, unpopulated};

/// An invitation to write a review, sent to a customer as a link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = podium::ReviewInvite)]
pub struct ReviewInvite {
    /// The invitation's uid.
    pub uid: Option<String>,
    /// The name of the customer who is invited.
    pub customer_name: Option<String>,
    /// The channel in which it was sent.
    #[serde(deserialize_with = "unpopulated::object")]
    pub channel: Option<Channel>,
    /// The uid of the conversation's item with the invitation. It is not the conversation's own.
    pub conversation_item_uid: Option<String>,
    /// How far the invitation got.
    pub delivery_status: Option<DeliveryStatus>,
    /// The languages of its text, e.g. `en`.
    #[serde(deserialize_with = "unpopulated::list")]
    pub languages: Vec<String>,
    /// Whether the customer opened the link.
    pub link_clicked: Option<bool>,
    /// When the customer opened the link.
    #[serde(deserialize_with = "time::optional")]
    pub link_clicked_at: Option<Timestamp>,
    /// The location that is to be reviewed.
    #[serde(deserialize_with = "unpopulated::object")]
    pub location: Option<Location>,
    /// Who sent the invitation.
    #[serde(deserialize_with = "unpopulated::object")]
    pub sender: Option<InviteSender>,
    /// The reviews that came of it.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub attributions: Vec<InviteAttribution>,
    /// Whether the invitation was only a trial.
    pub test: Option<bool>,
    /// The link.
    pub url: Option<String>,
    /// The link, made short.
    pub short_url: Option<String>,
    /// When the invitation was made.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(deserialize_with = "time::optional")]
    pub updated_at: Option<Timestamp>,
}

open_enum! {
    /// How far a [`ReviewInvite`] got.
    DeliveryStatus otherwise str::to_owned {
        Failed = "failed",
        Pending = "pending",
        Sent = "sent",
        Delivered = "delivered",
    }
}

/// Who sent a [`ReviewInvite`], and by what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct InviteSender {
    /// The uid of the user or integration.
    pub uid: Option<String>,
    /// Which of the two it is.
    pub r#type: Option<SenderType>,
    /// The employee's name, or `external` if the invitation was sent by a machine.
    pub name: Option<String>,
    /// The part of Podium through which it was sent.
    pub sent_through: Option<SentThrough>,
}

open_enum! {
    /// What an [`InviteSender`] is.
    SenderType otherwise str::to_owned {
        User = "user",
        Integration = "integration",
    }
}

open_enum! {
    /// The part of Podium through which a [`ReviewInvite`] was sent.
    SentThrough otherwise str::to_owned {
        ClientApp = "client_app",
        Feedback = "feedback",
        GeneratedLinkOnly = "generated_link_only",
        Integrations = "integrations",
        Payments = "payments",
        Email = "email",
        Sms = "sms",
        Mms = "mms",
        External = "external",
    }
}

/// A review that came of a [`ReviewInvite`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct InviteAttribution {
    /// The review's uid.
    pub review_uid: Option<String>,
    /// Who wrote it.
    pub review_author: Option<String>,
    /// Its text.
    pub review_body: Option<String>,
    /// Its stars, from 1 (low) to 5 (high).
    pub review_rating: Option<f64>,
    /// When it was published.
    #[serde(deserialize_with = "time::optional")]
    pub review_published_at: Option<Timestamp>,
    /// The review site, e.g. `google`.
    pub site_name: Option<String>,
}

//! Contacts: the `data` of the five `contact.…` events, which is a change from one state to another.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::open_enum::open_enum;
use super::reference::Reference;
use super::{time, unpopulated};

/// What happened to a contact.
///
/// A deleted contact stands in `before`. When contacts are merged, `before` is the one that went away and
/// `after` the one that stays, under another uid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContactChange {
    /// The contact as it is now.
    #[serde(deserialize_with = "unpopulated::object")]
    pub after: Option<Contact>,
    /// The contact as it was.
    #[serde(deserialize_with = "unpopulated::object")]
    pub before: Option<Contact>,
    /// What could not be done. Podium documents no shape, so it is kept as it came; null if it was missing.
    pub errors: Value,
}

/// A person whom the business knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = podium::Contact)]
pub struct Contact {
    /// The contact's uid.
    pub uid: Option<String>,
    /// The person's name.
    pub name: Option<String>,
    /// The postal address.
    #[serde(deserialize_with = "unpopulated::object")]
    pub address: Option<Address>,
    /// What the business notes about its contacts, by its own definition.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub attributes: Vec<Attribute>,
    /// The ways to reach the person, with what he or she agreed to.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub channels: Vec<ContactChannel>,
    /// The conversations with the person.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub conversations: Vec<Reference>,
    /// E-mail addresses.
    #[serde(deserialize_with = "unpopulated::list")]
    pub emails: Vec<String>,
    /// Telephone numbers.
    #[serde(deserialize_with = "unpopulated::list")]
    pub phone_numbers: Vec<String>,
    /// The locations that know the contact.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub locations: Vec<Reference>,
    /// The organization that the contact belongs to.
    #[serde(deserialize_with = "unpopulated::object")]
    pub organization: Option<Reference>,
    /// The tags on the contact.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub tags: Vec<Tag>,
    /// When the contact was made.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
    /// When the contact last changed.
    #[serde(deserialize_with = "time::optional")]
    pub updated_at: Option<Timestamp>,
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Address {
    /// The first line.
    pub address_line1: Option<String>,
    /// The second line.
    pub address_line2: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The state, province or region.
    pub state: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The country.
    pub country: Option<String>,
}

/// One thing noted about a contact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Attribute {
    /// The uid of the attribute's definition.
    pub uid: Option<String>,
    /// What it is called.
    pub label: Option<String>,
    /// The type of the value, e.g. `STRING`, `DATETIME` or `SINGLE_SELECT`.
    pub data_type: Option<String>,
    /// The value, of the type that `data_type` names; null if it was missing.
    pub value: Value,
    /// What the definition belongs to.
    #[serde(deserialize_with = "unpopulated::object")]
    pub owner_resource: Option<OwnerResource>,
}

/// The owner of an [`Attribute`]'s definition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct OwnerResource {
    /// The uid of an application or of an organization.
    pub uid: Option<String>,
    /// Which of the two, e.g. `PRODUCT` or `ORGANIZATION`.
    pub r#type: Option<String>,
}

/// One way to reach a contact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ContactChannel {
    /// The e-mail address or telephone number.
    pub identifier: Option<String>,
    /// The kind of channel.
    pub r#type: Option<ContactChannelType>,
    /// What the channel is called, e.g. `work`.
    pub label: Option<String>,
    /// The uids of the locations whose marketing messages the person agreed to.
    #[serde(deserialize_with = "unpopulated::list")]
    pub marketing_opted_in_location_uids: Vec<String>,
    /// When the person asked for no more transactional messages.
    #[serde(deserialize_with = "time::optional")]
    pub transactional_opted_out_at: Option<Timestamp>,
    /// When the channel was made.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
    /// When the channel last changed.
    #[serde(deserialize_with = "time::optional")]
    pub updated_at: Option<Timestamp>,
}

open_enum! {
    /// The kind of a [`ContactChannel`]. Upper case, unlike a conversation's
    /// [`ChannelType`](super::ChannelType).
    ContactChannelType otherwise str::to_owned {
        Email = "EMAIL",
        Phone = "PHONE",
    }
}

/// A tag on a contact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Tag {
    /// The tag's uid.
    pub uid: Option<String>,
    /// What it is called.
    pub label: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

//! The way by which a customer is reached.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::open_enum::open_enum;

/// A channel: its kind and the customer's address in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Channel {
    /// The customer's e-mail address or telephone number in this channel. Numbers outside the USA and Canada
    /// have their country code.
    pub identifier: Option<String>,
    /// The kind of channel.
    pub r#type: Option<ChannelType>,
}

open_enum! {
    /// The kind of a [`Channel`].
    ChannelType otherwise str::to_owned {
        Apple = "apple",
        CarWars = "car_wars",
        Email = "email",
        Facebook = "facebook",
        FallbackEmail = "fallback_email",
        Google = "google",
        GoogleBrand = "google_brand",
        Iframe = "iframe",
        Instagram = "instagram",
        Phone = "phone",
        Secure = "secure",
        Sms = "sms",
        Text = "text",
        Whatsapp = "whatsapp",
    }
}

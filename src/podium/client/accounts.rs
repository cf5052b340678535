//! Who and where: users, locations, organizations.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::podium::{Reference, time, unpopulated};

/// Somebody who works with Podium.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct User {
    /// The user's uid.
    pub uid: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// What the user may do, such as `admin`. Podium documents no list.
    pub role: Option<String>,
    /// Whether the user works there no more.
    pub archived: Option<bool>,
    /// The locations that the user belongs to.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub locations: Vec<Reference>,
    /// When the user was made.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
    /// When the user was last changed.
    #[serde(deserialize_with = "time::optional")]
    pub updated_at: Option<Timestamp>,
}

impl User {
    /// What people call the user: both names, or what there is.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let names = [&self.first_name, &self.last_name].into_iter().flatten();
        let name =
            names.map(|name| name.trim()).filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
        Some(name).filter(|name| !name.is_empty()).or_else(|| self.email.clone())
    }
}

/// A location, as Podium lists it: a branch of a business.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Site {
    /// The location's uid.
    pub uid: Option<String>,
    /// The organization that it belongs to.
    pub organization_uid: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    /// What customers see it called.
    pub display_name: Option<String>,
    /// Where it is.
    pub address: Option<String>,
    /// The number under which customers reach it through Podium.
    pub podium_phone_number: Option<String>,
    /// Whether it is no more.
    pub archived: Option<bool>,
}

/// A business with all its locations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Organization {
    /// The organization's uid.
    pub uid: Option<String>,
    /// What it is called.
    pub business_name: Option<String>,
    /// Whether it is no more.
    pub archived: Option<bool>,
    /// When it was made.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_called_by_what_is_known() {
        let user = |json: &str| serde_json::from_str::<User>(json).unwrap().name();
        assert_eq!(user(r#"{"firstName":"Ann","lastName":"Lee"}"#).as_deref(), Some("Ann Lee"));
        assert_eq!(user(r#"{"firstName":" ","lastName":"Lee","email":"a@b.c"}"#).as_deref(), Some("Lee"));
        assert_eq!(user(r#"{"firstName":null,"email":"a@b.c","new":1}"#).as_deref(), Some("a@b.c"));
        assert_eq!(user("{}"), None);
    }
}

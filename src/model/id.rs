//! Identifiers: UUIDs of version 7, whose order is the order of time.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier of the moment `at`: later moments sort higher, to the microsecond; within one
            /// microsecond chance decides.
            #[must_use]
            pub fn at(at: Timestamp) -> Self {
                Self(new_uuid(at))
            }

            /// The smallest identifier that the moment `at` can have: where a range over time begins.
            #[must_use]
            pub fn floor(at: Timestamp) -> Self {
                Self(uuid_v7(at, [0; 8]))
            }

            /// The identifier as a UUID, as a store keeps it.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

identifier! {
    /// Names one accepted event.
    EventId
}
identifier! {
    /// Names one delivery.
    DeliveryId
}
identifier! {
    /// Names one request in quarantine.
    QuarantineId
}
identifier! {
    /// Names one replay of many deliveries.
    ReplayId
}
identifier! {
    /// Names one API token.
    TokenId
}

/// A new UUID of the moment `at`.
pub(crate) fn new_uuid(at: Timestamp) -> Uuid {
    let mut chance = [0; 8];
    // Without randomness two identifiers of one microsecond would be the same: better to stop.
    getrandom::fill(&mut chance).expect("the operating system gives random bytes");
    uuid_v7(at, chance)
}

/// RFC 9562, section 6.2, method 3: the 12 bits after the millisecond hold the fraction of it, so that order holds
/// to the microsecond without a counter that threads would share.
fn uuid_v7(at: Timestamp, chance: [u8; 8]) -> Uuid {
    let microseconds = u64::try_from(at.as_microsecond()).unwrap_or(0);
    let fraction = u16::try_from((microseconds % 1000) * 4096 / 1000).unwrap_or(0);
    let mut tail = [0; 10];
    tail[..2].copy_from_slice(&fraction.to_be_bytes());
    tail[2..].copy_from_slice(&chance);
    uuid::Builder::from_unix_timestamp_millis(microseconds / 1000, &tail).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn later_microseconds_have_higher_identifiers(at in 0_i64..4_000_000_000_000_000, step in 1_i64..5_000_000) {
            let earlier = Timestamp::from_microsecond(at).unwrap();
            let later = Timestamp::from_microsecond(at + step).unwrap();
            prop_assert!(EventId::at(earlier) < EventId::at(later));
            prop_assert!(EventId::at(earlier) < EventId::floor(later));
            prop_assert!(EventId::floor(later) <= EventId::at(later));
            prop_assert_eq!(EventId::at(at_moment(at)).as_uuid().get_version_num(), 7);
        }
    }

    fn at_moment(microseconds: i64) -> Timestamp {
        Timestamp::from_microsecond(microseconds).unwrap()
    }
}

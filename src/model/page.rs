//! Pages of a list: newest first, and each begins where the one before ended.

use serde::{Deserialize, Serialize};

/// How many items a page holds: 1 to 100, by default 10, as Podium's own API has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Limit(u32);

impl Limit {
    /// The largest page.
    pub const MAX: u32 = 100;

    /// The number of items.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(10)
    }
}

impl From<Limit> for u32 {
    fn from(limit: Limit) -> Self {
        limit.0
    }
}

/// The number is not the size of a page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 1 to 100")]
pub struct LimitOutOfRange;

impl TryFrom<u32> for Limit {
    type Error = LimitOutOfRange;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        (1..=Self::MAX).contains(&number).then_some(Self(number)).ok_or(LimitOutOfRange)
    }
}

/// Which page of a list is wanted. `K` names an item and orders the list, highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// How many items at most.
    pub limit: u32,
    /// Only items below this one: the last of the page before.
    pub below: Option<K>,
}

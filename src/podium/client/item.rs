//! Things as Podium sends them.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Something as Podium sent it, of which this program may know less than there is: properties are added to Podium's objects
/// at any time.
#[derive(Clone, Debug)]
pub struct Item<T> {
    raw: Box<RawValue>,
    means: PhantomData<fn() -> T>,
}

impl<T> Item<T> {
    pub(super) const fn new(raw: Box<RawValue>) -> Self {
        Self { raw, means: PhantomData }
    }

    /// The JSON as it came.
    #[must_use]
    pub fn json(&self) -> &str {
        self.raw.get()
    }
}

impl<T: DeserializeOwned> Item<T> {
    /// What it says.
    ///
    /// # Errors
    /// When it is not what it should be.
    pub fn read(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.raw.get())
    }
}

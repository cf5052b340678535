/// Declares an enum of the texts that Podium documents for a field, open to those it adds later.
///
/// Podium asks its clients to handle unfamiliar values gracefully, so reading such a text never fails: what
/// is not in the list becomes `Other`, through the function named after `otherwise`, and is written back as
/// it came.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $name:ident otherwise $otherwise:path {
            $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(
                $(#[$variant_meta])*
                #[doc = ""]
                #[doc = concat!("Written `", $text, "`.")]
                $variant,
            )+
            /// A value that is not in the list above.
            Other(String),
        }

        impl $name {
            /// The documented values.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text as Podium writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other($otherwise(other)),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                // No list that is closed: a client made from it would fail at what Podium adds.
                let known = [$(concat!("`", $text, "`")),+].join(", ");
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some(format!("One of {known}, or what Podium adds to them")))
                    .examples([$($text),+])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Ok(Self::from(text.as_ref()))
            }
        }
    };
}

pub(super) use open_enum;

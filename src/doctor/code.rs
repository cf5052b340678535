//! What can be wrong, by names that programs can rely on.

use serde::Serialize;

/// What is wrong, as programs read it: in JSON in `snake_case`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// There is no header with a signature.
    SignatureMissing,
    /// The signature stands in a header of another name.
    SignatureRenamed,
    /// There is no header with a timestamp.
    TimestampMissing,
    /// The timestamp stands in a header of another name.
    TimestampRenamed,
    /// Each of the two headers has what belongs into the other.
    HeadersSwapped,
    /// A header comes several times, and not the first but another one is right.
    HeaderRepeated,
    /// `t=…,v1=…`: timestamp and signature in one header, as other services write them.
    AnotherVendorsForm,

    /// The timestamp is empty.
    TimestampEmpty,
    /// The timestamp counts seconds.
    TimestampInSeconds,
    /// The timestamp counts microseconds.
    TimestampInMicroseconds,
    /// The timestamp counts nanoseconds.
    TimestampInNanoseconds,
    /// The timestamp is a number with decimals or an exponent.
    TimestampHasDecimals,
    /// The timestamp is a date in words.
    TimestampIsADate,
    /// The timestamp has white space or quotes around it.
    TimestampNotBare,
    /// The timestamp is nothing that could be read.
    TimestampMalformed,

    /// The signature is empty.
    SignatureEmpty,
    /// The signature has white space or quotes around it.
    SignatureNotBare,
    /// The signature has something like `sha256=` before it.
    SignatureHasPrefix,
    /// Several signatures stand in one header.
    SignatureRepeated,
    /// The signature is in base64.
    SignatureInBase64,
    /// The signature is as long as one by HMAC-SHA1.
    SignatureIsSha1,
    /// The signature is as long as one by HMAC-SHA384.
    SignatureIsSha384,
    /// The signature is as long as one by HMAC-SHA512.
    SignatureIsSha512,
    /// The signature is hexadecimal, and too long or too short.
    SignatureWrongLength,
    /// The signature is nothing that could be read.
    SignatureMalformed,

    /// Nothing can be verified: the source has no secret.
    NoSecret,
    /// The secret is another source's.
    SecretOfAnotherSource,
    /// The secret is one whose time is over.
    SecretExpired,
    /// The secret is not configured: it was given by hand.
    SecretNotConfigured,
    /// The configured secret or the sender's has white space or quotes around it.
    SecretNotBare,
    /// The sender signs without the `whsec_` of the secret, or with one more.
    SecretPrefix,
    /// The sender decodes the secret before it signs.
    SecretDecoded,

    /// The body alone was signed, without the timestamp.
    TimestampNotSigned,
    /// Timestamp and body were signed with something else between them than a full stop, or nothing.
    SeparatorWrong,
    /// The body was signed before the timestamp.
    OrderSwapped,
    /// The timestamp was signed in seconds, and the header has another unit.
    SignedOverSeconds,
    /// The timestamp was signed in milliseconds, and the header has another unit.
    SignedOverMilliseconds,
    /// What was signed is put together as another service does.
    SignedAsAnotherVendor,

    /// An empty body was signed.
    BodyEmptyWhenSigned,
    /// A newline at the body's end came in or was lost.
    BodyNewline,
    /// White space around the body came in or was lost.
    BodyTrimmed,
    /// The line ends of the body were changed.
    BodyLineEnds,
    /// A byte order mark came in or was lost.
    BodyByteOrderMark,
    /// The body was brought into another character set.
    BodyCharset,
    /// The JSON was written anew with other white space.
    BodyReformatted,
    /// The JSON was written anew with other escapes in its texts.
    BodyEscapes,
    /// The JSON was written anew with its properties in another order.
    BodyReordered,
    /// The JSON became a text in JSON, or ceased to be one.
    BodyWrapped,
    /// The body is in URL encoding, as a form is.
    BodyUrlEncoded,
    /// The body is in base64.
    BodyInBase64,
    /// The body is empty, and signed when it was not.
    BodyEmpty,
    /// The body is not as long as its header says.
    BodyLengthDiffers,
    /// The body was compressed or unpacked on its way.
    BodyCompressed,
    /// Characters of the body could not be read by something on its way, and are lost.
    BodyCharactersLost,

    /// None of the secrets gives the signature, whatever was supposed.
    NothingFits,

    /// Rightly signed, but too long ago.
    TimestampTooOld,
    /// Rightly signed, but for later.
    TimestampInFuture,
}

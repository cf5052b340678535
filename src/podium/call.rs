//! Telephone calls: the `data` of the four `call.…` events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::open_enum::open_enum;
use super::time;

/// A telephone call between a customer and a location.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = podium::Call)]
pub struct Call {
    /// The call's uid.
    pub uid: Option<String>,
    /// Who called whom.
    pub direction: Option<CallDirection>,
    /// How far the call got.
    pub status: Option<CallStatus>,
    /// The customer's number.
    pub customer_phone_number: Option<String>,
    /// The location's number.
    pub location_phone_number: Option<String>,
    /// When the call began.
    #[serde(deserialize_with = "time::optional")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(deserialize_with = "time::optional")]
    pub ended_at: Option<Timestamp>,
    /// How long it took in seconds, with the time that it rang.
    pub duration_seconds: Option<i64>,
    /// Whether the caller left a recording.
    pub has_voicemail: Option<bool>,
    /// Whether the caller's number was withheld.
    pub is_private: Option<bool>,
    /// The uid of the conversation with the customer.
    pub conversation_uid: Option<String>,
    /// The location's uid.
    pub location_uid: Option<String>,
    /// The uid of the location's organization.
    pub organization_uid: Option<String>,
    /// The uid of the Podium user who took the call.
    pub user_uid: Option<String>,
}

open_enum! {
    /// Who began a [`Call`].
    CallDirection otherwise str::to_owned {
        /// The customer called.
        Inbound = "inbound",
        /// The location called.
        Outbound = "outbound",
    }
}

open_enum! {
    /// How far a [`Call`] got.
    CallStatus otherwise str::to_owned {
        Abandoned = "abandoned",
        Active = "active",
        Answered = "answered",
        Blocked = "blocked",
        Busy = "busy",
        Canceled = "canceled",
        Completed = "completed",
        ContinueForwardToPstn = "continue_forward_to_pstn",
        ContinueForwardToSoftphone = "continue_forward_to_softphone",
        DialingOut = "dialing_out",
        DirectedToAudioFile = "directed_to_audio_file",
        DirectedToVoicemail = "directed_to_voicemail",
        Forwarded = "forwarded",
        Incoming = "incoming",
        InternalCall = "internal_call",
        MissedCall = "missed_call",
        NoAnswer = "no_answer",
        PromptToText = "prompt_to_text",
    }
}

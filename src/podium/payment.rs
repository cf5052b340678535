//! The payments on an invoice, and their refunds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::open_enum::open_enum;
use super::{time, unpopulated};

/// A payment on an [`Invoice`](super::Invoice). All amounts are in cents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Payment {
    /// The payment's uid.
    pub uid: Option<String>,
    /// How far it got.
    pub status: Option<PaymentStatus>,
    /// When it was made.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
    /// When the money reached the merchant's bank account.
    #[serde(deserialize_with = "time::optional")]
    pub settled_at: Option<Timestamp>,
    /// The card's brand, e.g. `visa`.
    pub card_brand: Option<String>,
    /// The kind of card, e.g. `CREDIT`.
    pub card_funding: Option<String>,
    /// The card's last four digits.
    pub card_last4: Option<String>,
    /// Whether the card was one kept on file.
    pub paid_with_card_on_file: Option<bool>,
    /// The name of the bank, for a bank transfer.
    pub bank_account_name: Option<String>,
    /// The bank account's last four digits, for a bank transfer.
    pub bank_account_last4: Option<String>,
    /// The payment processor's code for why the card was declined.
    pub decline_code: Option<String>,
    /// The same in words.
    pub decline_code_message: Option<String>,
    /// The fee taken when the payment was made, in cents.
    pub fee: Option<i64>,
    /// How the fee is billed, e.g. `per_deposit`.
    pub fee_billing_type: Option<String>,
    /// When the fee was taken.
    #[serde(deserialize_with = "time::optional")]
    pub fee_collected_at: Option<Timestamp>,
    /// The fee taken at the beginning of the next month from merchants on Interchange+, in cents.
    pub interchange_fee: Option<i64>,
    /// What was paid back.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub refunds: Vec<Refund>,
}

open_enum! {
    /// How far a [`Payment`] got.
    PaymentStatus otherwise str::to_owned {
        Disputed = "disputed",
        DisputeLost = "dispute_lost",
        Failed = "failed",
        Paid = "paid",
        PartialRefund = "partial_refund",
        Pending = "pending",
        Refunded = "refunded",
        RefundFailed = "refund_failed",
        RefundPending = "refund_pending",
        UnderReview = "under_review",
    }
}

/// A refund of a [`Payment`] or of a part of it. Podium gives it no uid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Refund {
    /// The amount paid back, in cents.
    pub amount: Option<i64>,
    /// The part of the surcharge paid back, in cents.
    pub refunded_surcharge_amount: Option<i64>,
    /// How far it got.
    pub status: Option<RefundStatus>,
    /// Why, in general.
    pub reason: Option<RefundReason>,
    /// Why, in words.
    #[serde(deserialize_with = "unpopulated::list")]
    pub notes: Vec<String>,
    /// When the refund was begun.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
    /// When it was complete. It can take 5 to 10 days to reach the customer's bank account.
    #[serde(deserialize_with = "time::optional")]
    pub settled_at: Option<Timestamp>,
}

open_enum! {
    /// How far a [`Refund`] got.
    RefundStatus otherwise str::to_owned {
        FailedChargeForPendingRefundDisputed = "failed_charge_for_pending_refund_disputed",
        FailedExpiredOrCancelled = "failed_expired_or_cancelled",
        FailedLostOrStolen = "failed_lost_or_stolen",
        FailedUnknown = "failed_unknown",
        Succeeded = "succeeded",
    }
}

open_enum! {
    /// Why a [`Refund`] was made.
    ///
    /// Podium's own word `other` is [`RefundReason::AnotherReason`]; [`RefundReason::Other`] is a word that
    /// it doesn't document.
    RefundReason otherwise str::to_owned {
        AccidentalCharge = "accidental_charge",
        Canceled = "canceled",
        Duplicate = "duplicate",
        Fraudulent = "fraudulent",
        RequestedByCustomer = "requested_by_customer",
        AnotherReason = "other",
    }
}

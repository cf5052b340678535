//! Invoices: the `data` of the eight `invoice.…` events. Each of them carries the whole invoice.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::channel::Channel;
use super::location::Location;
use super::open_enum::open_enum;
use super::payment::Payment;
use super::{time, unpopulated};

/// A request for payment. All amounts are in cents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = podium::Invoice)]
pub struct Invoice {
    /// The invoice's uid.
    pub uid: Option<String>,
    /// A number that a user gave it, or its name in another system.
    pub invoice_number: Option<String>,
    /// How far it got.
    pub status: Option<InvoiceStatus>,
    /// The amount of the invoice, in cents.
    pub amount: Option<i64>,
    /// The currency, e.g. `USD`.
    pub currency_ref: Option<String>,
    /// What makes up the amount.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub line_items: Vec<LineItem>,
    /// Taxes and service charges.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub invoice_service_charge_items: Vec<ServiceCharge>,
    /// The tips, in cents.
    pub tip_amount: Option<i64>,
    /// The surcharge, in cents.
    pub surcharge_amount: Option<i64>,
    /// The surcharge as a share of the amount: 0.035 is 3.5 %.
    pub surcharge_rate: Option<f64>,
    /// What reaches the merchant after processing fees, in cents.
    pub payment_net: Option<i64>,
    /// The payments made on the invoice, failed ones among them.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub payments: Vec<Payment>,
    /// How the invoice may be paid, e.g. `Credit Card`.
    #[serde(deserialize_with = "unpopulated::list")]
    pub allowed_payment_methods: Vec<String>,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// The channel in which the customer was asked to pay.
    #[serde(deserialize_with = "unpopulated::object")]
    pub channel: Option<Channel>,
    /// The uid of the conversation in which the customer was asked to pay.
    pub conversation_uid: Option<String>,
    /// The location that asks for the money.
    #[serde(deserialize_with = "unpopulated::object")]
    pub location: Option<Location>,
    /// The uid of the card reader, if one was used.
    pub reader_uid: Option<String>,
    /// The name of the employee who made the invoice.
    pub requester: Option<String>,
    /// When the invoice was made.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
    /// When it was paid.
    #[serde(deserialize_with = "time::optional")]
    pub paid_at: Option<Timestamp>,
    /// When it was cancelled.
    #[serde(deserialize_with = "time::optional")]
    pub canceled_at: Option<Timestamp>,
    /// Why it was cancelled: a note for the business itself.
    pub canceled_note: Option<String>,
}

open_enum! {
    /// How far an [`Invoice`] got.
    InvoiceStatus otherwise str::to_owned {
        Canceled = "canceled",
        Created = "created",
        Disputed = "disputed",
        DisputeLost = "dispute_lost",
        Expired = "expired",
        Failed = "failed",
        MarkedAsPaid = "marked_as_paid",
        Paid = "paid",
        PartialRefund = "partial_refund",
        Pending = "pending",
        Refunded = "refunded",
        RefundFailed = "refund_failed",
        RefundPending = "refund_pending",
        UnderReview = "under_review",
    }
}

/// One line of an [`Invoice`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct LineItem {
    /// The amount, in cents.
    pub amount: Option<i64>,
    /// What is charged for.
    pub description: Option<String>,
}

/// A tax or service charge on an [`Invoice`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ServiceCharge {
    /// What it is called.
    pub name: Option<String>,
    /// The amount charged, in cents.
    pub amount: Option<i64>,
    /// Whether it is a tax.
    pub service_charge_classification: Option<ServiceChargeClassification>,
    /// How it is computed.
    pub service_charge_type: Option<ServiceChargeType>,
    /// The flat charge in cents, if it is one.
    pub flat_charge_amount: Option<i64>,
    /// The per cent as a decimal number in text, e.g. `3`, if it is computed so.
    pub percentage_charge_rate: Option<String>,
}

open_enum! {
    /// What a [`ServiceCharge`] is.
    ServiceChargeClassification otherwise str::to_owned {
        ServiceCharge = "SERVICE_CHARGE",
        SalesTax = "SALES_TAX",
        RetailSalesTax = "RETAIL_SALES_TAX",
    }
}

open_enum! {
    /// How a [`ServiceCharge`] is computed.
    ServiceChargeType otherwise str::to_owned {
        FlatRate = "FLAT_RATE",
        PercentageBased = "PERCENTAGE_BASED",
    }
}

//! `lectern podium …`: what Podium itself has, as it says it.

use clap::{Args, Subcommand};
use futures_util::{StreamExt as _, pin_mut};
use serde_json::Value;

use super::client::on_one_line;
use super::failure::Failure;
use super::plain::one_line;
use super::table::Table;
use super::{output, outside};
use crate::config::Loaded;
use crate::podium::client::{Client, ClientError, Item, Pages};

#[derive(Args)]
pub(super) struct Arguments {
    /// How many of a list at most
    #[arg(long, value_name = "N", default_value_t = 100, global = true)]
    limit: usize,
    /// Print JSON, as Podium has it: a line each of a list
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Who works with Podium
    Users,
    /// One of them
    User { uid: String },
    /// One organization
    Organization { uid: String },
    /// The locations that can be seen
    Locations,
    /// Conversations
    Conversations {
        /// Of this location only
        #[arg(long)]
        location: Option<String>,
    },
    /// The messages of a conversation
    Messages { conversation: String },
    /// Contacts
    Contacts,
    /// Invoices
    Invoices,
    /// Reviews
    Reviews,
    /// Review invites
    ReviewInvites,
    /// One call: calls can't be listed
    Call { uid: String },
    /// The lead ID of a conversation
    LeadId { location: String, organization: String, conversation: String },
}

/// What a table shows of each thing: the first of these that it has, under each heading.
type Columns = [(&'static str, &'static [&'static str])];

const NAMES: &[&str] =
    &["/displayName", "/name", "/contactName", "/customerName", "/author/name", "/firstName"];
const COLUMNS: [(&str, &[&str]); 5] = [
    ("CREATED", &["/createdAt"]),
    ("NAME", NAMES),
    (
        "STATUS",
        &[
            "/status",
            "/role",
            "/review/rating",
            "/deliveryStatus",
            "/channel/type",
            "/conversation/channel/type",
        ],
    ),
    ("TEXT", &["/body", "/review/body", "/email", "/podiumPhoneNumber", "/channel/identifier", "/emails/0"]),
    ("UID", &["/uid"]),
];

/// Shows it.
pub(super) async fn run(arguments: Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let (outside, store) = outside::open(loaded).await?;
    let shown = show(&arguments, &outside.client).await;
    outside.account.rest().await;
    store.close().await;
    shown
}

async fn show(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    match &arguments.what {
        What::Users => list(client.users(), arguments).await,
        What::User { uid } => one(client.user(uid).await),
        What::Organization { uid } => one(client.organization(uid).await),
        What::Locations => list(client.locations(), arguments).await,
        What::Conversations { location } => list(client.conversations(location.as_deref()), arguments).await,
        What::Messages { conversation } => list(client.messages(conversation), arguments).await,
        What::Contacts => list(client.contacts(None), arguments).await,
        What::Invoices => list(client.invoices(None), arguments).await,
        What::Reviews => list(client.reviews(None), arguments).await,
        What::ReviewInvites => list(client.review_invites(None), arguments).await,
        What::Call { uid } => one(client.call(uid).await),
        What::LeadId { location, organization, conversation } => {
            match client.lead_id(location, organization, conversation).await? {
                Some(json) => output::line(on_one_line(&json)),
                None => Err(Failure::failed("Podium offers no lead ID for this conversation")),
            }
        }
    }
}

fn one<T>(item: Result<Item<T>, ClientError>) -> Result<(), Failure> {
    output::line(on_one_line(item?.json()))
}

async fn list<T>(pages: Pages<'_, T>, arguments: &Arguments) -> Result<(), Failure> {
    let items = pages.items().take(arguments.limit);
    pin_mut!(items);
    let mut table = Table::new(COLUMNS.map(|(heading, _)| heading));
    while let Some(item) = items.next().await {
        let item = item?;
        if arguments.json {
            output::line(on_one_line(item.json()))?;
        } else {
            let value: Value = serde_json::from_str(item.json())?;
            table.add(cells(&value, &COLUMNS));
        }
    }
    if arguments.json { Ok(()) } else { output::line(table) }
}

fn cells(value: &Value, columns: &Columns) -> [String; 5] {
    let cell = |places: &[&str]| {
        let found = places.iter().filter_map(|place| value.pointer(place)).find(|value| !value.is_null());
        match found {
            Some(Value::String(text)) => one_line(text, 60),
            Some(other) => one_line(&other.to_string(), 60),
            None => "-".to_owned(),
        }
    };
    std::array::from_fn(|at| cell(columns[at].1))
}

//! Upkeep: whatever keeps Podium sending, and what it failed to send from being missed.
//!
//! An [`Account`] is what Lectern asks Podium with: a person signs in once, and the tokens are kept sealed and are renewed by
//! themselves. [`Registrations`] makes the webhooks at Podium what the configuration says they are. The watchdog looks whether
//! they stay so, and whether anything comes ([`watch`]). [`Repair`] reads back what Podium has and Lectern has not. What
//! Lectern itself has to tell becomes an event like any other ([`Intake`]).

mod account;
mod dead_letters;
mod findings;
mod intake;
mod people;
mod registrations;
mod repair;
mod seal;
mod secrets;
mod sign_in;
mod watchdog;

pub use account::{Account, AccountError, Standing};
pub use dead_letters::{WAITING, tell_of_dead_letters};
pub use findings::FINDINGS;
pub use intake::{Intake, Inward, told};
pub use people::{LeadIds, People, keep_people};
pub use registrations::{Changes, Done, Planned, Registrations, Step, UpkeepError};
pub use repair::{Progress, Repair, Summary};
pub use seal::{NotSealed, SealingKey};
pub use secrets::{KeptSecret, KeptSecrets};
pub use sign_in::SignInError;
pub use watchdog::{Watchdog, watch};

//! What the ledger and the sink know when all is over, and what must be true of it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::fleet::{Call, Life};
use super::senders::{EVENTS, Sent};

/// So long before a trouble a call may have been made that the trouble kept from being settled: a run of a conversation
/// goes on for a second at most and is then written down, which takes its time on a busy machine.
const UNSETTLED: Duration = Duration::from_secs(3);

/// So many deliveries of a conversation are taken up together, and are settled together.
const TOGETHER: usize = 32;

/// Something that keeps calls from being settled that were made before it, or while it lasted.
#[derive(Debug)]
pub(super) struct Trouble {
    /// Whose calls; everybody's, if there is none.
    whose: Option<Life>,
    from: Instant,
    until: Instant,
}

impl Trouble {
    /// A kill, at this moment.
    pub(super) fn kill(whose: Life) -> Self {
        let now = Instant::now();
        Self { whose: Some(whose), from: now, until: now }
    }

    /// An outage of the database that begins at this moment.
    pub(super) fn outage() -> Self {
        let now = Instant::now();
        Self { whose: None, from: now, until: now }
    }

    /// The same, when it is over.
    pub(super) fn over(self) -> Self {
        Self { until: Instant::now(), ..self }
    }

    /// Whether it is why a call was not settled. What was under way at the moment of a kill reaches the sink a little later.
    fn explains(&self, call: &Call) -> bool {
        self.whose.is_none_or(|life| life == call.by)
            && (self.from - UNSETTLED..self.until + UNSETTLED).contains(&call.at)
    }
}

/// A line of the ledger.
type Line = (String, String, String, Option<String>);

pub(super) struct Evidence {
    /// Id, uid, conversation and the state of the delivery of each event, in the order of acceptance.
    pub(super) ledger: Vec<Line>,
    /// The calls, in the order in which the sink received them.
    pub(super) calls: Vec<Call>,
}

impl Evidence {
    /// Everything was accepted once and delivered, each conversation in its order, and repeated only what a trouble explains.
    pub(super) fn holds_up(&self, sent: &Sent, troubles: &[Trouble]) {
        let uids: HashSet<&str> = self.ledger.iter().map(|(_, uid, ..)| uid.as_str()).collect();
        assert_eq!((self.ledger.len(), uids.len()), (EVENTS as usize, EVENTS as usize));
        let open: Vec<&Line> =
            self.ledger.iter().filter(|(.., state)| state.as_deref() != Some("done")).collect();
        assert!(open.is_empty(), "not delivered: {open:?}");
        self.is_accepted_as_sent(sent);
        self.is_delivered_as_accepted();
        self.is_repeated_only_for_a_reason(troubles);
    }

    /// Of each conversation, what came into the database directly came in the order in which it was sent.
    fn is_accepted_as_sent(&self, sent: &Sent) {
        let mut last: HashMap<&str, &str> = HashMap::new();
        let direct = self.ledger.iter().filter(|(_, uid, ..)| !sent.was_spooled(uid));
        for (_, uid, conversation, _) in direct {
            let before = last.insert(conversation, uid);
            assert!(before < Some(uid), "{uid} was accepted after {before:?}");
        }
    }

    /// Of each conversation, the sink saw each event for the first time in the order of acceptance.
    fn is_delivered_as_accepted(&self) {
        let mut met = HashSet::new();
        let mut delivered: HashMap<&str, Vec<&str>> = HashMap::new();
        let conversations = self.conversations();
        for call in &self.calls {
            if met.insert(&call.event) {
                delivered.entry(conversations[call.event.as_str()]).or_default().push(&call.event);
            }
        }
        let mut accepted: HashMap<&str, Vec<&str>> = HashMap::new();
        for (id, _, conversation, _) in &self.ledger {
            accepted.entry(conversation).or_default().push(id);
        }
        for (conversation, events) in accepted {
            assert_eq!(
                delivered.get(conversation),
                Some(&events),
                "the order of conversation {conversation}"
            );
        }
    }

    /// A call that was followed by another one for the same event was not settled, and there is a trouble to explain that.
    /// Each trouble did so for no more of a conversation than is taken up together.
    fn is_repeated_only_for_a_reason(&self, troubles: &[Trouble]) {
        let conversations = self.conversations();
        let mut latest: HashMap<&str, &Call> = HashMap::new();
        let mut repeated: HashMap<(usize, Life, &str), usize> = HashMap::new();
        for call in &self.calls {
            let Some(before) = latest.insert(&call.event, call) else { continue };
            let reason = troubles.iter().position(|trouble| trouble.explains(before));
            let reason = reason.unwrap_or_else(|| {
                unreachable!("{before:?} was repeated by {call:?} for no reason: {troubles:#?}")
            });
            *repeated.entry((reason, before.by, conversations[call.event.as_str()])).or_default() += 1;
        }
        for (of, times) in &repeated {
            assert!(*times <= TOGETHER, "{times} events were repeated of {of:?}: {troubles:#?}");
        }
    }

    fn conversations(&self) -> HashMap<&str, &str> {
        self.ledger.iter().map(|(id, _, conversation, _)| (id.as_str(), conversation.as_str())).collect()
    }
}

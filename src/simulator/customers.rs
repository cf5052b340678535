//! What customers and the business do.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Simulator;
use super::deliver::Delivery;
use super::world::{State, World, now};
use crate::podium::{EventType, samples};

impl Simulator {
    /// A customer writes in a conversation, which is begun if it is a new one. Returns the message's uid.
    pub fn receive(&self, conversation: &str, text: &str) -> String {
        self.world.say(conversation, text, &EventType::MessageReceived)
    }

    /// The business answers. Returns the message's uid.
    pub fn send(&self, conversation: &str, text: &str) -> String {
        self.world.say(conversation, text, &EventType::MessageSent)
    }

    /// The uids of the location and of the organization that there are.
    #[must_use]
    pub fn owner(&self) -> (String, String) {
        let state = self.world.state();
        (state.location.clone(), state.organization.clone())
    }

    /// The uids of all messages.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        let state = self.world.state();
        let messages = state.messages.values().flatten();
        messages.filter_map(|message| Some(message["uid"].as_str()?.to_owned())).collect()
    }

    /// The uids of the registered webhooks, and whether each is disabled.
    #[must_use]
    pub fn webhooks(&self) -> Vec<(String, bool)> {
        let state = self.world.state();
        state.webhooks.iter().map(|(uid, hook)| (uid.clone(), hook.is_disabled)).collect()
    }

    /// How many events wait to be delivered.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.world.state().webhooks.values().map(|hook| hook.waiting.len()).sum()
    }

    /// Loses what waits to be delivered, as Podium does after ten days.
    pub fn lose(&self) -> usize {
        let mut state = self.world.state();
        state.webhooks.values_mut().map(|hook| std::mem::take(&mut hook.waiting).len()).sum()
    }

    /// Disables a webhook, as Podium does after eight hours.
    pub fn disable(&self, uid: &str) {
        if let Some(hook) = self.world.state().webhooks.get_mut(uid) {
            hook.is_disabled = true;
        }
    }

    /// Answers so many requests 503 from now on.
    pub fn fail(&self, requests: u32) {
        self.world.state().failing = requests;
    }

    /// Makes every access token that was given worthless.
    pub fn forget_access_tokens(&self) {
        self.world.state().access.clear();
    }
}

impl World {
    /// A message is made, kept, and told of.
    pub(super) fn say(&self, conversation: &str, text: &str, event_type: &EventType) -> String {
        let mut state = self.state();
        let (uid, at) = (state.uid(), now());
        let channel = json!({ "type": "phone", "identifier": "+18015550142" });
        let sender =
            (*event_type != EventType::MessageReceived).then(|| state.lists["users"][0]["uid"].clone());
        let source = if sender.is_some() { "outbound" } else { "inbound" };
        let (location, organization) = (state.location.clone(), state.organization.clone());
        let failure = (*event_type == EventType::MessageFailed).then_some("The number is a landline.");
        let message = json!({
            "uid": uid, "body": text, "createdAt": at, "failureReason": failure, "contactName": "Joe Orange",
            "senderUid": sender, "attachmentUrl": null, "webchatUrl": null,
            "conversation": { "uid": conversation, "assignedUserUid": null, "startedAt": at, "channel": channel },
            "location": { "uid": location, "organizationUid": organization },
            "items": [{
                "uid": state.uid(), "type": "message", "body": text, "sourceType": source,
                "deliveryStatus": "sent", "createdAt": at,
            }],
        });
        let threads = state.lists.entry("conversations").or_default();
        match threads.iter_mut().find(|thread| thread["uid"] == conversation) {
            Some(thread) => (thread["lastItemAt"], thread["updatedAt"]) = (json!(at), json!(at)),
            None => threads.push(json!({
                "uid": conversation, "locationUid": location, "channel": channel, "contactName": "Joe Orange",
                "assignedUserUid": null, "assigneeUids": [], "closed": false, "createdAt": at, "updatedAt": at,
                "lastItemAt": at,
            })),
        }
        state.messages.entry(conversation.to_owned()).or_default().push(message.clone());
        state.tell(event_type, &message);
        uid
    }

    /// Something of another kind happens: the sample of it, under a uid of its own. None when there is no sample.
    pub(super) fn happen(&self, event_type: &EventType) -> Option<String> {
        let body: Value = serde_json::from_str(samples::body(event_type)?).ok()?;
        let mut data = body["data"].clone();
        let mut state = self.state();
        let (uid, at) = (state.uid(), now());
        let (list, changed) = match event_type.as_str().split('.').next()? {
            "contact" => ("contacts", data.get_mut("after")?),
            "invoice" => ("invoices", &mut data),
            "review" if event_type.as_str().contains("invite") => ("invites", &mut data),
            "review" => ("reviews", &mut data),
            "call" => ("calls", &mut data),
            _ => return None,
        };
        for (key, value) in [("uid", json!(uid)), ("createdAt", json!(at)), ("updatedAt", json!(at))] {
            changed[key] = value;
        }
        let thing = changed.clone();
        state.lists.entry(list).or_default().push(thing);
        state.tell(event_type, &data);
        Some(uid)
    }
}

impl State {
    /// Puts an event into the queue of every webhook that wants it, those that are disabled too.
    fn tell(&mut self, event_type: &EventType, data: &Value) {
        let event_uid = self.uid();
        let body = json!({
            "data": data,
            "metadata": { "eventType": event_type.as_str(), "eventUid": event_uid, "version": "2021.04.01" },
        });
        let body = body.to_string();
        for hook in self.webhooks.values_mut() {
            if hook.types.iter().any(|wanted| wanted == event_type.as_str()) {
                hook.waiting.push_back(Delivery { body: body.clone(), since: Instant::now() });
                hook.news.notify_one();
            }
        }
    }
}

//! What a parameter means, where its name does not say it.

/// What is meant by the parameter, wherever it stands.
pub(super) fn meaning(name: &str) -> Option<&'static str> {
    Some(match name {
        "id" => "Lectern's id of it",
        "uid" => "Podium's uid of it",
        "name" => "The handler's name",
        "cursor" => "`metadata.nextCursor` of the page before; every other parameter is ignored beside it",
        "limit" => "How many items a page holds, by default 10",
        "q" => "Words, all of which must be there",
        "type" | "eventType" => "Only of this type; `*` stands for any run of characters",
        "include" => "`payload` adds the payload to each item",
        "receivedAfter" => "Received at this moment or later",
        "receivedBefore" => "Received before this moment",
        "createdAfter" => "Made at this moment or later",
        "createdBefore" => "Made before this moment",
        "publishedAfter" => "Published at this moment or later",
        "publishedBefore" => "Published before this moment",
        "startedAfter" => "Begun at this moment or later",
        "startedBefore" => "Begun before this moment",
        "activeAfter" => "With the last activity at this moment or later",
        "activeBefore" => "With the last activity before this moment",
        "awaitingReply" => "Whether the last word is the customer's",
        "needsResponse" => "Whether it waits for an answer",
        "mergedInto" => "Merged into the contact with this uid",
        "channelIdentifier" => "The telephone number or e-mail address of the channel",
        "reason" => "The code that it failed with, such as `signature_mismatch`",
        "onlyFailed" => "`false` for those that are done, too; by default only dead ones are meant",
        "rate" => "How many deliveries a second, by default 50",
        "dryRun" => "`true` to count only",
        "note" => "Why the delivery is called done",
        "lastEventId" => "Only what came after this event of the stream",
        _ => return None,
    })
}

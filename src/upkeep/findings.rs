//! What can be wrong.

use jiff::Timestamp;

use crate::model::Finding;

/// Podium has disabled the webhook, or somebody has.
pub(super) const DISABLED: &str = "disabled";
/// No such webhook is registered.
pub(super) const GONE: &str = "gone";
/// It leads elsewhere, or not everything is sent, or it is signed with another secret.
pub(super) const DIFFERS: &str = "differs";
/// Nothing comes for longer than usual.
pub(super) const SILENT: &str = "silent";
/// Podium can't be asked how the webhooks are.
pub(super) const UNCHECKED: &str = "unchecked";

/// Every kind of finding.
pub const FINDINGS: [&str; 5] = [DISABLED, GONE, DIFFERS, SILENT, UNCHECKED];

/// Puts what is found now in the place of what was found before; what was found before is known since then.
pub(super) fn renew(
    before: &mut Vec<Finding>,
    found: Vec<(&'static str, Option<&str>, String)>,
    now: Timestamp,
) {
    let renewed = found.into_iter().map(|(kind, source, detail)| {
        let known = before.iter().find(|known| known.kind == kind && known.source.as_deref() == source);
        let since = known.map_or(now, |known| known.since);
        Finding { kind: kind.to_owned(), source: source.map(str::to_owned), since, detail }
    });
    *before = renewed.collect();
}

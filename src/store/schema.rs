//! Whether this program can work with a schema that a newer one has made.

use sqlx::migrate::Migrator;

use super::StoreError;

/// Stands in the name of a migration that takes something away, before the number of the one from which on no program needs it:
/// `0015_drop_old_notes_after_0012.sql`.
const AFTER: &str = " after ";

/// Complains of a migration, of those that the database has, that this program does not know and can't live with.
///
/// What a migration adds harms nobody who does not know of it. So a program goes on with the schema of a newer one: while servers
/// are replaced one after another, and when somebody goes back to it.
pub(super) fn check(known: &Migrator, applied: &[(i64, String)]) -> Result<(), StoreError> {
    let latest = known.iter().map(|migration| migration.version).max().unwrap_or_default();
    let stranger = applied.iter().find(|(version, name)| {
        !known.version_exists(*version) && needed(name).is_some_and(|needed| latest < needed)
    });
    let Some((version, name)) = stranger else { return Ok(()) };
    Err(StoreError::Failed(
        format!(
            "the database was made by a newer Lectern: its migration {version} ({name}) took away what this version \
             needs; run that version of Lectern, or a later one"
        )
        .into(),
    ))
}

/// The migration that a program must know to work with a schema that has this one; none where any can.
fn needed(name: &str) -> Option<i64> {
    name.rsplit_once(AFTER)?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_something_away_says_from_when_on_nobody_needs_it() {
        assert_eq!(needed("drop old notes after 0012"), Some(12));
        for adds in ["bodies by week", "look after notes", "what comes after"] {
            assert_eq!(needed(adds), None, "{adds}");
        }
    }
}

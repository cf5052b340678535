//! Repeating a statement that PostgreSQL ended so that another could go on.

use std::future::Future;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

/// Class 40 is for transactions that were ended in favour of others.
const ENDED_FOR_ANOTHER: [&str; 2] = ["40001", "40P01"];

/// Runs a statement again, a few times, where it was ended for another's sake. Nothing of the earlier run remains.
pub(super) async fn repeated<T, F>(run: impl FnMut() -> F) -> Result<T, sqlx::Error>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    let schedule = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(2))
        .with_max_delay(Duration::from_millis(50))
        .with_max_times(8)
        .with_jitter();
    run.retry(schedule).when(was_ended_for_another).await
}

fn was_ended_for_another(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ENDED_FOR_ANOTHER.contains(&code.as_ref()))
}

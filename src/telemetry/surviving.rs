//! Work in the background that goes on after a mistake.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

/// Does one piece of `work` in the background. When it panics the log says so, and there is no answer: one mistake must
/// not end, unnoticed, all that was to come after it. What the panic said went to standard error.
pub async fn surviving<T>(work_is: &'static str, work: impl Future<Output = T>) -> Option<T> {
    let ended = AssertUnwindSafe(work).catch_unwind().await;
    ended.inspect_err(|_| tracing::error!("{work_is} was cut short by a mistake in Lectern")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_nothing_but_the_work_that_it_is_in() {
        let mut done = 0;
        for number in 0..3 {
            let work = async {
                assert_ne!(number, 1, "a mistake");
                done += 1;
                number
            };
            assert_eq!(surviving("counting", work).await, (number != 1).then_some(number));
        }
        assert_eq!(done, 2);
    }
}

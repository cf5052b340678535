//! Taking over what processes that are gone have left.

use super::Inside;
use super::error::SpoolError;
use super::segments::recovered;
use super::slot::Slot;

/// Takes over what is left in folders of nobody. Each file is read where it lies, which may take a while, and without the
/// spool's lock, for which requests wait; only then it is moved. So what can't be read stays where somebody looks for it.
pub(super) fn adopt(inside: &Inside) -> Result<(), SpoolError> {
    let parent = inside.with(|segments| {
        segments.count_kept();
        segments.parent.clone()
    });
    for abandoned in Slot::abandoned(&parent)? {
        let mut place = 0;
        for file in abandoned.segments()? {
            if inside.with(|segments| segments.left.contains(&file)) {
                continue;
            }
            match recovered(&file) {
                Ok(Some(segment)) => place = inside.with(|segments| segments.take_over(segment, place))?,
                Ok(None) if !file.exists() => {}
                other => {
                    if let Err(error) = other {
                        tracing::error!(
                            %error,
                            "what another process left in the spool can't be read: it is left until the next start"
                        );
                    }
                    inside.with(|segments| segments.left.insert(file));
                }
            }
        }
    }
    Ok(())
}

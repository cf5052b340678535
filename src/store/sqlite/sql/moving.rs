//! The statements of moving, besides those that are made for each collection.

use crate::store::statements::statements;

statements! {
    /// Has the planner know what there is.
    LOOK_AT_WHAT_IS_THERE = "PRAGMA optimize";
}

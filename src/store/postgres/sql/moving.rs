//! The statements of moving, besides those that are made for each collection.

use crate::store::statements::statements;

statements! {
    /// Begins to read everything as it is at one moment.
    BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    /// Lets statements take as long as they need, until the end of the transaction.
    TAKE_ALL_THE_TIME = "SELECT set_config('statement_timeout', '0', true)";

    /// Has positions go on behind those that were brought along.
    GO_ON_WITH_DELIVERIES = r"
        SELECT setval(pg_get_serial_sequence('deliveries', 'position'), max(position)) FROM deliveries
        HAVING max(position) IS NOT NULL";
    /// See [`GO_ON_WITH_DELIVERIES`].
    GO_ON_WITH_FEED = r"
        SELECT setval(pg_get_serial_sequence('feed', 'position'), max(position)) FROM feed
        HAVING max(position) IS NOT NULL";
    /// Has the planner know what there is.
    LOOK_AT_WHAT_IS_THERE = "ANALYZE";
}

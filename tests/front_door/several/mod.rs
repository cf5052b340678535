//! Three processes on one PostgreSQL. One after another is killed, the database goes away again and again, and nobody
//! who sends or receives is to notice more than a repetition.

mod evidence;
mod fleet;
mod senders;

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::evidence::Trouble;
use self::fleet::Fleet;
use self::senders::{EVENTS, Sent, send_everything};
use crate::support::postgres::fresh_postgres_database;
use crate::support::postgres_server::PostgresServer;

/// More than all of it takes on a machine that has nothing else to do.
const TIME: Duration = Duration::from_secs(240);

#[tokio::test]
async fn three_processes_of_which_one_is_killed_every_second_deliver_everything_in_order() {
    let fleet = Fleet::start(&fresh_postgres_database().await).await;
    let (sent, through) = (Sent::default(), CancellationToken::new());
    let deliver = async {
        send_everything(&fleet, &sent).await;
        fleet.is_through().await;
        through.cancel();
    };
    let killing = kill_one_every_second(&fleet, &through);
    let ((), kills) = timeout(TIME, async { tokio::join!(deliver, killing) }).await.expect("an end in time");
    assert!(kills.len() > 10, "only {} were killed meanwhile", kills.len());
    fleet.evidence().await.holds_up(&sent, &kills);
}

#[tokio::test]
async fn three_processes_need_no_restart_when_postgresql_is_restarted_five_times() {
    let server = PostgresServer::start().await;
    let fleet = Fleet::start(&server.url()).await;
    let (sent, enough) = (Sent::default(), CancellationToken::new());
    let deliver = async {
        send_everything(&fleet, &sent).await;
        fleet.is_through().await;
    };
    let restarting = async {
        let mut outages = restart(&server, &sent, 1..=3).await;
        // From here on nobody is started any more: each process has to find its way back by itself.
        enough.cancel();
        outages.extend(restart(&server, &sent, 4..=5).await);
        outages
    };
    let killing = kill_one_every_second(&fleet, &enough);
    let run = async { tokio::join!(deliver, restarting, killing) };
    let ((), mut troubles, kills) = timeout(TIME, run).await.expect("an end in time");
    troubles.extend(kills);
    fleet.evidence().await.holds_up(&sent, &troubles);
}

/// Kills one of them, by chance, and starts it again, until it has been enough.
async fn kill_one_every_second(fleet: &Fleet, enough: &CancellationToken) -> Vec<Trouble> {
    let mut kills = Vec::new();
    let mut seconds = interval(Duration::from_secs(1));
    // A start may take longer than that.
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    seconds.tick().await;
    while enough.run_until_cancelled(seconds.tick()).await.is_some() {
        let chance = getrandom::u32().expect("the system has random bytes") as usize;
        let victim = &fleet.processes[chance % fleet.processes.len()];
        kills.push(victim.kill());
        victim.start_again(fleet).await;
    }
    kills
}

/// Restarts PostgreSQL whenever another sixth of all events has been sent: in turn by a crash and in good order.
async fn restart(server: &PostgresServer, sent: &Sent, times: RangeInclusive<u32>) -> Vec<Trouble> {
    let mut outages = Vec::new();
    for time in times {
        while sent.count() < EVENTS / 6 * time {
            sleep(Duration::from_millis(10)).await;
        }
        let outage = Trouble::outage();
        if time % 2 == 1 {
            server.stop().await;
        } else {
            server.shut_down().await;
        }
        server.start_again().await;
        outages.push(outage.over());
    }
    outages
}

//! A standby takes the place of the database.

use std::collections::HashSet;

use super::database::Database;
use super::faults::{Fleet, pass};
use super::pool;
use super::proxy::{Network, Proxy};

/// A database, a standby, and the network between them.
async fn pair(is_synchronous: bool) -> Option<(Database, Database, Proxy)> {
    let database = Database::start().await?;
    let link = Proxy::start(database.port()).await;
    let standby = database.standby(link.port()).await;
    if is_synchronous {
        run(&database, "ALTER SYSTEM SET synchronous_standby_names = '*'").await;
        run(&database, "SELECT pg_reload_conf()").await;
    }
    Some((database, standby, link))
}

async fn run(database: &Database, sql: &str) {
    pool(&database.url()).get().await.expect("a connection").batch_execute(sql).await.expect("it runs");
}

/// Whether a session has come to a standby.
async fn has_session(standby: &Database) -> bool {
    let read = pool(&standby.url()).get().await.expect("a connection");
    read.query_opt("SELECT FROM keyfit_record WHERE kind = 'session' AND sealed IS NOT NULL", &[])
        .await
        .is_ok_and(|row| row.is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synchronous_standby_takes_over_and_no_token_is_sent_twice() {
    for is_linked in [true, false] {
        let Some((mut database, standby, link)) = pair(true).await else { return };
        let fleet = Fleet::start(&database, 22).await;
        pass(3).await;
        if !is_linked {
            // What is committed from now on is answered by nobody: nothing is sent, and nothing is lost.
            link.set(Network::Drops);
            pass(7).await;
        }
        database.kill();
        standby.promote();
        fleet.networks.iter().for_each(|each| each.aim(standby.port()));
        let before = fleet.endpoint.seen().len();
        fleet.end(before).await;
    }
}

/// PostgreSQL without `synchronous_standby_names`: docs/scaling.md says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_was_behind_and_takes_over_has_a_token_sent_again() {
    let Some((mut database, standby, link)) = pair(false).await else { return };
    let fleet = Fleet::start(&database, 10).await;
    // The standby has what was consented to, and none of what follows: the processes have only just begun.
    while !has_session(&standby).await {}
    link.set(Network::Drops);
    pass(4).await;
    database.kill();
    standby.promote();
    fleet.networks.iter().for_each(|each| each.aim(standby.port()));
    let seen = fleet.sent().await;
    let different: HashSet<&String> = seen.iter().collect();
    println!("{} refresh tokens sent, {} of them again", seen.len(), seen.len() - different.len());
    assert!(different.len() < seen.len(), "the standby had an older one");
}

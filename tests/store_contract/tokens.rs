//! Tokens of the internal API.

use lectern::model::{NewToken, Role, Token, TokenDigest, TokenId};
use lectern::store::{Store, StoreError};

use crate::home::Home;
use crate::make::{microsecond, second};

crate::on_both_stores![
    a_token_is_known_by_its_digest,
    what_a_token_may_do_and_until_when_comes_back_as_it_was_kept,
    a_name_is_taken_once,
    a_token_that_a_command_adds_is_known_to_the_server_at_once,
    a_token_that_an_older_lectern_makes_may_do_everything,
    tokens_are_listed_by_name,
    a_token_that_is_revoked_is_not_known_any_more_and_its_name_is_free,
    a_later_use_of_a_token_counts_and_an_earlier_one_never_takes_its_place,
    servers_that_note_the_use_of_the_same_tokens_at_once_keep_the_latest,
];

fn token(name: &str, text: &str) -> NewToken {
    let created_at = second(1);
    NewToken {
        id: TokenId::at(created_at),
        name: name.into(),
        digest: TokenDigest::of(text),
        role: Role::Admin,
        created_at,
        expires_at: None,
    }
}

/// A token that was never used, as it comes back.
fn kept(new: &NewToken) -> Token {
    let NewToken { id, name, digest, role, created_at, expires_at } = new.clone();
    Token { id, name, digest, role, created_at, expires_at, last_used_at: None }
}

/// When the token of this text was last used, in seconds.
async fn last_use(store: &dyn Store, text: &str) -> Option<i64> {
    let token = store.token(&TokenDigest::of(text)).await.unwrap().unwrap();
    token.last_used_at.map(|at| at.as_second() - second(0).as_second())
}

async fn a_token_is_known_by_its_digest(store: Home) {
    let new = token("laptop", "secret");
    store.add_token(&new).await.unwrap();
    store.add_token(&token("📚 other", "another")).await.unwrap();
    let known = store.token(&TokenDigest::of("secret")).await.unwrap();
    assert_eq!(known, Some(kept(&new)));
    assert_eq!(store.token(&TokenDigest::of("Secret")).await.unwrap(), None);
}

async fn what_a_token_may_do_and_until_when_comes_back_as_it_was_kept(store: Home) {
    for (role, expires_at) in
        [(Role::Read, None), (Role::Read, Some(microsecond(1_000_001))), (Role::Admin, Some(second(9)))]
    {
        let text = format!("{role} {expires_at:?}");
        let new = NewToken { role, expires_at, ..token(&text, &text) };
        store.add_token(&new).await.unwrap();
        assert_eq!(store.token(&new.digest).await.unwrap(), Some(kept(&new)));
    }
}

async fn a_name_is_taken_once(store: Home) {
    store.add_token(&token("laptop", "first")).await.unwrap();
    let refused = store.add_token(&token("laptop", "second")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict(_)));
    assert_eq!(refused.to_string(), "a token named `laptop` is there already");
    assert_eq!(store.token(&TokenDigest::of("second")).await.unwrap(), None);
    store.add_token(&token("Laptop", "third")).await.unwrap();
}

async fn a_token_that_a_command_adds_is_known_to_the_server_at_once(store: Home) {
    let command = store.another().await;
    command.add_token(&token("laptop", "secret")).await.unwrap();
    command.close().await;
    assert!(store.token(&TokenDigest::of("secret")).await.unwrap().is_some());
}

async fn a_token_that_an_older_lectern_makes_may_do_everything(store: Home) {
    let new = token("laptop", "secret");
    store.add_token(&NewToken { role: Role::Read, ..new.clone() }).await.unwrap();
    // It gives the columns that it knows.
    store.place.tamper("CREATE TABLE older AS SELECT id, name, digest, created_at FROM tokens").await;
    store.place.tamper("DELETE FROM tokens").await;
    store.place.tamper("INSERT INTO tokens (id, name, digest, created_at) SELECT * FROM older").await;
    assert_eq!(store.tokens().await.unwrap(), [kept(&new)]);
}

async fn tokens_are_listed_by_name(store: Home) {
    assert_eq!(store.tokens().await.unwrap(), []);
    let new = ["night shift", "Dashboard", "crm"].map(|name| token(name, name));
    for token in &new {
        store.add_token(token).await.unwrap();
    }
    store.note_token_uses(&[(new[2].id, second(5))]).await.unwrap();
    let used = Token { last_used_at: Some(second(5)), ..kept(&new[2]) };
    assert_eq!(store.tokens().await.unwrap(), [kept(&new[1]), used, kept(&new[0])]);
}

async fn a_token_that_is_revoked_is_not_known_any_more_and_its_name_is_free(store: Home) {
    store.add_token(&token("laptop", "secret")).await.unwrap();
    store.add_token(&token("phone", "other")).await.unwrap();
    let command = store.another().await;
    assert!(!command.revoke_token("Laptop").await.unwrap());
    assert!(command.revoke_token("laptop").await.unwrap());
    assert!(!command.revoke_token("laptop").await.unwrap());
    command.close().await;
    assert_eq!(store.token(&TokenDigest::of("secret")).await.unwrap(), None);
    assert!(store.token(&TokenDigest::of("other")).await.unwrap().is_some());
    store.add_token(&token("laptop", "new")).await.unwrap();
    assert_eq!(store.token(&TokenDigest::of("secret")).await.unwrap(), None);
}

async fn a_later_use_of_a_token_counts_and_an_earlier_one_never_takes_its_place(store: Home) {
    let (laptop, phone) = (token("laptop", "laptop"), token("phone", "phone"));
    store.add_token(&laptop).await.unwrap();
    store.add_token(&phone).await.unwrap();
    store.note_token_uses(&[]).await.unwrap();
    assert_eq!(last_use(&*store, "laptop").await, None);
    for (at, expected) in [(5, 5), (9, 9), (7, 9)] {
        store.note_token_uses(&[(laptop.id, second(at))]).await.unwrap();
        assert_eq!(last_use(&*store, "laptop").await, Some(expected));
    }
    assert_eq!(last_use(&*store, "phone").await, None);
    // One that is revoked keeps nothing of the others from being written.
    let nobody = TokenId::at(second(2));
    let uses = [(phone.id, second(3)), (nobody, second(30)), (laptop.id, second(10)), (phone.id, second(2))];
    store.note_token_uses(&uses).await.unwrap();
    assert_eq!((last_use(&*store, "laptop").await, last_use(&*store, "phone").await), (Some(10), Some(3)));
    assert_eq!(store.tokens().await.unwrap().len(), 2);
}

async fn servers_that_note_the_use_of_the_same_tokens_at_once_keep_the_latest(store: Home) {
    let new: Vec<NewToken> = (0..10).map(|n| token(&format!("token {n}"), &n.to_string())).collect();
    for token in &new {
        store.add_token(token).await.unwrap();
    }
    let servers = futures_util::future::join_all((0..4).map(async |server| {
        let store = store.another_server().await;
        for round in 0..10 {
            let at = second(round * 4 + server);
            let mut uses: Vec<_> = new.iter().map(|token| (token.id, at)).collect();
            if server % 2 == 0 {
                uses.reverse();
            }
            store.note_token_uses(&uses).await.unwrap();
        }
    }));
    servers.await;
    for token in store.tokens().await.unwrap() {
        assert_eq!(token.last_used_at, Some(second(39)), "{}", token.name);
    }
}

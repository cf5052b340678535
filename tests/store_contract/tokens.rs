//! Tokens of the internal API.

use lectern::model::{NewToken, Token, TokenDigest, TokenId};
use lectern::store::StoreError;

use crate::home::Home;
use crate::make::second;

crate::on_both_stores![
    a_token_is_known_by_its_digest,
    a_name_is_taken_once,
    a_token_that_a_command_adds_is_known_to_the_server_at_once,
];

fn token(name: &str, text: &str) -> NewToken {
    let created_at = second(1);
    NewToken { id: TokenId::at(created_at), name: name.into(), digest: TokenDigest::of(text), created_at }
}

async fn a_token_is_known_by_its_digest(store: Home) {
    let new = token("laptop", "secret");
    store.add_token(&new).await.unwrap();
    store.add_token(&token("📚 other", "another")).await.unwrap();
    let known = store.token(&TokenDigest::of("secret")).await.unwrap();
    assert_eq!(known, Some(Token { id: new.id, name: "laptop".into() }));
    assert_eq!(store.token(&TokenDigest::of("Secret")).await.unwrap(), None);
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

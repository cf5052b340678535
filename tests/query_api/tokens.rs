//! Who is answered.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use lectern::model::{NewToken, Role, TokenDigest, TokenId};
use lectern::query::keep_tokens;
use tokio_util::sync::CancellationToken;

use crate::api::{Answer, Api, TOKEN, moment};

fn kept(text: &str) -> NewToken {
    NewToken {
        id: TokenId::at(moment(0)),
        name: format!("the {text} one"),
        digest: TokenDigest::of(text),
        role: Role::Read,
        created_at: moment(0),
        expires_at: None,
    }
}

async fn ask(api: &Api, method: Method, path: &str, token: &str) -> Answer {
    api.ask_with(method, path, &[&format!("Bearer {token}")]).await
}

async fn look(api: &Api, token: &str) -> Answer {
    ask(api, Method::GET, "/api/v1/events", token).await
}

/// Tries tokens that nobody has, until no more may be tried.
async fn guess(api: &Api) {
    for number in 0..20 {
        look(api, &format!("guess-{number}")).await.is_problem(401, "unauthenticated");
    }
    look(api, "one-too-many").await.is_problem(429, "rate_limit");
}

#[tokio::test]
async fn without_a_token_that_is_known_nothing_is_answered() {
    let api = Api::new().await;
    let wrong: [&[&str]; 8] = [
        &[],
        &[""],
        &["Bearer"],
        &["Bearer "],
        &["Bearer wrong"],
        &[TOKEN],
        &["Basic Y29uZmlndXJlZC10b2tlbg=="],
        &["Bearer configured-token", "Bearer configured-token"],
    ];
    for authorization in wrong {
        for (method, path) in [
            (Method::GET, "/api/v1/events"),
            (Method::HEAD, "/api/v1/events"),
            (Method::GET, "/api/v1/events?limit=nonsense"),
            (Method::GET, "/api/v1/events/nonsense"),
            (Method::DELETE, "/api/v1/events"),
            (Method::POST, "/api/v1/deliveries/00000000-0000-0000-0000-000000000000/replay"),
            (Method::GET, "/api/v1/quarantine"),
            (Method::DELETE, "/api/v1/quarantine"),
            (Method::POST, "/api/v1/quarantine/release"),
            (Method::GET, "/api/v1/nothing"),
            (Method::GET, "/api/v1/events/1/2"),
            (Method::GET, "/api/v2/events"),
        ] {
            let answer = api.ask_with(method.clone(), path, authorization).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} {authorization:?}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            if method != Method::HEAD {
                answer.is_problem(401, "unauthenticated");
            }
            // Not so many at once that there are too many.
            api.clock.advance(Duration::from_secs(3));
        }
    }
}

#[tokio::test]
async fn a_token_that_the_store_keeps_opens_the_api_too_until_it_is_revoked() {
    let api = Api::new().await;
    look(&api, "kept").await.is_problem(401, "unauthenticated");
    let token = kept("kept");
    api.store.add_token(&token).await.unwrap();
    assert_eq!(look(&api, "kept").await.status, StatusCode::OK);
    let lower_case = api.ask_with(Method::GET, "/api/v1/events", &["bearer kept"]).await;
    assert_eq!(lower_case.status, StatusCode::OK);
    assert!(api.store.revoke_token(&token.name).await.unwrap());
    look(&api, "kept").await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_of_the_role_read_looks_at_everything_and_changes_nothing() {
    let api = Api::new().await;
    api.store.add_token(&kept("reader")).await.unwrap();
    api.store.add_token(&NewToken { role: Role::Admin, ..kept("admin") }).await.unwrap();
    for path in
        ["/api/v1/events", "/api/v1/deliveries", "/api/v1/handlers/crm", "/api/v1/quarantine", "/metrics"]
    {
        assert_eq!(ask(&api, Method::GET, path, "reader").await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(ask(&api, Method::HEAD, "/api/v1/events", "reader").await.status, StatusCode::OK);
    for (method, path) in [
        (Method::POST, "/api/v1/handlers/crm/pause"),
        (Method::POST, "/api/v1/quarantine/release"),
        (Method::DELETE, "/api/v1/quarantine"),
        (Method::POST, "/api/v1/replays?eventType=*"),
        (Method::POST, "/api/v1/nothing"),
    ] {
        let answer = ask(&api, method.clone(), path, "reader").await;
        let message = answer.is_problem(403, "unauthorized");
        assert_eq!(message, "this token only reads: its role is `read`, which allows GET and HEAD");
        assert!(answer.text().contains("lectern token create --role admin"), "{}", answer.text());
    }
    assert_eq!(api.store.paused().await.unwrap(), []);
    assert_eq!(api.releases(), []);
    let pause = ask(&api, Method::POST, "/api/v1/handlers/crm/pause", "admin").await;
    assert_eq!(pause.status, StatusCode::OK);
    assert_eq!(api.store.paused().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_that_has_expired_says_so() {
    let api = Api::new().await;
    let expires_at = Some(moment(1010));
    api.store.add_token(&NewToken { expires_at, ..kept("short") }).await.unwrap();
    api.clock.advance(Duration::from_micros(9_999_999));
    assert_eq!(look(&api, "short").await.status, StatusCode::OK);
    api.clock.advance(Duration::from_micros(1));
    let answer = look(&api, "short").await;
    assert_eq!(answer.is_problem(401, "unauthenticated"), "the token has expired");
}

#[tokio::test]
async fn too_many_failures_are_told_to_wait() {
    let api = Api::new().await;
    guess(&api).await;
    let answer = look(&api, "another").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, Some("3")));
    api.ask_with(Method::GET, "/api/v1/events", &[]).await.is_problem(429, "rate_limit");
    api.clock.advance(Duration::from_secs(3));
    look(&api, "another").await.is_problem(401, "unauthenticated");
    look(&api, "another").await.is_problem(429, "rate_limit");
}

#[tokio::test]
async fn who_has_a_valid_token_is_answered_however_many_guess() {
    let api = Api::new().await;
    api.store.add_token(&kept("kept")).await.unwrap();
    assert_eq!(look(&api, "kept").await.status, StatusCode::OK);
    guess(&api).await;
    for _ in 0..50 {
        assert_eq!(look(&api, "kept").await.status, StatusCode::OK);
        assert_eq!(look(&api, TOKEN).await.status, StatusCode::OK);
        look(&api, "another").await.is_problem(429, "rate_limit");
    }
    // Being known is no right: it is looked up all the same.
    api.store.revoke_token(&kept("kept").name).await.unwrap();
    look(&api, "kept").await.is_problem(429, "rate_limit");
    api.clock.advance(Duration::from_secs(3));
    assert_eq!(look(&api, "kept").await.is_problem(401, "unauthenticated"), "the token is not known");
}

#[tokio::test]
async fn valid_tokens_are_no_failures_the_first_time_either() {
    let api = Api::new().await;
    for number in 0..60 {
        let text = format!("kept-{number}");
        api.store.add_token(&kept(&text)).await.unwrap();
        assert_eq!(look(&api, &text).await.status, StatusCode::OK, "{text}");
    }
    guess(&api).await;
}

#[tokio::test]
async fn a_flood_of_guesses_is_no_flood_of_questions_to_the_store() {
    let api = Api::new().await;
    guess(&api).await;
    // A store that is away would be a 503 to whoever is looked up in it.
    api.store.close().await;
    for number in 0..100 {
        look(&api, &format!("more-{number}")).await.is_problem(429, "rate_limit");
    }
    api.clock.advance(Duration::from_secs(3));
    look(&api, "more").await.is_problem(503, "store_unavailable");
}

#[tokio::test]
async fn a_token_that_was_never_used_is_let_in_while_others_guess() {
    let api = Api::new().await;
    let stop = CancellationToken::new();
    let clock = Arc::new(api.clock.clone());
    let keeping = tokio::spawn(keep_tokens(api.tokens.clone(), api.store.clone(), clock, stop.clone()));
    guess(&api).await;
    api.store.add_token(&kept("new")).await.unwrap();
    let let_in = async {
        while look(&api, "new").await.status != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), let_in).await.expect("it is let in soon");
    stop.cancel();
    keeping.await.unwrap();
}

#[tokio::test]
async fn when_a_token_was_last_used_is_written_at_the_stop_at_the_latest() {
    let api = Api::new().await;
    let last_used =
        async |text: &str| api.store.token(&TokenDigest::of(text)).await.unwrap().unwrap().last_used_at;
    for text in ["used", "unused"] {
        api.store.add_token(&kept(text)).await.unwrap();
    }
    look(&api, "used").await;
    api.clock.advance(Duration::from_secs(5));
    look(&api, "used").await;
    assert_eq!(last_used("used").await, None, "nothing is written on the way to the answer");
    let stop = CancellationToken::new();
    stop.cancel();
    keep_tokens(api.tokens.clone(), api.store.clone(), Arc::new(api.clock.clone()), stop).await;
    assert_eq!((last_used("used").await, last_used("unused").await), (Some(moment(1005)), None));
}

#[tokio::test]
async fn while_the_store_is_away_no_token_is_called_wrong() {
    let api = Api::new().await;
    api.store.close().await;
    for _ in 0..30 {
        let answer = look(&api, "perhaps").await;
        answer.is_problem(503, "store_unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

#[tokio::test]
async fn metrics_are_for_whoever_has_a_token() {
    let api = Api::new().await;
    let none = api.ask_with(Method::GET, "/metrics", &[]).await;
    none.is_problem(401, "unauthenticated");
    let answer = api.ask_with(Method::GET, "/metrics", &[&format!("Bearer {TOKEN}")]).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "a_metric 1\n"));
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
}

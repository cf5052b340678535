//! Nothing is answered without a token.

use axum::extract::{Request, State as Extracted};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::State;
use super::refusal::Refusal;
use crate::model::{Role, TokenDigest};

/// Lets a request through that shows the configured token or one that the store keeps, if its role allows what is asked.
pub(super) async fn ask_for_token(
    Extracted(state): Extracted<State>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let now = state.clock.now();
    let (caller, role) = match bearer_token(request.headers()) {
        Ok(token) => state.tokens.admit(&TokenDigest::of(token), &*state.store, now).await?,
        Err(why) => return Err(state.tokens.refuse(why, now)),
    };
    if !allows(role, request.method()) {
        return Err(Refusal::OnlyReads);
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Nothing changes by a GET, and by a HEAD neither.
fn allows(role: Role, method: &Method) -> bool {
    match role {
        Role::Read => matches!(*method, Method::GET | Method::HEAD),
        Role::Admin => true,
    }
}

/// Who asks: the name of the token.
#[derive(Clone, Debug)]
pub(super) struct Caller(pub(super) String);

fn bearer_token(headers: &HeaderMap) -> Result<&str, &'static str> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let value = given.next().ok_or("a token is needed")?;
    if given.next().is_some() {
        return Err("there is more than one Authorization header");
    }
    value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty() && !token.contains(char::is_whitespace))
        .ok_or("the Authorization header holds no bearer token")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn token_in(values: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        bearer_token(&headers).ok().map(str::to_owned)
    }

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_its_scheme() {
        for value in [b"Bearer secret".as_slice(), b"bearer secret", b"BEARER  secret "] {
            assert_eq!(token_in(&[value]).as_deref(), Some("secret"));
        }
    }

    #[test]
    fn who_only_reads_is_allowed_nothing_that_could_change_something() {
        for method in [Method::GET, Method::HEAD] {
            assert!(allows(Role::Read, &method), "{method}");
        }
        for method in
            [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE]
        {
            assert!(!allows(Role::Read, &method), "{method}");
            assert!(allows(Role::Admin, &method), "{method}");
        }
    }

    #[test]
    fn anything_else_holds_no_token() {
        for value in
            [b"".as_slice(), b"Bearer", b"Bearer ", b"Basic secret", b"secret", b"Bearer a b", b"Bearer \xff"]
        {
            assert_eq!(token_in(&[value]), None, "{value:?}");
        }
        assert_eq!(token_in(&[]), None);
        assert_eq!(token_in(&[b"Bearer secret", b"Bearer secret"]), None);
    }
}

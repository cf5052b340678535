//! Signing in: OAuth 2 with an authorization code and refresh tokens, as Podium does it.

use std::pin::Pin;
use std::time::Duration;

use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    TokenResponse as _, TokenUrl,
};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

/// How long Podium may take to give a token.
const WITHIN: Duration = Duration::from_secs(30);

/// How much of an answer is read.
const LARGEST: usize = 1024 * 1024;

/// Where Podium lets people sign in.
#[derive(Clone, Debug)]
pub struct AuthorizationServer {
    /// Where a person allows it.
    pub authorize_url: Url,
    /// Where tokens are given.
    pub token_url: Url,
}

/// The application that people sign in to Podium for.
pub struct OAuth {
    client: BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>,
    http: Http,
}

/// What Podium gives who has signed in.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// What is asked with.
    pub access: SecretString,
    /// What the next access token is had by; none when it is still the one before.
    pub refresh: Option<SecretString>,
    /// How long the access token is good for, if Podium says so. It is 10 hours by its documents.
    pub lives: Option<Duration>,
    /// What may be done with it, if Podium says so.
    pub scopes: Option<Vec<String>>,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// Podium does not give any.
    #[error("Podium refuses it ({0})")]
    Refused(String),
    /// Podium did not answer as it should.
    #[error("Podium did not answer as it should ({0})")]
    Unanswered(String),
}

impl OAuth {
    /// The application `client_id`, to which people come back at `redirect_url`.
    ///
    /// # Errors
    /// When HTTPS is not possible on this machine.
    pub fn new(
        server: &AuthorizationServer,
        client_id: &str,
        client_secret: &SecretString,
        redirect_url: &Url,
    ) -> Result<Self, OAuthError> {
        let client = BasicClient::new(ClientId::new(client_id.to_owned()))
            .set_client_secret(ClientSecret::new(client_secret.expose_secret().to_owned()))
            .set_auth_uri(AuthUrl::from_url(server.authorize_url.clone()))
            .set_token_uri(TokenUrl::from_url(server.token_url.clone()))
            .set_redirect_uri(RedirectUrl::from_url(redirect_url.clone()))
            // Podium wants what says who asks in the body.
            .set_auth_type(AuthType::RequestBody);
        // An error says that the process has chosen already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .timeout(WITHIN);
        let is_near = matches!(server.token_url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let http = if is_near { http.no_proxy() } else { http };
        let http = http.build().map_err(|error| OAuthError::Unanswered(error.to_string()))?;
        Ok(Self { client, http: Http(http) })
    }

    /// Where a person allows it: a page of Podium's, which leads back with a code and this `state`.
    #[must_use]
    pub fn authorize_url(&self, state: &str, scopes: &[String]) -> Url {
        let state = state.to_owned();
        let scopes = scopes.iter().cloned().map(Scope::new);
        self.client.authorize_url(|| CsrfToken::new(state)).add_scopes(scopes).url().0
    }

    /// Tokens for the code that Podium led back with.
    ///
    /// # Errors
    /// When there are none.
    pub async fn exchange(&self, code: &str) -> Result<Tokens, OAuthError> {
        let code = AuthorizationCode::new(code.to_owned());
        tokens(self.client.exchange_code(code).request_async(&self.http).await)
    }

    /// Tokens for a refresh token. It may be good for this once only: what comes must be kept.
    ///
    /// # Errors
    /// When there are none.
    pub async fn refresh(&self, token: &SecretString) -> Result<Tokens, OAuthError> {
        let token = RefreshToken::new(token.expose_secret().to_owned());
        tokens(self.client.exchange_refresh_token(&token).request_async(&self.http).await)
    }
}

type Answered<E> = Result<BasicTokenResponse, RequestTokenError<E, BasicErrorResponse>>;

fn tokens<E: std::error::Error + 'static>(answered: Answered<E>) -> Result<Tokens, OAuthError> {
    let response = answered.map_err(|error| match error {
        RequestTokenError::ServerResponse(said) => {
            let said = said.error().to_string();
            // These pass by themselves.
            let passes = ["server_error", "temporarily_unavailable"].contains(&said.as_str());
            if passes { OAuthError::Unanswered(said) } else { OAuthError::Refused(said) }
        }
        RequestTokenError::Request(error) => OAuthError::Unanswered(innermost(&error)),
        // Without what it said: it may hold a token.
        RequestTokenError::Parse(..) => OAuthError::Unanswered("what came holds no token".to_owned()),
        RequestTokenError::Other(why) => OAuthError::Unanswered(why),
    })?;
    let scopes = response
        .scopes()
        .map(|scopes| scopes.iter().flat_map(|scope| scope.split([' ', ','])).map(str::to_owned).collect());
    Ok(Tokens {
        access: response.access_token().secret().as_str().into(),
        refresh: response.refresh_token().map(|token| token.secret().as_str().into()),
        lives: response.expires_in(),
        scopes,
    })
}

/// Asks as the library wants it.
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Self::Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(fetch(&self.0, request))
    }
}

async fn fetch(http: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let mut response = http.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::new(Vec::new());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    while let Some(chunk) = response.chunk().await? {
        answer.body_mut().extend_from_slice(&chunk);
        if answer.body().len() > LARGEST {
            // What is cut off is no answer.
            break;
        }
    }
    as_specified(&mut answer);
    Ok(answer)
}

/// Makes of an answer what the specification wants. A refresh token may be spent already: nothing that holds a token is thrown
/// away for its form. And Podium's own form of a refusal is a refusal.
fn as_specified(answer: &mut HttpResponse) {
    let status = answer.status();
    let mut body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if status.is_success() && body.get("access_token").is_some_and(Value::is_string) {
        *answer.status_mut() = StatusCode::OK;
        if !body["token_type"].is_string() {
            body["token_type"] = "bearer".into();
        }
        let lives = body["expires_in"].as_str().and_then(|text| text.trim().parse::<u64>().ok());
        if let Some(lives) = lives {
            body["expires_in"] = lives.into();
        } else if !body["expires_in"].is_u64() {
            body.as_object_mut().map(|body| body.remove("expires_in"));
        }
    } else if [400, 401, 403].contains(&status.as_u16()) && !body["error"].is_string() {
        body = json!({ "error": "invalid_grant" });
    } else {
        return;
    }
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *answer.body_mut() = body.to_string().into_bytes();
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> (u16, Value) {
        let mut answer = HttpResponse::new(body.as_bytes().to_vec());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        as_specified(&mut answer);
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    #[test]
    fn no_token_is_thrown_away_for_the_form_of_its_answer() {
        let expected = json!({ "access_token": "a", "token_type": "bearer", "expires_in": 36000 });
        assert_eq!(
            read(200, r#"{"access_token":"a","token_type":"bearer","expires_in":36000}"#),
            (200, expected.clone())
        );
        assert_eq!(read(201, r#"{"access_token":"a","expires_in":"36000"}"#), (200, expected));
        let expected = json!({ "access_token": "a", "token_type": "bearer" });
        assert_eq!(
            read(200, r#"{"access_token":"a","token_type":null,"expires_in":"soon"}"#),
            (200, expected)
        );
    }

    #[test]
    fn a_refusal_is_one_in_whatever_form() {
        let refused = json!({ "error": "invalid_grant" });
        assert_eq!(read(400, r#"{"code":"unauthenticated","message":"no"}"#), (400, refused.clone()));
        assert_eq!(read(401, "<html>"), (401, refused));
        assert_eq!(read(400, r#"{"error":"invalid_client"}"#).1, json!({ "error": "invalid_client" }));
        assert_eq!(read(503, "<html>").1, Value::Null);
    }
}

//! The tokens: kept for all processes, renewed once, and never lost.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use lectern::clock::{Clock, ManualClock, SystemClock};
use lectern::podium::client::{AuthorizationServer, Client, Credential, OAuth};
use lectern::simulator::{Settings, Simulator};
use lectern::store::NoteStore;
use lectern::store::sqlite::SqliteStore;
use lectern::upkeep::{Account, SealingKey};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use crate::support::patience::eventually;

struct Signed {
    folder: TempDir,
    store: Arc<SqliteStore>,
    podium: Simulator,
}

impl Signed {
    async fn in_at(settings: Settings) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("lectern.db")).await.unwrap());
        let podium = Simulator::start((Ipv4Addr::LOCALHOST, 0).into(), settings).await.unwrap();
        let signed = Self { folder, store, podium };
        let account = signed.account("first");
        let url = account.begin_sign_in(&["read_users".to_owned()]).await.unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let led = http.get(url).send().await.unwrap();
        let back = reqwest::Url::parse(led.headers()["location"].to_str().unwrap()).unwrap();
        let get = |name: &str| back.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        account.end_sign_in(&get("state"), &get("code")).await.unwrap();
        signed
    }

    /// The account as another process has it.
    fn account(&self, process: &str) -> Arc<Account> {
        self.account_at(process, Arc::new(SystemClock))
    }

    fn account_at(&self, process: &str, clock: Arc<dyn Clock>) -> Arc<Account> {
        let address = self.podium.address();
        let server = AuthorizationServer {
            authorize_url: format!("http://{address}/oauth/authorize").parse().unwrap(),
            token_url: format!("http://{address}/oauth/token").parse().unwrap(),
        };
        let back = "http://127.0.0.1:1/oauth/callback".parse().unwrap();
        let oauth = OAuth::new(&server, "simulated", &"simulated-secret".into(), &back).unwrap();
        Arc::new(Account::new(
            Arc::clone(&self.store) as Arc<dyn NoteStore>,
            clock,
            SealingKey::of(&"a key".into()),
            Some(oauth),
            self.folder.path().join(process),
        ))
    }

    fn client(&self, account: &Arc<Account>) -> Client {
        let base = format!("http://{}", self.podium.address()).parse().unwrap();
        Client::new(base, Box::new(Arc::clone(account))).unwrap()
    }
}

#[tokio::test]
async fn of_many_who_find_the_token_refused_one_renews_it() {
    // A refresh token is good once: whoever came second with the same would be signed out.
    let signed = Signed::in_at(Settings::default()).await;
    let accounts: Vec<_> = (0..4).map(|number| signed.account(&format!("process-{number}"))).collect();
    for _ in 0..3 {
        signed.podium.forget_access_tokens();
        let clients: Vec<Client> = accounts.iter().map(|account| signed.client(account)).collect();
        let asked =
            clients.iter().flat_map(|client| (0..4).map(move |_| async { client.users().next().await }));
        for users in futures_util::future::join_all(asked).await {
            assert_eq!(users.unwrap().unwrap().len(), 2);
        }
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let signed = Signed::in_at(Settings::default()).await;
    let clock = ManualClock::at(SystemClock.now());
    let account = signed.account_at("other", Arc::new(clock.clone()));
    let first = account.token().await.unwrap();
    clock.advance(Duration::from_secs(9 * 3600));
    assert_eq!(account.token().await.unwrap().expose_secret(), first.expose_secret());
    clock.advance(Duration::from_secs(57 * 60));
    assert_ne!(account.token().await.unwrap().expose_secret(), first.expose_secret());
    assert!(account.standing().await.unwrap().unwrap().renews);
}

#[tokio::test]
async fn tokens_are_nowhere_to_be_read() {
    let signed = Signed::in_at(Settings::default()).await;
    let token = signed.account("other").token().await.unwrap();
    signed.store.note("podium/tokens").await.unwrap().expect("they are kept");
    for file in std::fs::read_dir(signed.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(token.expose_secret().len())
                .any(|window| window == token.expose_secret().as_bytes())
        );
    }
}

#[tokio::test]
async fn another_key_is_told_and_does_no_harm() {
    let signed = Signed::in_at(Settings::default()).await;
    let other = Account::new(
        Arc::clone(&signed.store) as Arc<dyn NoteStore>,
        Arc::new(SystemClock),
        SealingKey::of(&"another key".into()),
        None,
        signed.folder.path().join("other"),
    );
    let said = Arc::new(other).token().await.unwrap_err().to_string();
    assert!(said.contains("podium.encryption_key"), "{said}");
    assert!(signed.account("first").token().await.is_ok());
}

#[tokio::test]
async fn whoever_signs_out_or_in_elsewhere_is_noticed_by_all() {
    let signed = Signed::in_at(Settings::default()).await;
    let (here, elsewhere) = (signed.account("here"), signed.account("elsewhere"));
    here.token().await.unwrap();
    assert!(elsewhere.sign_out().await.unwrap());
    let said = eventually("it is noticed", async || here.token().await.err()).await.to_string();
    assert!(said.contains("lectern auth login"), "{said}");
}

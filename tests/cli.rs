//! The command line, as a person meets it: the real program in an empty folder with an empty environment.

#![expect(clippy::unwrap_used, reason = "what fails in a test should fail the test")]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use lectern::podium::{EventType, SIGNATURE_HEADER, SigningKey, TIMESTAMP_HEADER, decode};
use reqwest::header::HeaderValue;
use tempfile::TempDir;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// A folder to work in.
struct Place(TempDir);

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(self, name: &str, content: &str) -> Self {
        std::fs::write(self.path(name), content).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lectern"));
        command.args(arguments).current_dir(self.0.path()).env_clear().stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.command(arguments))
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(self.0.path()).unwrap().next().is_none()
    }
}

fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn a_configuration_without_mistakes_is_ok_and_nothing_is_made() {
    let place = Place::new();
    let checked = place.run(&["config", "check"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.stdout.starts_with("ok\n"), "{checked:?}");
    assert!(checked.stdout.contains("sqlite:lectern-data/lectern.db"), "{checked:?}");
    assert!(checked.stdout.contains("log (log: *)"), "{checked:?}");
    assert_eq!(place.run(&["config", "show"]).code, Some(0));
    assert!(place.is_empty());
}

#[test]
fn a_pattern_that_fits_no_known_type_is_pointed_out() {
    let place = Place::new().file(
        "lectern.toml",
        "[[handlers]]\nname = \"a\"\nkind = \"log\"\nevents = [\"message.recieved\", \"call.*\"]",
    );
    let checked = place.run(&["--config", "lectern.toml", "config", "check"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let note = "note: the handler `a` wants `message.recieved`, which is no event type that is known today\n";
    assert!(checked.stdout.ends_with(note), "{checked:?}");
}

#[test]
fn a_source_that_takes_unsigned_requests_is_pointed_out() {
    let place = Place::new().file("lectern.toml", "[sources.north]\nallow_unsigned = true");
    let checked = place.run(&["--config", "lectern.toml", "config", "check"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let notes: Vec<&str> = checked.stdout.lines().filter(|line| line.starts_with("note: ")).collect();
    assert_eq!(
        notes,
        [
            "note: the source `north` takes requests without a signature (`allow_unsigned`): anybody who can reach the \
             public listener can send events"
        ]
    );
}

#[test]
fn a_secret_of_the_data_folder_that_cannot_be_used_is_a_mistake() {
    let place = Place::new();
    std::fs::create_dir(place.path("lectern-data")).unwrap();
    std::fs::write(place.path("lectern-data/webhook-secret"), "\n").unwrap();
    std::fs::write(place.path("lectern-data/api-token"), "two\nlines\n").unwrap();
    let checked = place.run(&["config", "check"]);
    assert_eq!((checked.code, checked.stdout.as_str()), (Some(1), ""), "{checked:?}");
    for words in [
        "2 mistakes",
        "lectern-data/webhook-secret is empty; put the secret into it",
        "which must then be set at Podium anew",
        "lectern-data/api-token has more than one line; put the token into it",
    ] {
        assert!(checked.stderr.contains(words), "`{words}` in {checked:?}");
    }

    let sent = place.run(&["send", "--test"]);
    assert_eq!(sent.code, Some(1));
    assert!(sent.stderr.starts_with("lectern: lectern-data/webhook-secret is empty; "), "{sent:?}");
    assert!(sent.stderr.contains("PODIUM_WEBHOOK_SECRET, --secret or --secret-file"), "{sent:?}");

    let configured = ended(
        place.command(&["config", "check"]).env("PODIUM_WEBHOOK_SECRET", "s").env("LECTERN_API_TOKEN", "t"),
    );
    assert_eq!(configured.code, Some(0), "what is not used is not looked at: {configured:?}");
}

#[test]
fn what_is_configured_is_shown_with_its_origin_and_without_secrets() {
    let place = Place::new()
        .file("lectern.toml", "[public]\nmax_body = \"2MiB\"\n[internal]\napi_token = \"hunter2\"");
    let shown = ended(
        place
            .command(&["config", "show", "--listen", "127.0.0.1:9"])
            .env("LECTERN_CONFIG", "lectern.toml")
            .env("PODIUM_WEBHOOK_SECRET", "hunter2"),
    );
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(!shown.stdout.contains("hunter2"));
    let line = |key: &str| {
        let line = shown.stdout.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("listen"), "listen = \"127.0.0.1:9\" # --listen");
    assert_eq!(line("max_body"), "max_body = \"2MiB\" # lectern.toml");
    assert_eq!(line("api_token"), "api_token = (hidden) # lectern.toml");
    assert_eq!(line("secret"), "secret = (hidden) # PODIUM_WEBHOOK_SECRET");
}

#[test]
fn every_command_stops_at_a_mistake_with_one_sentence() {
    let place = Place::new().file("lectern.toml", "[public]\nlisten = \"nowhere\"");
    let sentence = "lectern: `public.listen` is \"nowhere\" in lectern.toml, but must be an IP address and a port, \
                    such as \"127.0.0.1:8080\"\n";
    for command in [
        &["serve"][..],
        &[],
        &["config", "check"],
        &["config", "show"],
        &["send", "--all"],
        &["token", "create"],
        &["token", "list"],
        &["token", "revoke", "reporting"],
        &["migrate"],
        &["sources"],
        &["messages"],
        &["tail"],
        &["rebuild"],
    ] {
        let ended = ended(place.command(command).env("LECTERN_CONFIG", "lectern.toml"));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), sentence), "{command:?}");
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn a_kind_that_does_not_exist_is_a_mistake_of_the_file() {
    let place = Place::new().file("lectern.toml", "[[handlers]]\nname = \"crm\"\nkind = \"htp\"");
    for command in ["check", "serve"] {
        let arguments = if command == "serve" { vec!["serve"] } else { vec!["config", command] };
        let ended = ended(place.command(&arguments).env("LECTERN_CONFIG", "lectern.toml"));
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.stderr.starts_with("lectern: the handler `crm` in lectern.toml can't be used: "),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("`htp`"), "{ended:?}");
    }
    assert!(!place.path("lectern-data").exists(), "nothing is made before the handlers are checked");
}

#[test]
fn a_call_that_cannot_work_ends_with_2() {
    let place = Place::new();
    for (arguments, words) in [
        (&["sned"][..], "send"),
        (&["send"], "--all"),
        (&["send", "--all", "--test"], "--test"),
        (&["send", "message.recieved"], "did you mean `message.received`?"),
        (&["send", "review.*", "--count", "0"], "--count"),
        (&["send", "--all", "--rate", "0"], "a rate is a number"),
        (&["send", "--all", "--to", "ftp://x"], "must be an address such as http://"),
        (&["send", "--all", "--to", "localhost:8080"], "must be an address such as http://"),
        (&["send", "--all", "--listen", "127.0.0.1:0", "--secret", "x"], "--to"),
        (&["token", "create", "--name", ""], "1 to 255 characters"),
        (&["token", "create", "--role", "root"], "not a role: use read or admin"),
        (&["token", "create", "--expires-in", "0d"], "a token lives for a duration such as 90d or 12h"),
        (&["token", "create", "--expires-in", "1y"], "a token lives for a duration such as 90d or 12h"),
        (&["token", "create", "--expires-in", "500000w"], "ends after the year 9999"),
        (&["token", "revoke"], "<NAME>"),
        (&["serve", "--lisen", "x"], "--listen"),
    ] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(words), "{arguments:?}: {ended:?}");
    }
    assert!(place.is_empty());
}

#[test]
fn help_and_version_are_for_standard_output() {
    let place = Place::new();
    for arguments in [&["--help"][..], &["send", "--help"], &["help", "config"], &["--version"]] {
        let ended = place.run(arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(ended.stdout.contains("lectern"), "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_who_goes_away_is_no_failure() {
    let place = Place::new();
    for arguments in [&["config", "show"][..], &["config", "check"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = ended(place.command(arguments).stdout(writer));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn sending_before_the_first_start_says_what_is_missing() {
    let place = Place::new();
    let sent = place.run(&["send", "--all"]);
    assert_eq!(sent.code, Some(1));
    assert!(sent.stderr.contains("lectern-data/webhook-secret is not there yet"), "{sent:?}");
    assert!(sent.stderr.contains("PODIUM_WEBHOOK_SECRET, --secret or --secret-file"), "{sent:?}");
    assert!(place.is_empty());
}

#[test]
fn sending_to_nobody_says_how_to_start_a_server() {
    let port = free_port();
    let sent = Place::new().run(&["send", "--all", "--secret", "x", "--listen", &format!("0.0.0.0:{port}")]);
    assert_eq!(sent.code, Some(1));
    assert_eq!(sent.stdout, "");
    let sentence = format!("lectern: no server answers at http://127.0.0.1:{port}/webhooks/podium (");
    assert!(
        sent.stderr.starts_with(&sentence) && sent.stderr.contains("start one with `lectern`"),
        "{sent:?}"
    );
}

/// A port at which nobody listens.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A receiver that answers everything in one way.
async fn receiver(status: u16, body: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(status).set_body_string(body)).mount(&server).await;
    server
}

const ACCEPTED: &str = r#"{"data":{"id":"01a203b2-5555-7c20-baa2-361570f09d32","status":"accepted"}}"#;

async fn run(place: &Place, arguments: &[&str]) -> Ended {
    let mut command = place.command(arguments);
    tokio::task::spawn_blocking(move || ended(&mut command)).await.unwrap()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a [u8]> {
    request.headers.get(name).map(HeaderValue::as_bytes)
}

fn is_signed(request: &Request, secret: &str) -> bool {
    let timestamp = header(request, TIMESTAMP_HEADER).unwrap();
    let expected = SigningKey::new(secret).sign(timestamp, &request.body).to_string();
    header(request, SIGNATURE_HEADER) == Some(expected.as_bytes())
}

#[tokio::test]
async fn one_event_of_every_type_is_signed_posted_and_shown() {
    let server = receiver(200, ACCEPTED).await;
    let sent =
        run(&Place::new(), &["send", "--all", "--secret", "s", "--to", &format!("{}/x", server.uri())]).await;
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert_eq!(sent.stdout.lines().count(), EventType::ALL.len());
    let first = sent.stdout.lines().next().unwrap();
    assert!(first.contains("200  accepted  01a203b2-5555-7c20-baa2-361570f09d32"), "{first}");

    let requests = server.received_requests().await.unwrap();
    let types: Vec<_> = requests.iter().map(type_of).collect();
    let expected: Vec<_> = EventType::ALL.iter().map(|known| known.as_str().to_owned()).collect();
    assert_eq!(types, expected);
    for request in &requests {
        assert_eq!(request.url.path(), "/x");
        assert_eq!(header(request, "content-type"), Some(&b"application/json"[..]));
        assert!(is_signed(request, "s"));
    }
}

fn type_of(request: &Request) -> String {
    decode(&request.body).event_type.as_str().to_owned()
}

#[tokio::test]
async fn many_events_are_each_their_own_and_end_in_figures() {
    let server = receiver(200, ACCEPTED).await;
    let arguments = [
        "send",
        "message.*",
        "--count",
        "300",
        "--connections",
        "8",
        "--conversations",
        "7",
        "--secret",
        "s",
        "--to",
        &server.uri(),
    ];
    let sent = run(&Place::new(), &arguments).await;
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert_eq!(sent.stderr, "", "no progress bar where nobody sees it");
    for words in ["sent     300 in ", "answers  200: 300\n", "p50 ", "p99.9 ", "max "] {
        assert!(sent.stdout.contains(words), "`{words}` in {}", sent.stdout);
    }
    let requests = server.received_requests().await.unwrap();
    let bodies: Vec<serde_json::Value> =
        requests.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    let different = |of: &dyn Fn(&serde_json::Value) -> String| {
        bodies.iter().map(of).collect::<std::collections::HashSet<_>>().len()
    };
    assert_eq!(different(&|body| body["metadata"]["eventUid"].to_string()), 300);
    assert_eq!(different(&|body| body["data"]["conversation"]["uid"].to_string()), 7);
    assert_eq!(different(&|body| body["metadata"]["eventType"].to_string()), 3);
}

#[tokio::test]
async fn a_reader_who_goes_away_stops_no_sending_and_changes_no_exit_code() {
    for (status, code) in [(200, 0), (503, 1)] {
        for count in ["5", "60"] {
            let server = receiver(status, ACCEPTED).await;
            let place = Place::new();
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let mut command = place.command(&[
                "send",
                "call.missed",
                "--count",
                count,
                "--secret",
                "s",
                "--to",
                &server.uri(),
            ]);
            command.stdout(writer);
            let sent = tokio::task::spawn_blocking(move || ended(&mut command)).await.unwrap();
            assert_eq!(sent.code, Some(code), "{sent:?}");
            assert_eq!(server.received_requests().await.unwrap().len().to_string(), count);
        }
    }
}

#[tokio::test]
async fn a_rate_is_kept() {
    let server = receiver(200, ACCEPTED).await;
    let arguments =
        ["send", "call.missed", "--count", "6", "--rate", "10", "--secret", "s", "--to", &server.uri()];
    let start = std::time::Instant::now();
    let sent = run(&Place::new(), &arguments).await;
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert!(start.elapsed().as_millis() >= 500, "the sixth is due half a second after the first");
}

#[tokio::test]
async fn a_file_is_sent_byte_for_byte() {
    let bytes = b"\xff\x00 not JSON \r\n";
    let place = Place::new();
    std::fs::write(place.path("odd.bin"), bytes).unwrap();
    let server = receiver(200, ACCEPTED).await;
    let sent = run(&place, &["send", "--file", "odd.bin", "--secret", "s", "--to", &server.uri()]).await;
    assert_eq!(sent.code, Some(0), "{sent:?}");
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[0].body, bytes);
    assert!(is_signed(&requests[0], "s"));
}

#[tokio::test]
async fn the_secret_and_the_path_are_those_of_the_source() {
    let server = receiver(200, ACCEPTED).await;
    let listen = format!("[public]\nlisten = \"{}\"\n", server.address());
    let place = Place::new().file("secret", "of the north\n").file(
        "lectern.toml",
        &format!("{listen}[sources.default]\nsecret = \"d\"\n[sources.north]\nsecret_file = \"secret\"\n[sources.open]\nallow_unsigned = true"),
    );
    for source in ["default", "north", "open"] {
        let sent = run(&place, &["--config", "lectern.toml", "send", "--test", "--source", source]).await;
        assert_eq!(sent.code, Some(0), "{sent:?}");
    }
    let requests = server.received_requests().await.unwrap();
    let paths: Vec<_> = requests.iter().map(|request| request.url.path()).collect();
    assert_eq!(paths, ["/webhooks/podium", "/webhooks/podium/north", "/webhooks/podium/open"]);
    assert!(is_signed(&requests[0], "d") && is_signed(&requests[1], "of the north"));
    assert!(header(&requests[2], SIGNATURE_HEADER).is_none());

    let sent = run(&place, &["--config", "lectern.toml", "send", "--test", "--source", "nroth"]).await;
    assert_eq!(sent.code, Some(1));
    assert_eq!(sent.stderr, "lectern: there is no source `nroth`; did you mean `north`?\n");
}

#[tokio::test]
async fn an_answer_that_is_not_200_is_a_failure_and_the_first_one_is_told() {
    let server = receiver(503, r#"{"code":"store_unavailable","message":"try again"}"#).await;
    let place = Place::new();
    let to = server.uri();
    let sent = run(&place, &["send", "message.sent", "--secret", "s", "--to", &to]).await;
    assert_eq!(sent.code, Some(1));
    assert_eq!(sent.stderr, "lectern: message.sent was answered 503, store_unavailable: try again\n");
    let sent = run(&place, &["send", "message.sent", "--count", "60", "--secret", "s", "--to", &to]).await;
    assert_eq!(sent.code, Some(1));
    assert!(sent.stdout.contains("answers  503: 60\n"), "{sent:?}");
    assert!(
        sent.stderr
            .starts_with("lectern: 60 of 60 events were not accepted; first, message.sent was answered 503"),
        "{sent:?}"
    );
}

#[tokio::test]
async fn only_200_is_a_success() {
    let server = receiver(204, "").await;
    let sent = run(&Place::new(), &["send", "--test", "--secret", "s", "--to", &server.uri()]).await;
    assert_eq!((sent.code, sent.stderr.as_str()), (Some(1), "lectern: Send Test was answered 204\n"));
}

#[cfg(unix)]
#[test]
fn a_server_whose_log_nobody_reads_any_more_serves_and_stops() {
    let place = Place::new();
    let mut server = place
        .command(&["--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0"])
        .env("LECTERN__LOG__FORMAT", "json")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
    let listening = log.find(|line| line.contains("listening")).unwrap();
    drop(log);
    let listening: serde_json::Value = serde_json::from_str(&listening).unwrap();
    let to = listening["fields"]["webhook"].as_str().unwrap();
    let public = listening["fields"]["public"].as_str().unwrap();
    assert_eq!(to, format!("http://{public}/webhooks/podium"));
    // Each event makes the handler `log` write a line.
    let sent = place.run(&["send", "--all", "--to", to]);
    let stopped = stop(&mut server);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert!(stopped.success(), "{stopped}");
}

/// Tells a server to stop; one that does not within 20 seconds is killed.
#[cfg(unix)]
fn stop(server: &mut std::process::Child) -> std::process::ExitStatus {
    let pid = nix::unistd::Pid::from_raw(server.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        if let Some(status) = server.try_wait().unwrap() {
            return status;
        }
        if std::time::Instant::now() > deadline {
            server.kill().unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[cfg(unix)]
#[test]
fn the_first_start_greets_with_the_next_steps_and_stops_when_it_is_told_to() {
    let place = Place::new();
    let mut server = place
        .command(&["--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let greeting: Vec<String> = BufReader::new(server.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .take_while(|line| !line.ends_with("/api/v1/events"))
        .collect();
    assert!(stop(&mut server).success());

    let greeting = greeting.join("\n");
    assert!(greeting.contains("/webhooks/podium"), "{greeting}");
    assert!(greeting.contains("cat lectern-data/webhook-secret"), "{greeting}");
    assert!(greeting.contains("$(cat lectern-data/api-token)"), "{greeting}");
    for name in ["webhook-secret", "api-token"] {
        let secret = std::fs::read_to_string(place.path("lectern-data").join(name)).unwrap();
        assert!(!greeting.contains(secret.trim()));
    }
}

#[test]
fn commands_about_what_is_there_make_no_database() {
    let place = Place::new();
    let id = "01a2027b-da68-7001-9a3c-4b1d5e76f0ab";
    for arguments in [
        &["handlers"][..],
        &["handlers", "pause", "log"],
        &["replay", id],
        &["replay", "--handler", "crm"],
        &["replays"],
        &["replays", "cancel", id],
        &["resolve", id, "--note", "by hand"],
        &["token", "list"],
        &["token", "revoke", "reporting"],
        &["rebuild"],
        &["rebuild", "--status"],
    ] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.stderr.starts_with("lectern: there is no database at sqlite:lectern-data"),
            "{ended:?}"
        );
    }
    assert!(place.is_empty());
}

#[test]
fn a_replay_must_be_of_something() {
    let place = Place::new();
    let id = "01a2027b-da68-7001-9a3c-4b1d5e76f0ab";
    for (arguments, words) in [
        (&["replay"][..], "the following required arguments were not provided"),
        (&["replay", "--all"], "the following required arguments were not provided"),
        (&["replay", id, "--handler", "crm"], "cannot be used with"),
        (&["replay", "crm"], "no id of a delivery, such as 01a2027b-da68-7001-9a3c-4b1d5e76f0ab"),
        (&["replay", "--since", "yesterday"], "a time is a duration such as 12h or 7d"),
        (&["replay", "--handler", "crm", "--rate", "1001"], "from 1 to 1000"),
        (&["resolve", id], "--note"),
        (&["resolve", id, "--note", ""], "a note has 1 to 2000 characters"),
        (&["replays", "cancel", "crm"], "no id of a replay: `lectern replays` lists them"),
    ] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(words), "`{words}` in {ended:?}");
    }
}

#[test]
fn a_token_is_made_listed_and_revoked() {
    let place = Place::new();
    let made = place.run(&["token", "create", "--name", "reporting"]);
    assert_eq!((made.code, made.stderr.as_str()), (Some(0), ""), "{made:?}");
    let admin = ["token", "create", "--name", "night shift", "--role", "admin", "--expires-in", "90d"];
    assert_eq!(place.run(&admin).code, Some(0));

    let listed = place.run(&["token", "list", "--json"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let tokens: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let (night_shift, reporting) = (&tokens[0], &tokens[1]);
    assert_eq!(night_shift["name"], "night shift");
    assert_eq!(night_shift["role"], "admin");
    let moment = |value: &serde_json::Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let lifetime = moment(&night_shift["expiresAt"]).duration_since(moment(&night_shift["createdAt"]));
    assert_eq!(lifetime, jiff::SignedDuration::from_hours(90 * 24));
    assert_eq!(reporting["role"], "read", "who says nothing gets the least");
    assert!(reporting["expiresAt"].is_null() && reporting["lastUsedAt"].is_null());
    let mut keys: Vec<_> = reporting.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["createdAt", "expiresAt", "lastUsedAt", "name", "role"]);
    let table = place.run(&["token", "list"]).stdout;
    assert!(table.starts_with("TOKEN        ROLE   CREATED"), "{table}");
    assert!(!table.contains(made.stdout.trim()) && !listed.stdout.contains(made.stdout.trim()));

    let misspelt = place.run(&["token", "revoke", "reportign"]);
    let sentence = "lectern: there is no token `reportign`; did you mean `reporting`?\n";
    assert_eq!((misspelt.code, misspelt.stderr.as_str()), (Some(2), sentence));
    let unlike = place.run(&["token", "revoke", "xyz"]);
    assert_eq!(unlike.stderr, "lectern: there is no token `xyz`; `lectern token list` lists them\n");
    let revoked = place.run(&["token", "revoke", "reporting"]);
    assert_eq!(revoked.stdout, "The token `reporting` is revoked: it opens nothing any more.\n");
    assert_eq!(place.run(&["token", "revoke", "reporting"]).code, Some(2));
    let left: serde_json::Value =
        serde_json::from_str(&place.run(&["token", "list", "--json"]).stdout).unwrap();
    assert_eq!(left.as_array().unwrap().len(), 1);
}

//! `lectern doctor`, as a person meets it: the real program in an empty folder with an empty environment.

#![expect(clippy::unwrap_used, reason = "what fails in a test should fail the test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use lectern::clock::{Clock as _, SystemClock};
use lectern::podium::SigningKey;
use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "something-no-one-will-know";
const NORTH: &str = "of-the-north-wind";
const TIMESTAMP: &str = "1620771659663";
const SIGNATURE: &str = "4d09f22dd01181ccf651c1236f4bec9e6226c472b39cb9dbdcf5dfa633dda982";
const BODY: &str =
    r#"{"data":{"bar":"apples","foo":"1"},"metadata":{"event_type":"test.event","version":"2021.04.01"}}"#;
const AT: &str = "2021-05-11T22:21:00Z";
const ID: &str = "01a2027b-da68-7002-8c1d-77e0a4c9b35f";

/// A folder to work in, with a source `default` and a source `north`.
struct Place(TempDir);

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let sources =
            format!("[sources.default]\nsecret = \"{SECRET}\"\n[sources.north]\nsecret = \"{NORTH}\"\n");
        place.file("lectern.toml", sources.as_bytes())
    }

    fn file(self, name: &str, content: &[u8]) -> Self {
        std::fs::write(self.0.path().join(name), content).unwrap();
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lectern"));
        command.args(arguments).current_dir(self.0.path()).env_clear().env("LECTERN_CONFIG", "lectern.toml");
        command
    }

    fn doctor(&self, arguments: &[&str]) -> Ended {
        self.doctor_reads(arguments, b"")
    }

    /// Runs the doctor, with this on its standard input.
    fn doctor_reads(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let arguments = [&["doctor"], arguments].concat();
        let mut command = self.command(&arguments);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // One who does not read it may end before it is written.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ended =
            Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        for secret in [SECRET, NORTH, SIGNATURE] {
            assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "{}", ended.stdout);
        }
        ended
    }
}

fn request(path: &str, signature: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: example.com\r\nPodium-Timestamp: {TIMESTAMP}\r\nPodium-Signature: \
         {signature}\r\n\r\n{body}"
    )
}

fn sign(secret: &str, timestamp: &str, body: &str) -> String {
    SigningKey::new(secret).sign(timestamp.as_bytes(), body.as_bytes()).to_string()
}

#[test]
fn a_request_that_would_be_accepted_ends_with_0_however_it_is_given() {
    let headers = format!("podium-timestamp: {TIMESTAMP}\npodium-signature: {SIGNATURE}\n");
    let [at, signed] = [format!("podium-timestamp: {TIMESTAMP}"), format!("Podium-Signature: {SIGNATURE}")];
    let whole = request("/webhooks/podium", SIGNATURE, BODY);
    let place = Place::new()
        .file("headers", headers.as_bytes())
        .file("body", BODY.as_bytes())
        .file("request", whole.as_bytes());
    for (arguments, input) in [
        (&["--request", "request"][..], ""),
        (&["--request", "-"], whole.as_str()),
        (&["--headers", "headers", "--body", "body"], ""),
        (&["--headers", "-", "--body", "body"], headers.as_str()),
        (&["--headers", "headers", "--body", "-"], BODY),
        (&["-H", &at, "-H", &signed, "--body", "body"], ""),
    ] {
        let ended = place.doctor_reads(&[arguments, &["--at", AT]].concat(), input.as_bytes());
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}: {}", ended.stdout);
        let verdict = "\nAccepted: the secret `current` of the source `default` fits.\n";
        assert!(ended.stdout.ends_with(verdict), "{}", ended.stdout);
    }
}

#[test]
fn what_is_wrong_is_said_step_by_step_with_what_to_do() {
    let whole = request("/webhooks/podium", SIGNATURE, &format!("{BODY}\n"));
    let ended = Place::new().file("request", whole.as_bytes()).doctor(&["--request", "request", "--at", AT]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    insta::assert_snapshot!(ended.stdout, @r"
    ok     headers    podium-signature and podium-timestamp are there
    ok     timestamp  1620771659663 is 2021-05-11T22:20:59.663Z
    ok     signature  64 hexadecimal characters
    wrong  secret     The signature fits the body without the newline at its end: something between Podium and Lectern adds one.
    ok     window     signed at 2021-05-11T22:20:59.663Z, received at 2021-05-11T22:21:00Z

    Not accepted (401 signature_mismatch). The signature fits the body without the newline at its end: something between Podium and Lectern adds one.

    What to do:
    - Look at what the body goes through before Lectern (a proxy, a function, a framework, an editor if it was saved by hand): it must pass it on byte for byte. If the sender is your own, it must sign exactly what it sends.
    ");
}

#[test]
fn the_source_is_the_one_in_the_path_or_the_one_that_is_named() {
    let signature = sign(NORTH, TIMESTAMP, BODY);
    let place = Place::new()
        .file("north", request("/webhooks/podium/north", &signature, BODY).as_bytes())
        .file("default", request("/webhooks/podium", &signature, BODY).as_bytes())
        .file("west", request("/webhooks/podium/west", &signature, BODY).as_bytes());
    assert_eq!(place.doctor(&["--request", "north", "--at", AT]).code, Some(0));
    assert_eq!(place.doctor(&["--request", "default", "--at", AT, "--source", "north"]).code, Some(0));
    let elsewhere = place.doctor(&["--request", "default", "--at", AT]);
    assert_eq!(elsewhere.code, Some(1));
    assert!(elsewhere.stdout.contains("should end in /webhooks/podium/north"), "{}", elsewhere.stdout);
    let unknown = place.doctor(&["--request", "west", "--at", AT]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("there is no source `west`"), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("404 unknown_source"), "{}", unknown.stderr);
}

#[test]
fn a_secret_counts_until_its_end() {
    let sources = "[[sources.default.secrets]]\nname = \"2021\"\nsecret = \"worn out\"\nnot_after = \"2021-05-11T22:30:00Z\"\n\
                   [[sources.default.secrets]]\nname = \"2022\"\nsecret = \"as good as new\"\n";
    let place = Place::new()
        .file("lectern.toml", sources.as_bytes())
        .file("request", request("/webhooks/podium", &sign("worn out", TIMESTAMP, BODY), BODY).as_bytes());
    assert_eq!(place.doctor(&["--request", "request", "--at", "2021-05-11T22:30:00Z"]).code, Some(0));
    let late = place.doctor(&["--request", "request", "--at", "2021-05-11T22:30:01Z", "--json"]);
    assert_eq!(late.code, Some(1));
    let late: Value = serde_json::from_str(&late.stdout).unwrap();
    assert_eq!((&late["code"], &late["answer"]), (&"secret_expired".into(), &"signature_mismatch".into()));
}

#[test]
fn the_secret_that_the_first_start_made_is_known() {
    let place = Place::new().file("lectern.toml", b"");
    let before = place.file("request", request("/webhooks/podium", SIGNATURE, BODY).as_bytes());
    let ended = before.doctor(&["--request", "request", "--at", AT]);
    assert!(ended.stdout.contains("has no secret to verify with"), "{}", ended.stdout);
    std::fs::create_dir(before.0.path().join("lectern-data")).unwrap();
    let after = before.file("lectern-data/webhook-secret", format!("{SECRET}\n").as_bytes());
    assert_eq!(after.doctor(&["--request", "request", "--at", AT]).code, Some(0));
}

#[test]
fn a_secret_given_by_hand_is_tried_and_named_by_its_file() {
    let place = Place::new()
        .file("request", request("/webhooks/podium", &sign("in a drawer", TIMESTAMP, BODY), BODY).as_bytes())
        .file("wrong", b"neither")
        .file("drawer", b"in a drawer\n");
    let arguments = ["--request", "request", "--secret-file", "wrong", "--secret-file", "drawer"];
    let ended = place.doctor(&arguments);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.contains("fits the secret in drawer"), "{}", ended.stdout);
    assert!(ended.stdout.contains("If it was not received just now"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("in a drawer"), "{}", ended.stdout);
}

#[test]
fn programs_get_codes() {
    let whole = request("/webhooks/podium", &format!("sha256={SIGNATURE}"), BODY);
    let place = Place::new().file("request", whole.as_bytes());
    let ended = place.doctor(&["--request", "request", "--at", AT, "--json"]);
    assert_eq!(ended.code, Some(1));
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(ended.stdout.lines().count(), 1);
    for (pointer, expected) in [
        ("/accepted", Value::from(false)),
        ("/answer", "signature_malformed".into()),
        ("/code", "signature_has_prefix".into()),
        ("/source", "default".into()),
        ("/receivedAt", AT.into()),
        ("/verifier", Value::Null),
        ("/steps/2/check", "signature".into()),
        ("/steps/2/outcome", "failed".into()),
        ("/steps/2/findings/0/code", "signature_has_prefix".into()),
        ("/steps/3/outcome", "passed".into()),
    ] {
        assert_eq!(json.pointer(pointer), Some(&expected), "{pointer} in {json:#}");
    }
}

#[test]
fn what_cannot_be_examined_ends_with_2_and_says_how_to_do_it() {
    let place = Place::new().file("body", b"{}").file("empty", b"").file("prose", b"dear doctor");
    for (arguments, words) in [
        (&[][..], "--request FILE, or with --headers FILE or -H, and --body FILE"),
        (&["--body", "body"], "--headers FILE, or with -H"),
        (&["-H", "a: b"], "--body"),
        (&["-H", "no header", "--body", "body"], "a header given with -H has no name and colon"),
        (&["--headers", "prose", "--body", "body"], "prose holds no headers: its line 1"),
        (&["--headers", "-", "--body", "-"], "can't both come from standard input"),
        (&["--request", "empty"], "empty holds no request: there is no header in it"),
        (&["--request", "nowhere"], "nowhere can't be read"),
        (&["--request", "body", "--body", "body"], "--body"),
        (&["-H", "a: b", "--body", "body", "--at", "noon"], "--at"),
        (&["-H", "a: b", "--body", "body", "--secret-file", "empty"], "the secret file empty is empty"),
        (&["-H", "a: b", "--body", "body", "--source", "nroth"], "did you mean `north`?"),
        (&["--source", "nroth"], "did you mean `north`?"),
        (&["--source", "north"], "no request of the source `north` is in the quarantine of"),
        (&["--at", AT], "give the request that is to be examined"),
        (&["body"], "no id of a request in quarantine"),
        (&[ID], "there is no request 01a2027b-da68-7002-8c1d-77e0a4c9b35f in the quarantine of"),
        (&[ID, "--at", AT], "cannot be used with"),
        (&[ID, "--request", "body"], "cannot be used with"),
        (&[ID, "--body", "body", "-H", "a: b"], "cannot be used with"),
        (&[ID, "--source", "north"], "cannot be used with"),
    ] {
        let ended = place.doctor(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    assert!(!place.0.path().join("lectern-data").exists(), "a look makes nothing");
}

#[test]
fn a_store_that_is_away_is_told() {
    // Nobody listens at port 1.
    let url = "postgres://lectern:hunter2@127.0.0.1:1/lectern";
    let place = Place::new();
    for arguments in [&["doctor"][..], &["doctor", ID]] {
        let output = place.command(arguments).env("DATABASE_URL", url).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{said}");
        assert!(said.contains("can't be opened") && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_body_over_the_limit_is_told_before_all_else() {
    let whole = request("/webhooks/podium", SIGNATURE, &" ".repeat((1 << 20) + 1));
    let ended = Place::new().file("request", whole.as_bytes()).doctor(&["--request", "request"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("413 body_too_large"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn a_reader_who_goes_away_changes_no_exit_code() {
    let whole = request("/webhooks/podium", "?", BODY);
    let place = Place::new().file("request", whole.as_bytes());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = place.command(&["doctor", "--request", "request"]).stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

/// A server that is killed when the test is over.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Place {
    fn serve(&self) -> (Server, String) {
        let mut server = self
            .command(&["--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0"])
            .env("LECTERN__LOG__FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
        let listening = log.find(|line| line.contains("listening")).unwrap();
        // Read to its end, or the server would wait for somebody to read it.
        std::thread::spawn(move || log.for_each(drop));
        let listening: Value = serde_json::from_str(&listening).unwrap();
        (Server(server), listening["fields"]["webhook"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn the_doctor_says_what_the_door_answers() {
    let place = Place::new().file("body", BODY.as_bytes());
    let (_server, url) = place.serve();
    // A client must have one, though it speaks plain HTTP here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let now = SystemClock.now().as_millisecond();
    let [present, past, future] = [0, -12 * 86_400_000, 600_000].map(|offset| (now + offset).to_string());
    let signed = |timestamp: &str| sign(SECRET, timestamp, BODY);
    let seconds = (now / 1000).to_string();
    for (headers, expected) in [
        (vec![("podium-timestamp", present.clone()), ("podium-signature", signed(&present))], "accepted"),
        (vec![("podium-timestamp", present.clone())], "signature_missing"),
        (vec![], "signature_missing"),
        (vec![("podium-signature", signed(&present))], "timestamp_missing"),
        (
            vec![("podium-timestamp", "?".to_owned()), ("podium-signature", "?".to_owned())],
            "signature_malformed",
        ),
        (
            vec![("podium-timestamp", "?".to_owned()), ("podium-signature", signed("?"))],
            "timestamp_malformed",
        ),
        (
            vec![("podium-timestamp", present.clone()), ("podium-signature", signed(&past))],
            "signature_mismatch",
        ),
        (vec![("podium-timestamp", past.clone()), ("podium-signature", signed(&past))], "timestamp_too_old"),
        (
            vec![("podium-timestamp", seconds.clone()), ("podium-signature", signed(&seconds))],
            "timestamp_too_old",
        ),
        (
            vec![("podium-timestamp", future.clone()), ("podium-signature", signed(&future))],
            "timestamp_in_future",
        ),
        (
            vec![
                ("podium-timestamp", present.clone()),
                ("podium-signature", signed(&present).to_uppercase()),
            ],
            "accepted",
        ),
        (
            vec![
                ("podium-timestamp", present.clone()),
                ("podium-signature", signed(&present)),
                ("podium-signature", "?".to_owned()),
            ],
            "accepted",
        ),
    ] {
        let mut request = http.post(&url).body(BODY);
        let mut arguments = vec!["--json".to_owned(), "--body".to_owned(), "body".to_owned()];
        for (name, value) in [("accept", "*/*".to_owned())].iter().chain(&headers) {
            request = request.header(*name, value);
            arguments.extend(["-H".to_owned(), format!("{name}: {value}")]);
        }
        let answer: Value =
            serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
        let answered = answer["code"].as_str().unwrap_or("accepted");
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said: Value = serde_json::from_str(&place.doctor(&arguments).stdout).unwrap();
        assert_eq!((answered, said["answer"].as_str()), (expected, Some(expected)), "{headers:?}");
    }
}

//! Senders who hold what they get: connections, memory, the log. None of it keeps Podium from being answered.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use lectern::podium::SigningKey;
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::events::new_event;
use crate::support::lectern::Setup;
use crate::support::lectern::{Answer, Lectern, SECRET, TOKEN, now_in_milliseconds};
use crate::support::patience::eventually;

/// What the slow ones are given, and how much later they may find out on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(10);
const LATE: Duration = Duration::from_secs(15);

const HEADERS: &str = "POST /webhooks/podium HTTP/1.1\r\nhost: x\r\n";
const A_KILOBYTE: &str = "POST /webhooks/podium HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n";

#[tokio::test]
async fn a_thousand_connections_that_send_a_byte_a_second_delay_nobody_and_are_cut_off() {
    allow_many_connections();
    let lectern = Setup::sqlite().start().await;
    let slow = (0..1000).map(|number| match number % 4 {
        0 => slow(&lectern, ""),
        1 => slow(&lectern, HEADERS),
        _ => slow(&lectern, A_KILOBYTE),
    });
    let good = async {
        let (mut events, mut others) = (Vec::new(), Vec::new());
        for _ in 0..80 {
            let start = Instant::now();
            assert_eq!(lectern.post(&new_event("message.received", "c")).await.status, StatusCode::OK);
            events.push(start.elapsed());
            let start = Instant::now();
            let other = Answer::of(lectern.http.post(format!("{}/webhooks/podium", lectern.public))).await;
            assert_eq!(other.code(), "signature_missing");
            others.push(start.elapsed());
            sleep(Duration::from_millis(100)).await;
        }
        events.sort();
        assert!(events[events.len() / 2] < Duration::from_millis(100), "{events:?}");
        assert!(events[events.len() * 95 / 100] < Duration::from_millis(500), "{events:?}");
        // Without the disk, which may have its own reasons to take long.
        assert!(others.iter().max().unwrap() < &Duration::from_secs(1), "{others:?}");
    };
    let (ends, ()) = tokio::join!(join_all(slow), good);
    for (number, (took, answer)) in ends.iter().enumerate() {
        assert!((LIMIT / 2..LIMIT + LATE).contains(took), "{number}: {took:?}");
        if number % 4 > 1 {
            assert!(answer.starts_with("HTTP/1.1 408 "), "{number}: {answer}");
            assert!(answer.contains("body_too_slow") && answer.contains("connection: close"), "{answer}");
        } else {
            assert_eq!(answer, "", "{number}");
        }
    }
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut_off() {
    let lectern = Setup::sqlite().start().await;
    let stored = lectern.post(&vec![b'x'; 1024 * 1024]).await.json();
    let id = stored["data"]["id"].as_str().unwrap();
    let mut stream = connect(&lectern.internal).await;
    let request =
        format!("GET /api/v1/events/{id}/body HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    let start = Instant::now();
    // Twenty answers of a megabyte are more than the system keeps on their way.
    stream.write_all(request.repeat(20).as_bytes()).await.unwrap();
    // Its end shows in what is sent, without anything being read: the system refuses it.
    let sending = async {
        while stream.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(LIMIT + LATE, sending).await.expect("an end");
    assert!(start.elapsed() > LIMIT / 2);
}

#[tokio::test]
async fn more_slow_connections_than_there_may_be_leave_room_for_a_good_sender() {
    let lectern = Setup::sqlite().env("LECTERN__PUBLIC__MAX_CONNECTIONS", "32").start().await;
    let kept = lectern.post(&new_event("message.received", "c")).await;
    assert_eq!(kept.status, StatusCode::OK);
    let mut slow = Vec::new();
    for number in 0..200 {
        let mut stream = connect(&lectern.public).await;
        let say = [HEADERS, A_KILOBYTE, ""][number % 3];
        // It may have had to leave already.
        let _ = stream.write_all(say.as_bytes()).await;
        slow.push(stream);
    }
    for _ in 0..20 {
        let start = Instant::now();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let body = new_event("message.received", "c");
        let request =
            lectern.signed("/webhooks/podium", SECRET, &now_in_milliseconds(), &body).build().unwrap();
        assert_eq!(client.execute(request).await.unwrap().status(), StatusCode::OK);
        assert!(start.elapsed() < LIMIT / 2, "it waited until slow ones were cut off anyway");
    }
    let open = eventually("those that are too many are gone", async || {
        let mut open = 0;
        for stream in &slow {
            // Nobody was answered: what can be read is the end.
            let nothing_yet =
                stream.try_read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
            open += usize::from(nothing_yet);
        }
        (open <= 32).then_some(open)
    });
    open.await;
    assert!(lectern.log().contains("were closed to make room"));
}

#[tokio::test]
async fn a_flood_of_large_bodies_has_a_bound_and_leaves_small_ones_alone() {
    let lectern = Setup::sqlite().start().await;
    // All but the last byte, so that they stay: 64 MiB for what each has above 64 KiB is room for 68.
    let large = vec![b' '; 1024 * 1024];
    let signed = signed_by_hand(&large);
    let mut floods = Vec::new();
    for _ in 0..72 {
        let mut stream = connect(&lectern.public).await;
        stream.write_all(signed.as_bytes()).await.unwrap();
        stream.write_all(&large[1..]).await.unwrap();
        floods.push(stream);
    }
    let mut answers: FuturesUnordered<_> = floods.iter_mut().enumerate().map(answer).collect();
    let mut refused = Vec::new();
    for _ in 68..72 {
        let (number, answer) = timeout(LATE, answers.next()).await.expect("an answer in time").unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1\r\n"), "{answer}");
        assert!(answer.contains("\"code\":\"busy\""), "{answer}");
        refused.push(number);
    }
    drop(answers);
    assert_eq!(lectern.post(&new_event("message.received", "c")).await.status, StatusCode::OK);
    // One that goes on is not harmed, and whoever goes leaves its room to others.
    let held = (0..72).rfind(|number| !refused.contains(number)).unwrap();
    floods[held].write_all(b" ").await.unwrap();
    let (_, answered) = timeout(LATE, answer((held, &mut floods[held]))).await.expect("an answer in time");
    assert!(answered.starts_with("HTTP/1.1 200 "), "{answered}");
    drop(floods);
    eventually("a large body is taken again", async || {
        (lectern.post(&large).await.status == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_wrong_signatures_is_a_few_lines_in_the_log_and_none_holds_a_body() {
    let lectern = Setup::sqlite().start().await;
    let start = Instant::now();
    let body = br#"{"data":{"body":"a-private-message"}}"#;
    for _ in 0..20 {
        join_all((0..20).map(async |_| {
            let now = now_in_milliseconds();
            let wrong = lectern.signed("/webhooks/podium", "not-the-secret", &now, body);
            assert_eq!(Answer::of(wrong).await.code(), "signature_mismatch");
        }))
        .await;
    }
    let unsigned =
        Answer::of(lectern.http.post(format!("{}/webhooks/podium", lectern.public)).body(&body[..])).await;
    assert_eq!(unsigned.code(), "signature_missing");
    let lines = |code| lectern.log().lines().filter(|line| line.contains(code)).count() as u64;
    eventually("another reason has its line", async || (lines("signature_missing") == 1).then_some(())).await;
    let expected = 1..=1 + start.elapsed().as_secs() / 10;
    assert!(expected.contains(&lines("signature_mismatch")), "{}", lectern.log());
    for secret in ["a-private-message", SECRET, "not-the-secret"] {
        assert!(!lectern.log().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_waits_for_nobody_else() {
    let lectern = Setup::sqlite().start().await;
    // A connection that is kept, by this test's client.
    assert_eq!(lectern.post(&new_event("message.received", "c")).await.status, StatusCode::OK);
    let mut slow = Vec::new();
    for say in ["", HEADERS, A_KILOBYTE] {
        let mut stream = connect(&lectern.public).await;
        stream.write_all(say.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let body = new_event("message.received", "c");
    let mut under_way = connect(&lectern.public).await;
    let signed = signed_by_hand(&body);
    under_way
        .write_all(signed.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n").as_bytes())
        .await
        .unwrap();
    // That it is asked for its body shows that it is under way.
    let mut asked = [0; 25];
    timeout(LATE, under_way.read_exact(&mut asked)).await.unwrap().unwrap();
    let public = lectern.public.clone();
    let finish = async {
        let address = public.strip_prefix("http://").unwrap();
        eventually("nobody is let in any more", async || TcpStream::connect(address).await.err()).await;
        under_way.write_all(&body).await.unwrap();
        let mut answer = Vec::new();
        let _ = timeout(LATE, under_way.read_to_end(&mut answer)).await.expect("an end");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("accepted"), "{answer}");
    };
    let start = Instant::now();
    let (ended, ()) = tokio::join!(lectern.stop(), finish);
    assert!(ended.success());
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

/// Says this, and then a byte a second for as long as it may. How long that was, and what the server said.
async fn slow(lectern: &Lectern, say: &str) -> (Duration, String) {
    let mut stream = connect(&lectern.public).await;
    let start = Instant::now();
    stream.write_all(say.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let dripping = async {
        loop {
            sleep(Duration::from_secs(1)).await;
            if writing.write_all(b"x").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut said = Vec::new();
    tokio::select! {
        () = dripping => {}
        // Closed, or broken off when a byte was on its way.
        _ = timeout(LIMIT + LATE, reading.read_to_end(&mut said)) => {}
    }
    (start.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

async fn connect(url: &str) -> TcpStream {
    let address = url.strip_prefix("http://").unwrap();
    timeout(LATE, TcpStream::connect(address)).await.expect("a connection in time").unwrap()
}

/// The first of what the server says to the connection of this number.
async fn answer((number, stream): (usize, &mut TcpStream)) -> (usize, String) {
    let mut answer = vec![0; 1024];
    let count = stream.read(&mut answer).await.unwrap();
    (number, String::from_utf8_lossy(&answer[..count]).into_owned())
}

/// The headers of a request with this body.
fn signed_by_hand(body: &[u8]) -> String {
    let now = now_in_milliseconds();
    let signature = SigningKey::new(SECRET).sign(now.as_bytes(), body);
    let length = body.len();
    format!(
        "{HEADERS}content-length: {length}\r\npodium-timestamp: {now}\r\npodium-signature: {signature}\r\n\r\n"
    )
}

/// A connection is a file, too, and the usual limit is lower than what this test needs.
fn allow_many_connections() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
}

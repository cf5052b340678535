use super::*;
use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Long enough for anything that is not meant to take time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Limits so short that a test can wait for them, but for the one that it is about: that is a minute, so that what happens
/// earlier has another reason.
const SHORT: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(60);

fn limits() -> Limits {
    let usual = Limits::with_connections(100);
    Limits { headers: LONG, rest: LONG, answer: LONG, grace: LONG, ..usual }
}

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

async fn server(limits: Limits) -> Server {
    let routes = Router::new()
        .route("/", get(async || "here"))
        .route("/", post(async |body: Bytes| body))
        .route("/large", get(async || vec![b'x'; 64 * 1024 * 1024]));
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let serving = tokio::spawn(serve(listener, routes, limits, stop.clone()));
    Server { address, stop, serving }
}

impl Server {
    async fn connect(&self, say: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(say.as_bytes()).await.unwrap();
        stream
    }
}

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// Reads one answer with the body `here`.
async fn answer(stream: &mut TcpStream) {
    let mut read = Vec::new();
    let reading = async {
        while !read.ends_with(b"here") {
            assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{read:?}");
        }
    };
    timeout(PATIENCE, reading).await.expect("an answer");
    assert!(read.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&read));
}

/// Waits until the server has closed the connection; what came before that.
async fn closed(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    // A reset is an end, too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut read)).await.expect("an end");
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn who_says_nothing_or_never_ends_its_headers_is_cut_off() {
    let server = server(Limits { headers: SHORT, ..limits() }).await;
    let mut silent = server.connect("").await;
    let mut slow = server.connect("GET / HTTP/1.1\r\n").await;
    let (mut reading, mut writing) = slow.split();
    let dripping = async {
        while writing.write_all(b"x").await.is_ok() {
            sleep(SHORT / 10).await;
        }
    };
    let mut nothing = Vec::new();
    let cut = timeout(PATIENCE, async { tokio::join!(dripping, reading.read_to_end(&mut nothing)) });
    let (cut, said) = tokio::join!(cut, closed(&mut silent));
    // Closed or broken off, as a byte may have been on its way.
    let _ = cut.expect("an end");
    assert_eq!(said, "");
}

#[tokio::test]
async fn a_kept_connection_may_rest_longer_but_has_no_longer_for_its_headers() {
    let server = server(Limits { headers: SHORT, ..limits() }).await;
    let mut stream = server.connect(REQUEST).await;
    answer(&mut stream).await;
    sleep(SHORT * 3).await;
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    answer(&mut stream).await;
    stream.write_all(b"G").await.unwrap();
    assert_eq!(closed(&mut stream).await, "");
}

#[tokio::test]
async fn a_kept_connection_does_not_rest_for_ever() {
    let server = server(Limits { rest: SHORT, ..limits() }).await;
    let mut stream = server.connect(REQUEST).await;
    answer(&mut stream).await;
    assert_eq!(closed(&mut stream).await, "");
}

#[tokio::test]
async fn who_never_takes_its_answer_is_cut_off() {
    let server = server(Limits { answer: SHORT, ..limits() }).await;
    let mut stream = server.connect("GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;
    // Its end shows in what is sent, without anything being read: the system refuses it.
    let sending = async { while stream.write_all(b"x").await.is_ok() {} };
    timeout(PATIENCE, sending).await.expect("an end");
}

#[tokio::test]
async fn who_takes_its_answer_slowly_gets_all_of_it() {
    let limit = Duration::from_secs(1);
    let server = server(Limits { answer: limit, rest: limit, ..limits() }).await;
    let mut stream = server.connect("GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let (mut read, mut buffer) = (0, vec![0; 1024 * 1024]);
    let start = Instant::now();
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        if count == 0 {
            break;
        }
        read += count;
        sleep(limit / 30).await;
    }
    assert!(read > 64 * 1024 * 1024, "{read}");
    assert!(start.elapsed() > limit, "it was not slow");
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let server = server(limits()).await;
    let mut stream = server.connect(&format!("GET / HTTP/1.1\r\nhost: {}", "x".repeat(BUFFER))).await;
    assert!(closed(&mut stream).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn beyond_the_last_place_slow_ones_leave_for_newcomers() {
    let server = server(Limits { connections: 3, ..limits() }).await;
    let mut idle = server.connect(REQUEST).await;
    answer(&mut idle).await;
    let mut slow = server.connect("GET / HTTP/1.1\r\n").await;
    let mut body = server.connect("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nhe").await;
    let mut stay = Vec::new();
    for leaves in [&mut idle, &mut slow, &mut body] {
        let mut newcomer = server.connect(REQUEST).await;
        answer(&mut newcomer).await;
        assert_eq!(closed(leaves).await, "");
        stay.push(newcomer);
    }
}

#[tokio::test]
async fn a_stop_waits_for_requests_under_way_and_not_for_slow_or_idle_ones() {
    let server = server(limits()).await;
    let mut idle = server.connect(REQUEST).await;
    answer(&mut idle).await;
    let mut silent = server.connect("").await;
    let mut slow = server.connect("GET / HTTP/1.1\r\n").await;
    let mut slow_body = server.connect("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nhe").await;
    let mut under_way = server
        .connect("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n")
        .await;
    // That it is asked for its body shows that it is under way, and so are those that came before it.
    let mut asked = [0; 25];
    timeout(PATIENCE, under_way.read_exact(&mut asked)).await.unwrap().unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");

    server.stop.cancel();
    assert_eq!(closed(&mut idle).await, "");
    under_way.write_all(b"here").await.unwrap();
    answer(&mut under_way).await;
    for stream in [&mut silent, &mut slow, &mut slow_body, &mut under_way] {
        assert_eq!(closed(stream).await, "");
    }
    timeout(PATIENCE, server.serving).await.expect("it ends").unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

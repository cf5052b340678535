//! A broker that lets nobody in: it takes the password and answers that it is wrong.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Starts one; its address.
pub(super) async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// Answers until the other side has had enough.
async fn serve(mut stream: TcpStream) -> Option<()> {
    loop {
        let length = stream.read_i32().await.ok()?;
        let mut request = vec![0; usize::try_from(length).ok()?];
        stream.read_exact(&mut request).await.ok()?;
        let kind = i16::from_be_bytes(request[..2].try_into().ok()?);
        let answer = [&request[4..8], &answer(kind)].concat();
        stream.write_i32(i32::try_from(answer.len()).ok()?).await.ok()?;
        stream.write_all(&answer).await.ok()?;
    }
}

/// The answers of Kafka's protocol, by the kind of request.
fn answer(kind: i16) -> Vec<u8> {
    const SASL_HANDSHAKE: u8 = 17;
    const API_VERSIONS: u8 = 18;
    const SASL_AUTHENTICATE: u8 = 36;
    match u8::try_from(kind) {
        // No error; three kinds of requests in versions 0 to …; no delay.
        Ok(API_VERSIONS) => {
            let versions = [(SASL_HANDSHAKE, 1), (API_VERSIONS, 3), (SASL_AUTHENTICATE, 0)];
            let versions = versions.iter().flat_map(|(kind, most)| [0, *kind, 0, 0, 0, *most, 0]);
            [0, 0, 4].into_iter().chain(versions).chain([0; 5]).collect()
        }
        // No error; one mechanism.
        Ok(SASL_HANDSHAKE) => [&[0, 0, 0, 0, 0, 1, 0, 5], b"PLAIN".as_slice()].concat(),
        // Error 58; why; no more to say.
        Ok(SASL_AUTHENTICATE) => [&[0, 58, 0, 14], b"Wrong password".as_slice(), &[0; 4]].concat(),
        _ => panic!("nobody should get as far as to ask for {kind}"),
    }
}

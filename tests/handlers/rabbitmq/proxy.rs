//! Something between Lectern and RabbitMQ that can fail as networks do.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::place;

pub(super) struct Proxy {
    address: SocketAddr,
    frozen: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (frozen, watched) = watch::channel(false);
        Self { address, frozen, serving: tokio::spawn(serve(listener, watched)) }
    }

    /// RabbitMQ's address by this way.
    pub(super) fn url(&self) -> String {
        let mut url = place::url();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }

    /// Breaks every connection and refuses new ones.
    pub(super) async fn away(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    /// Is there again.
    pub(super) async fn back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serving = tokio::spawn(serve(listener, self.frozen.subscribe()));
    }

    /// From now on carries nothing, and says nothing of it.
    pub(super) fn freeze(&self) {
        self.frozen.send(true).unwrap();
    }

    /// Breaks what was frozen, and carries again.
    pub(super) fn thaw(&self) {
        self.frozen.send(false).unwrap();
    }
}

async fn serve(listener: TcpListener, frozen: watch::Receiver<bool>) {
    let mut carrying = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        carrying.spawn(carry(client, frozen.clone()));
    }
}

async fn carry(mut client: TcpStream, mut frozen: watch::Receiver<bool>) {
    let carried = async {
        let url = place::url();
        let mut server = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.unwrap();
        copy_bidirectional(&mut client, &mut server).await
    };
    tokio::select! {
        biased;
        _ = frozen.wait_for(|frozen| *frozen) => {}
        _ = carried => return,
    }
    let _ = frozen.wait_for(|frozen| !*frozen).await;
}

//! A hold on the connection's socket, to end it from outside.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The client waits for the server, in a thread of its own, for as long as the socket is open, however little anybody still
/// wants the answer: one server that accepts and says nothing would cost a thread a call. So the socket ends when whoever
/// has this value lets go of it.
pub(super) struct Hold(Arc<Mutex<State>>);

/// Where the client's thread puts the socket once it has it.
#[derive(Clone)]
pub(super) struct Slot(Arc<Mutex<State>>);

enum State {
    Waiting,
    Open(TcpStream),
    Cut,
}

/// A hold on a socket that is yet to come.
pub(super) fn hold() -> (Hold, Slot) {
    let state = Arc::new(Mutex::new(State::Waiting));
    (Hold(Arc::clone(&state)), Slot(state))
}

impl Hold {
    /// Ends the connection where it stands. What was not sent yet never will be.
    pub(super) fn cut(&self) {
        if let State::Open(socket) = std::mem::replace(&mut *lock(&self.0), State::Cut) {
            // An error says that it has ended by itself.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Slot {
    /// Hands the socket over.
    ///
    /// # Errors
    /// When nobody wants it any more, or the system gives no second handle.
    pub(super) fn fill(&self, stream: &tokio::net::TcpStream) -> io::Result<()> {
        let mut state = lock(&self.0);
        if matches!(*state, State::Cut) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        *state = State::Open(second_handle(stream)?);
        Ok(())
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn second_handle(stream: &tokio::net::TcpStream) -> io::Result<TcpStream> {
    use std::os::fd::AsFd as _;
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn second_handle(stream: &tokio::net::TcpStream) -> io::Result<TcpStream> {
    use std::os::windows::io::AsSocket as _;
    Ok(stream.as_socket().try_clone_to_owned()?.into())
}

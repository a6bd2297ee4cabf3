//! An axum server on tokio, and a client of it on std alone.
//!
//! `server serve SOCKET` prints its TCP address on a line, serves that and the
//! Unix socket, and stops gracefully on SIGTERM. `server check NAME ADDRESS
//! SOCKET PID` puts one question to it.

mod client;

use std::collections::HashMap;
use std::error::Error;
use std::future::IntoFuture;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::watch;

type Blobs = Arc<Mutex<HashMap<u32, Bytes>>>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", socket] => serve(socket),
        ["check", name, address, socket, pid] => client::check(name, address, socket, pid),
        _ => Err("neither `serve` nor `check`".into()),
    }
}

#[tokio::main]
async fn serve(socket: &str) -> Result<(), Box<dyn Error>> {
    // Before anybody knows the address, and so could send it.
    let mut terminate = signal(SignalKind::terminate())?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        terminate.recv().await;
        stop.send_replace(true);
    });

    let router = Router::new()
        .route("/", get(|| async { "hello\n" }))
        .route("/blob/{name}", get(download).put(upload))
        .layer(DefaultBodyLimit::disable())
        .with_state(Blobs::default());
    let tcp = TcpListener::bind("127.0.0.1:0").await?;
    let unix = UnixListener::bind(socket)?;
    println!("{}", tcp.local_addr()?);

    let over_tcp = axum::serve(tcp, router.clone()).with_graceful_shutdown(until(stopped.clone()));
    let over_unix = axum::serve(unix, router).with_graceful_shutdown(until(stopped));
    tokio::try_join!(over_tcp.into_future(), over_unix.into_future())?;
    Ok(())
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error says that the sender is gone, which it is after it sent.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn upload(Path(name): Path<u32>, State(blobs): State<Blobs>, body: Bytes) -> StatusCode {
    match blobs.lock() {
        Ok(mut blobs) => {
            blobs.insert(name, body);
            StatusCode::NO_CONTENT
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn download(Path(name): Path<u32>, State(blobs): State<Blobs>) -> Result<Bytes, StatusCode> {
    let blobs = blobs
        .lock()
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    blobs.get(&name).cloned().ok_or(StatusCode::NOT_FOUND)
}

//! One client's connection, from its first request to its end.

use super::answer::{Refusal, secure};
use super::app::{App, OTHER};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

/// Bytes of a request's head; hyper refuses longer ones with 431.
const HEAD: usize = 64 << 10;
/// How long a client that was refused may go on sending, so that it comes to read why.
const LINGER: Duration = Duration::from_secs(2);

/// Answers requests until the client goes, breaks a limit, or the server stops; then only the request that is under way is
/// answered. A connection that is one too many (`full`) is told so at its first request.
pub async fn serve(stream: TcpStream, app: Arc<App>, full: bool, mut stopping: watch::Receiver<()>) {
    let limits = app.limits;
    // A small answer must not wait for more to go with it; where that cannot be set, it does.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.timeout));
    let respond = {
        let app = Arc::clone(&app);
        service_fn(move |request| {
            let answer = Arc::clone(&app).respond(request, full);
            async { Ok::<_, Infallible>(answer.await) }
        })
    };
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.timeout)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(Box::pin(stream)), respond);
    let ended = select! {
        ended = &mut connection => Some(ended),
        _ = stopping.changed() => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        Pin::new(&mut connection).graceful_shutdown();
        (&mut connection).await
    };
    let parts = connection.into_parts();
    let stream = parts.io.into_inner();
    match ended {
        // Between two requests a client owes nothing.
        Err(error) if error.is_timeout() && parts.read_buf.is_empty() => {}
        Err(error) => {
            log::debug!("a connection ended: {error}");
            app.metrics.broken();
            if error.is_timeout() {
                app.metrics.answered(OTHER, StatusCode::REQUEST_TIMEOUT.as_u16(), limits.timeout);
                let late = format!("expected a whole request head within {:?}, and it was not there", limits.timeout);
                return linger(stream, &late_answer(late).await).await;
            }
        }
        Ok(()) => {}
    }
    linger(stream, &[]).await;
}

/// What hyper does not say itself to a client whose head comes too slowly.
async fn late_answer(problem: String) -> Vec<u8> {
    let (mut head, body) = Refusal::new(StatusCode::REQUEST_TIMEOUT, problem).answer().into_parts();
    let body = body.collect().await.unwrap_or_else(|never| match never {}).to_bytes();
    secure(&mut head.headers);
    head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let mut text = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    for (name, value) in &head.headers {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    [&text, &b"\r\n"[..], &body].concat()
}

/// Ends a connection so that the client comes to read what it was told: as long as it sends, closing would destroy that.
async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin, last: &[u8]) {
    let ending = pin!(async {
        stream.write_all(last).await?;
        stream.shutdown().await?;
        let mut rest = vec![0; 16 << 10];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    });
    // A client that has gone, or goes on sending, is none any more.
    let _ = timeout(LINGER, ending).await;
}

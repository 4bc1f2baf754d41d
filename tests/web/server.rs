//! A web server of static files, for one test.

use mnist_gpu::export::web::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// A server that lives as long as the process; a site of its own on a port of its own.
pub struct Server {
    pub port: u16,
}

impl Server {
    /// Serves a site's files.
    pub fn start(site: Vec<File>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let site = Arc::new(site);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let site = Arc::clone(&site);
                // A browser that goes away in the middle of an answer has what it wants.
                std::thread::spawn(move || drop(respond(stream, &site)));
            }
        });
        Ok(Self { port })
    }

    /// The address of the page, on a host that browsers trust.
    pub fn url(&self) -> String {
        format!("http://localhost:{}/", self.port)
    }
}

fn respond(mut stream: TcpStream, site: &[File]) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let (status, content_type, bytes) = match site.iter().find(|file| file.path == path) {
        Some(file) => ("200 OK", file.content_type, &*file.bytes),
        None => ("404 Not Found", "text/plain", &b"not there"[..]),
    };
    let length = bytes.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(bytes)
}

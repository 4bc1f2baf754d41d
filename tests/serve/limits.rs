//! Limits of size, number and time, and connections that go on after them.

use crate::client::message;
use crate::{JSON, PNG, Place, assert_refused};

/// The head of a prediction whose body has so many bytes.
fn head(length: usize) -> Vec<u8> {
    let head = message("POST", "/v1/predict", &PNG, b"");
    String::from_utf8(head).expect("text").replace("Length: 0", &format!("Length: {length}")).into_bytes()
}

#[test]
fn a_body_that_is_too_large_is_refused_whether_it_says_so_or_not() {
    let place = Place::new();
    let server = place.serve(&["--max-body", "10000"]);
    let large = vec![b' '; 3_000_000];
    let answer = server.predict(&JSON, &large);
    assert_refused(&answer, 413, "expected at most 10000 bytes, found 3000000 bytes");
    assert_eq!(answer.header("connection"), Some("close"));

    let mut client = server.client();
    client
        .send(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n")
        .expect("sent");
    for _ in 0..3 {
        client.send(&[b"1000\r\n", &large[..0x1000], b"\r\n"].concat()).expect("sent");
    }
    assert_refused(&client.answer(false).expect("an answer"), 413, "found more");

    // A client that asks first need not send it.
    let mut client = server.client();
    client
        .send(
            String::from_utf8(head(10_001))
                .expect("text")
                .replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n")
                .as_bytes(),
        )
        .expect("sent");
    assert_eq!(client.answer(false).expect("an answer").status, 413);
    assert!(client.is_ended());
}

#[test]
fn a_connection_goes_on_after_a_refusal_whose_body_was_read() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut client = server.client();
    for (kind, body, status) in [
        (PNG, b"no picture".to_vec(), 422),
        (PNG, place.png(0), 200),
        (JSON, b"[".to_vec(), 400),
        (JSON, place.rows(0).into_bytes(), 200),
    ] {
        let answer = client.request("POST", "/v1/predict", &kind, &body).expect("an answer");
        assert_eq!((answer.status, answer.header("connection")), (status, None), "{answer:?}");
    }
    let requests = [message("GET", "/healthz", &[], b""), message("POST", "/v1/predict", &PNG, &place.png(1))].concat();
    client.send(&requests).expect("sent");
    assert_eq!([200, 200].map(|_| client.answer(false).expect("one after the other").status), [200, 200]);
}

#[test]
fn slow_clients_are_told_so_and_others_are_not_kept() {
    let place = Place::new();
    let server = place.serve(&["--timeout", "0.5"]);
    let mut slow_body = server.client();
    slow_body.send(&[&head(1000)[..], b"a few bytes"].concat()).expect("sent");
    let mut slow_head = server.client();
    slow_head.send(b"GET / HTTP/1.1\r\nHost: loc").expect("sent");
    let mut silent = server.client();
    assert_eq!(server.predict(&PNG, &place.png(0)).status, 200);
    for (mut client, what) in [(slow_body, "whole body within 500ms"), (slow_head, "whole request head within 500ms")] {
        let answer = client.answer(false).expect("an answer");
        assert_refused(&answer, 408, what);
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(client.is_ended());
    }
    assert!(silent.is_ended(), "a connection without a request is closed without a word");
    assert_eq!(server.metric("mnist_gpu_requests_total{path=\"/v1/predict\",status=\"408\"}"), Some(1.0));
    assert_eq!(server.metric("mnist_gpu_requests_total{path=\"other\",status=\"408\"}"), Some(1.0));
}

#[test]
fn a_client_that_does_not_read_is_left() {
    let place = Place::new();
    let server = place.serve(&["--timeout", "0.5"]);
    let mut client = server.client();
    // Some 60 MB, more than lies on the way.
    client.send(&message("GET", "/data/train-images-idx3-ubyte", &[], b"").repeat(40)).expect("sent");
    assert_eq!(client.answer(false).expect("the first one").status, 200);
    while server.metric("mnist_gpu_connections") != Some(1.0) {}
    assert!(server.metric("mnist_gpu_errors_total{kind=\"connection\"}") >= Some(1.0));
    let read = std::iter::repeat_with(|| client.answer(false)).take(40).take_while(Result::is_ok).count();
    assert!(read < 39, "all of it was sent after all");
}

#[test]
fn a_client_that_goes_away_frees_its_place() {
    let place = Place::new();
    let server = place.serve(&["--max-requests", "1"]);
    for _ in 0..5 {
        let mut client = server.client();
        client.send(&[&head(1000)[..], b"cut"].concat()).expect("sent");
        client.cut();
    }
    // The server comes to see each of them in its time; until then it may say that it is busy.
    let status = std::iter::repeat_with(|| server.predict(&PNG, &place.png(0)).status).find(|status| *status != 503);
    assert_eq!(status, Some(200));
}

#[test]
fn one_prediction_too_many_is_sent_away_and_comes_back() {
    let place = Place::new();
    let server = place.serve(&["--max-requests", "1"]);
    let png = place.png(0);
    let mut first = server.client();
    first.send(&head(png.len())).expect("sent");
    // Until it has been admitted, others are.
    let refused = std::iter::repeat_with(|| server.predict(&PNG, &png)).find(|answer| answer.status != 200);
    let refused = refused.expect("the first one holds the only place");
    assert_refused(&refused, 503, "busy: 1 requests");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(server.ask("GET", "/healthz", &[], b"").status, 200);
    first.send(&png).expect("sent");
    assert_eq!(first.answer(false).expect("an answer").status, 200);
    assert_eq!(server.predict(&PNG, &png).status, 200);
}

#[test]
fn one_connection_too_many_is_told_so() {
    let place = Place::new();
    let server = place.serve(&["--max-connections", "1"]);
    let mut first = server.client();
    assert_eq!(first.request("GET", "/healthz", &[], b"").expect("an answer").status, 200);
    let second = server.ask("GET", "/healthz", &[], b"");
    assert_refused(&second, 503, "1 connections");
    assert_eq!((second.header("retry-after"), second.header("connection")), (Some("1"), Some("close")));
    assert_eq!(first.request("GET", "/healthz", &[], b"").expect("an answer").status, 200);
}

//! SIGTERM and Ctrl-C: what is under way is answered first.

use crate::client::message;
use crate::{PNG, Place};

#[test]
fn a_signal_lets_what_is_under_way_be_answered() {
    let place = Place::new();
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let mut server = place.serve(&[]);
        let (request, expected) =
            (message("POST", "/v1/predict", &PNG, &place.png(0)), server.predict(&PNG, &place.png(0)));
        let mut client = server.client();
        let mut idle = server.client();
        assert_eq!(idle.request("GET", "/healthz", &[], b"").expect("an answer").status, 200);
        client.send(&request[..request.len() - 50]).expect("sent");
        while server.metric("mnist_gpu_requests_in_flight") != Some(2.0) {}
        server.signal(signal);
        // The connection that waits for its next request is closed, which shows that the signal has arrived.
        assert!(idle.is_ended());
        client.send(&request[request.len() - 50..]).expect("sent");
        let answer = client.answer(false).expect("an answer");
        assert_eq!((answer.status, answer.json()), (200, expected.json()));
        assert!(client.is_ended());
        assert_eq!(server.wait().code(), Some(code));
    }
}

//! From a trained model to a server that listens, or to one clear error.

use crate::{PROGRAM, Place};
use std::net::TcpListener;
use std::process::{Command, Output};

fn serve(place: &Place, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("serve").args(arguments).env("MNIST_GPU_RUNS", place.path().join("runs"));
    command.current_dir(place.path()).output().expect("runs")
}

#[test]
fn what_cannot_be_served_is_one_error() {
    let place = Place::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    for (arguments, code, words) in [
        (&["run", "--port", &port][..], 1, &["127.0.0.1:", "cannot listen", "in use"][..]),
        (&["run", "--port", "0", "--host", "192.0.2.1"], 1, &["192.0.2.1:0", "cannot listen"]),
        (&["run", "--port", "0", "--host", "no host"], 1, &["no host:0", "cannot listen"]),
        (&["--port", "0"], 1, &["no complete run", "mnist-gpu train"]),
        (&["nowhere", "--port", "0"], 1, &["nowhere", "cannot read"]),
        (&["run", "--port", "65536"], 2, &["--port"]),
        (&["run", "--timeout", "0"], 2, &["--timeout"]),
        (&["run", "--max-images", "0"], 2, &["--max-images"]),
    ] {
        let output = serve(&place, arguments);
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{arguments:?}: {stderr}");
        assert!(words.iter().all(|word| stderr.contains(word)), "{words:?}: {stderr}");
        assert!(code == 2 || stderr.lines().count() == 1, "{stderr}");
    }
}

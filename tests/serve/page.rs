//! The page's files, and what every answer says to browsers.

use crate::{PNG, Place};
use mnist_gpu::checkpoint::Checkpoint;

#[test]
fn every_file_is_there_with_its_type_and_a_tag() {
    let place = Place::new();
    let server = place.serve(&[]);
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/site.json", "application/json"),
        ("/shaders/matmul.wgsl", "text/plain; charset=utf-8"),
        ("/data/train-images-idx3-ubyte?why=not", "application/octet-stream"),
    ] {
        let file = server.ask("GET", path, &[], b"");
        assert_eq!((file.status, file.header("content-type")), (200, Some(kind)), "{path}");
        assert_eq!(file.header("cache-control"), Some("no-cache"));
        let head = server.ask("HEAD", path, &[], b"");
        assert_eq!((head.status, head.header("content-length")), (200, Some(&*file.body.len().to_string())));
        let tag = file.header("etag").expect("a tag");
        for known in [tag, "*", &format!("\"other\", W/{tag}")] {
            let kept = server.ask("GET", path, &[("If-None-Match", known)], b"");
            assert_eq!((kept.status, kept.body.len(), kept.header("etag")), (304, 0, Some(tag)), "{known}");
        }
        assert_eq!(server.ask("GET", path, &[("If-None-Match", "\"other\"")], b"").body, file.body);
    }
    let weights = server.ask("GET", "/model.safetensors", &[], b"").body;
    let expected = std::fs::read(place.path().join("run/model.safetensors")).expect("there");
    let parse = |bytes: &[u8]| Checkpoint::parse(bytes, place.path()).expect("weights");
    assert_eq!(parse(&weights), parse(&expected));
    let images = server.ask("GET", "/data/train-images-idx3-ubyte", &[], b"").body;
    assert_eq!(images, std::fs::read(place.path().join("data/train-images-idx3-ubyte")).expect("there"));
}

#[test]
fn every_answer_tells_browsers_to_be_careful() {
    let place = Place::new();
    let server = place.serve(&[]);
    let asked = [
        server.ask("GET", "/", &[("Origin", "http://evil.test")], b""),
        server.ask("GET", "/nowhere", &[], b""),
        server.ask("OPTIONS", "/v1/predict", &[("Origin", "http://evil.test")], b""),
        server.ask("GET", "/metrics", &[], b""),
        server.predict(&PNG, &place.png(0)),
    ];
    for answer in asked {
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn health_and_metrics_are_for_programs() {
    let place = Place::new();
    let server = place.serve(&[]);
    assert_eq!(server.ask("GET", "/healthz", &[], b"").json(), serde_json::json!({ "status": "ok" }));
    server.predict(&PNG, &place.png(0));
    server.predict(&PNG, b"nothing");
    server.ask("GET", "/made-up", &[], b"");
    let metrics = server.ask("GET", "/metrics", &[], b"");
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for (sample, value) in [
        ("mnist_gpu_requests_total{path=\"/v1/predict\",status=\"200\"}", 1.0),
        ("mnist_gpu_requests_total{path=\"/v1/predict\",status=\"422\"}", 1.0),
        ("mnist_gpu_requests_total{path=\"other\",status=\"404\"}", 1.0),
        ("mnist_gpu_request_seconds_count{path=\"/v1/predict\"}", 2.0),
        ("mnist_gpu_batch_images_count", 1.0),
        ("mnist_gpu_errors_total{kind=\"client\"}", 2.0),
        ("mnist_gpu_errors_total{kind=\"server\"}", 0.0),
        ("mnist_gpu_requests_in_flight", 1.0),
    ] {
        assert_eq!(server.metric(sample), Some(value), "{sample}");
    }
}

//! What is refused, with which status, and why.

use crate::{JSON, PNG, Place, assert_refused};

#[test]
fn numbers_that_are_no_images_are_named() {
    let place = Place::new();
    let server = place.serve(&["--max-images", "2"]);
    let good = place.rows(0);
    let rows: Vec<Vec<u8>> = place.image(0).chunks(28).map(<[u8]>::to_vec).collect();
    let text = |rows: &[Vec<u8>]| serde_json::to_string(rows).expect("numbers");
    let mut ragged = rows.clone();
    ragged[7].pop();
    let mut wide = rows.clone();
    wide[27].push(1);
    let with = |number: &str| good.replacen('0', number, 1);
    for (body, status, words) in [
        (String::new(), 400, "not JSON"),
        ("[[1".into(), 400, "EOF"),
        (with("NaN"), 400, "line 1 column"),
        (with("1e999"), 400, "out of range"),
        (good.clone() + "x", 400, "trailing"),
        ("[]".into(), 422, "an empty array"),
        ("[[],[]]".into(), 422, "an empty array"),
        ("{\"image\":[]}".into(), 422, "an object"),
        ("7".into(), 422, "the number 7 within 0 arrays"),
        ("[1,2]".into(), 422, "within 1 arrays"),
        (format!("[[{good}]]"), 422, "an array within 3 arrays"),
        (format!("[{good},{}]", "[1]"), 422, "the number 1 within 2 arrays"),
        ("[".repeat(1_000_000), 422, "an array within 3 arrays"),
        (with("null"), 422, "found null"),
        (with("\"0\""), 422, "found a text"),
        (with("true"), 422, "found true"),
        (with("256"), 422, "256 in row 0, column 0"),
        (with("-1"), 422, "-1 in row 0, column 0"),
        (with("0.5"), 422, "multiplied by 255"),
        (with("99999999999999999999999"), 422, "row 0, column 0"),
        (text(&ragged), 422, "27 numbers in row 7"),
        (format!("[{good},{}]", text(&ragged)), 422, "27 numbers in row 7 of image 1"),
        (text(&wide), 422, "more than 28 numbers in row 27"),
        (text(&rows[1..]), 422, "27 rows"),
        (text(&[&rows[..], &rows[..1]].concat()), 422, "more than 28 rows"),
        (text(&vec![vec![0; 28]; 28]), 422, "blank"),
        (format!("[{good},{good},{good}]"), 413, "at most 2"),
    ] {
        assert_refused(&server.predict(&JSON, body.as_bytes()), status, words);
    }
    assert_eq!(server.predict(&JSON, good.as_bytes()).status, 200);
}

#[test]
fn pictures_that_cannot_be_read_are_refused() {
    let place = Place::new();
    let server = place.serve(&["--max-pixels", "20000"]);
    let png = place.png(0);
    let mut large = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(200, 101).write_to(&mut large, image::ImageFormat::Png).expect("memory");
    // A bomb: a header that promises four thousand million pixels.
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.to_be_bytes());
    let mut blank = std::io::Cursor::new(Vec::new());
    image::GrayImage::from_pixel(50, 50, [200].into()).write_to(&mut blank, image::ImageFormat::Png).expect("memory");
    for (body, status, words) in [
        (&b""[..], 422, "empty"),
        (b"seven", 422, "expected a PNG"),
        (&png[..png.len() / 2], 422, "damaged"),
        (large.get_ref(), 413, "200×101 pixels"),
        (&bomb, 413, "65536×65536 pixels"),
        (blank.get_ref(), 422, "blank"),
    ] {
        assert_refused(&server.predict(&PNG, body), status, words);
    }
    assert_eq!(server.predict(&PNG, &png).status, 200);
}

#[test]
fn types_methods_and_paths_are_checked() {
    let place = Place::new();
    let server = place.serve(&[]);
    let png = place.png(0);
    for (headers, found) in [
        (&[][..], "found none"),
        (&[("Content-Type", "text/plain")], "found text/plain"),
        (&[("Content-Type", "image/svg+xml")], "found image/svg+xml"),
        (&[("Content-Type", "multipart/form-data; boundary=x")], "found multipart/form-data"),
        (&[("Content-Type", "image/png"), ("Content-Encoding", "gzip")], "found gzip"),
    ] {
        assert_refused(&server.predict(headers, &png), 415, found);
    }
    for method in ["GET", "HEAD", "PUT", "OPTIONS", "DELETE"] {
        let answer = server.ask(method, "/v1/predict", &[], b"");
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
    }
    for (method, path) in [("POST", "/"), ("DELETE", "/healthz"), ("OPTIONS", "/metrics"), ("PUT", "/app.js")] {
        let answer = server.ask(method, path, &[], b"");
        assert_refused(&answer, 405, &format!("expected GET, HEAD for {path}, found {method}"));
        assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    }
    for path in [
        "/v1",
        "/v1/predict/",
        "/../Cargo.toml",
        "/%2e%2e/run/run.json",
        "//etc/passwd",
        "/data/../site.json",
        "/APP.JS",
    ] {
        assert_refused(&server.ask("GET", path, &[], b""), 404, path);
    }
    let mut client = server.client();
    client.send(b"seven\r\n\r\n").expect("sent");
    assert_eq!(client.answer(false).expect("an answer").status, 400);
    assert!(client.is_ended());
}

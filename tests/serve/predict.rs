//! Predictions: those of `predict`, alone, together, and from many clients at once.

use crate::{JSON, PNG, PROGRAM, Place, Program};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// What `predict --json` says to a picture's file.
fn predicted(place: &Place, name: &str, bytes: &[u8]) -> Value {
    fs::write(place.path().join(name), bytes).expect("written");
    let arguments = ["predict", "--device", "cpu", "--json", "--run", "run", name];
    let output = Command::new(PROGRAM).args(arguments).current_dir(place.path()).output().expect("runs");
    serde_json::from_slice(&output.stdout).expect("an object")
}

/// Label and probabilities, without what else is said.
fn said(prediction: &Value) -> Value {
    json!([prediction["label"], prediction["probabilities"]])
}

#[test]
fn a_picture_gets_the_answer_of_predict_in_every_format() {
    let place = Place::new();
    let server = place.serve(&[]);
    let picture = image::load_from_memory(&place.png(3)).expect("a picture");
    for (kind, format) in [
        ("image/png", image::ImageFormat::Png),
        ("image/jpeg", image::ImageFormat::Jpeg),
        ("image/bmp", image::ImageFormat::Bmp),
        ("image/webp", image::ImageFormat::WebP),
        ("image/gif", image::ImageFormat::Gif),
    ] {
        let mut file = std::io::Cursor::new(Vec::new());
        picture.to_rgb8().write_to(&mut file, format).expect("memory");
        let expected = predicted(&place, "picture", file.get_ref());
        for kind in [kind, "application/octet-stream", "IMAGE/PNG; name=x"] {
            let answer = server.predict(&[("Content-Type", kind)], file.get_ref());
            assert_eq!(answer.status, 200, "{answer:?}");
            let prediction = answer.json();
            assert_eq!(said(&prediction), said(&expected), "{kind}");
            assert_eq!((&prediction["model"], &prediction["device"]["backend"]), (&json!("mlp"), &json!("cpu")));
        }
    }
}

#[test]
fn weights_that_say_no_architecture_are_served_with_the_one_that_is_named() {
    let place = Place::new();
    let (path, weights) =
        (place.path().join("plain.safetensors"), fs::read(place.path().join("run/model.safetensors")));
    let weights = weights.expect("the run has them");
    // The length of the header, the header, the numbers.
    let (len, rest) = weights.split_first_chunk().expect("a length");
    let (header, numbers) = rest.split_at(u64::from_le_bytes(*len) as usize);
    let mut header: Value = serde_json::from_slice(header).expect("JSON");
    assert!(header.as_object_mut().expect("an object").remove("__metadata__").is_some());
    let header = header.to_string();
    fs::write(&path, [&(header.len() as u64).to_le_bytes(), header.as_bytes(), numbers].concat()).expect("written");

    // How pixels are normalised, such weights do not say either: it is taken from the data.
    let data = place.path().join("data");
    let options = ["--model", "mlp", "--data-dir", data.to_str().expect("UTF-8")];
    let [plain, named] = [Program::start(PROGRAM, &path, &options), place.serve(&[])];
    let answers = [plain, named].map(|server| server.predict(&PNG, &place.png(3)).json());
    assert_eq!(answers[0]["model"], json!("mlp"));
    assert_eq!(said(&answers[0]), said(&answers[1]));
    for arguments in [&[][..], &["--model", "linear"]] {
        let output = Command::new(PROGRAM).arg("serve").arg(&path).args(["--port", "0"]).args(arguments).output();
        let output = output.expect("runs");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
        assert!(stderr.contains("plain.safetensors"), "{stderr}");
    }
}

#[test]
fn numbers_go_to_the_network_as_they_are_alone_and_together() {
    let place = Place::new();
    let server = place.serve(&[]);
    let all: Vec<String> = (0..place.test.len()).map(|number| place.rows(number)).collect();
    let together = server.predict(&JSON, format!("[{}]", all.join(",")).as_bytes()).json();
    let together = together.as_array().expect("an answer for each");
    assert_eq!(together.len(), all.len());
    let right = together.iter().zip(&place.test.labels).filter(|(answer, label)| answer["label"] == label.to_string());
    assert!(right.count() >= 75, "a network that was trained on 2,000 images knows some nine in ten");
    for (rows, expected) in all.iter().zip(together).take(20) {
        assert_eq!(server.predict(&JSON, rows.as_bytes()).json(), *expected);
    }
    // Floats that are whole are whole numbers; one image within an array gets an array.
    let floats = format!("[{}]", all[0].replace(',', ".0,").replace("].0,", "],"));
    assert_eq!(server.predict(&JSON, floats.as_bytes()).json(), json!([together[0]]));
}

#[test]
fn many_clients_at_once_each_get_their_own_answer() {
    const CLIENTS: usize = 16;
    let place = Place::new();
    let server = place.serve(&[]);
    let bodies: Vec<_> =
        (0..20).map(|n| if n % 2 == 0 { (JSON, place.rows(n).into_bytes()) } else { (PNG, place.png(n)) }).collect();
    let serial: Vec<Value> = bodies.iter().map(|(kind, body)| server.predict(kind, body).json()).collect();
    std::thread::scope(|scope| {
        for first in 0..CLIENTS {
            let (server, bodies, serial): (&Program, _, _) = (&server, &bodies, &serial);
            scope.spawn(move || {
                // One connection for all of a client's requests.
                let mut client = server.client();
                for turn in 0..40 {
                    let number = (first * 7 + turn) % bodies.len();
                    let (kind, body) = &bodies[number];
                    let answer = client.request("POST", "/v1/predict", kind, body).expect("an answer");
                    assert_eq!((answer.status, answer.json()), (200, serial[number].clone()));
                }
            });
        }
    });
    let asked = (CLIENTS * 40 + bodies.len()) as f64;
    assert_eq!(server.metric("mnist_gpu_requests_total{path=\"/v1/predict\",status=\"200\"}"), Some(asked));
    assert_eq!(server.metric("mnist_gpu_batch_images_sum"), Some(asked));
    assert!(server.metric("mnist_gpu_batch_images_count") <= Some(asked));
}

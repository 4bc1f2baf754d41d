//! Weights' files: what was saved comes back; whatever else is in a file is an error that says what, and never a panic.

use mnist_gpu::Error;
use mnist_gpu::checkpoint::{Checkpoint, Metadata, Parameters};
use mnist_gpu::data::{Dataset, Split};
use mnist_gpu::model::{Layer, ModelSpec, defaults};
use proptest::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const KEY: &str = "mnist-gpu";

/// 8×9 pixels, two layers, three classes.
fn sound() -> Checkpoint {
    let split = |value: u8| Split { images: (0..3 * 72).map(|i| (i as u8) ^ value).collect(), labels: vec![0, 1, 2] };
    let classes = ["cat", "dog", "fox"].map(String::from).into();
    let data = Dataset::from_splits("animals", [8, 9], classes, split(0), split(9)).expect("a data set");
    let layers = vec![Layer::Linear { outputs: 5 }, Layer::Relu, Layer::Linear { outputs: 3 }];
    let metadata = Metadata::new(&defaults(ModelSpec { name: "small".into(), layers }), &data);
    let numbers = |count: usize| (0..count).map(|i| i as f32 / 7.0 - 9.5).collect();
    let lengths = [("fc1.bias", 5), ("fc1.weight", 5 * 72), ("fc2.bias", 3), ("fc2.weight", 15)];
    let parameters: Parameters = lengths.into_iter().map(|(name, len)| (name.into(), numbers(len))).collect();
    Checkpoint { metadata, parameters }
}

fn saved() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    sound().save(&path).expect("saved");
    std::fs::read(&path).expect("read")
}

fn parse(bytes: &[u8]) -> Result<Checkpoint, Error> {
    Checkpoint::parse(bytes, Path::new("some/model.safetensors"))
}

/// The message for a file that must not be read; it names the file.
fn refusal(bytes: &[u8]) -> String {
    let error = parse(bytes).expect_err("the file must be refused");
    assert!(matches!(error, Error::Format { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("some/model.safetensors: "), "{text}");
    text
}

/// Type, shape and bytes of a tensor.
type Raw = (Dtype, Vec<usize>, Vec<u8>);
type Tensors = BTreeMap<String, Raw>;
/// What is done to them.
type Change = fn(&mut Tensors);

/// The saved file, taken apart, changed and put together again.
fn changed(change: impl FnOnce(&mut Value, &mut Tensors)) -> Vec<u8> {
    let bytes = saved();
    let (_, header) = SafeTensors::read_metadata(&bytes).expect("a header");
    let mut metadata = serde_json::from_str(&header.metadata().as_ref().expect("metadata")[KEY]).expect("JSON");
    let file = SafeTensors::deserialize(&bytes).expect("tensors");
    let tensor = |name: String, view: TensorView| (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec()));
    let mut tensors = file.tensors().into_iter().map(|(name, view)| tensor(name, view)).collect();
    change(&mut metadata, &mut tensors);
    together(&tensors, Some(HashMap::from([(KEY.into(), metadata.to_string())])))
}

fn together(tensors: &Tensors, metadata: Option<HashMap<String, String>>) -> Vec<u8> {
    let views = tensors.iter().map(|(name, (dtype, shape, bytes))| {
        (name, TensorView::new(*dtype, shape.clone(), bytes).expect("as long as its shape"))
    });
    safetensors::serialize(views, metadata).expect("a file")
}

#[test]
fn what_was_saved_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    let checkpoint = sound();
    checkpoint.save(&path).expect("saved");
    assert_eq!(Checkpoint::load(&path).expect("loaded"), checkpoint);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "a temporary file was left");
    assert_eq!(saved(), std::fs::read(&path).expect("read"), "equal checkpoints must give equal bytes");
    assert_eq!(parse(&changed(|_, _| ())).expect("unchanged"), checkpoint);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("none").join("model.safetensors");
    for error in [Checkpoint::load(&path).expect_err("no file"), sound().save(&path).expect_err("no folder")] {
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
        assert!(error.to_string().contains("none"), "{error}");
    }
}

#[test]
fn every_truncation_is_refused() {
    let bytes = saved();
    for end in 0..bytes.len() {
        assert!(refusal(&bytes[..end]).contains("not a whole safetensors file"), "{end} bytes");
    }
    refusal(&[&bytes[..], &[0]].concat());
}

#[test]
fn a_huge_header_is_refused() {
    let bytes = saved();
    for length in [u64::MAX, 1 << 63, 1 << 40, 100_000_001, bytes.len() as u64 - 7, 0] {
        let header = [&length.to_le_bytes(), &bytes[8..]].concat();
        assert!(refusal(&header).contains("not a whole safetensors file"), "a header of {length} bytes");
    }
}

#[test]
fn tensors_must_be_those_of_the_model() {
    let of = |len: usize| (Dtype::F32, vec![len], vec![0; 4 * len]);
    let cases: [(&str, Change); 5] = [
        ("lacks the tensor \"fc1.bias\" of the model small", |tensors| drop(tensors.remove("fc1.bias"))),
        ("has a tensor \"fc3.bias\" that the model small lacks", |tensors| {
            tensors.insert("fc3.bias".into(), (Dtype::F32, vec![1], vec![0; 4]));
        }),
        ("\"fc2.weight\" must be F32 [3, 5], but is F32 [5, 3]", |tensors| {
            tensors.get_mut("fc2.weight").expect("it is there").1 = vec![5, 3];
        }),
        ("\"fc2.bias\" must be F32 [3], but is I32 [3]", |tensors| {
            tensors.get_mut("fc2.bias").expect("it is there").0 = Dtype::I32;
        }),
        ("lacks the tensor", Tensors::clear),
    ];
    for (problem, change) in cases {
        let text = refusal(&changed(|_, tensors| change(tensors)));
        assert!(text.contains(problem), "{text}");
    }
    let text = refusal(&changed(|_, tensors| drop(tensors.insert("fc1.bias".into(), of(6)))));
    assert!(text.contains("\"fc1.bias\" must be F32 [5], but is F32 [6]"), "{text}");
}

#[test]
fn numbers_must_be_finite() {
    for (value, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let text = refusal(&changed(|_, tensors| {
            tensors.get_mut("fc1.weight").expect("it is there").2[4 * 71..][..4].copy_from_slice(&value.to_le_bytes());
        }));
        assert!(text.contains(&format!("\"fc1.weight\" has {name} at element 71")), "{text}");
    }
}

#[test]
fn a_file_without_our_metadata_says_so() {
    let mut tensors = Tensors::new();
    changed(|_, all| tensors = all.clone());
    for metadata in [None, Some(HashMap::from([("format".to_string(), "pt".to_string())]))] {
        let text = refusal(&together(&tensors, metadata));
        assert!(text.contains("its architecture is unknown"), "{text}");
    }
    for broken in ["", "{", "[]", "null", "{\"format\": 1}", "{\"format\": -1}"] {
        let text = refusal(&together(&tensors, Some(HashMap::from([(KEY.into(), broken.into())]))));
        assert!(text.contains("its metadata cannot be read"), "{text}");
    }
}

#[test]
fn metadata_must_fit_together() {
    let linear = |outputs: u64| json!({ "linear": { "outputs": outputs } });
    let conv = |channels: u32, size: u32| json!({ "conv2d": { "channels": channels, "kernel": [size, size] } });
    let cases = [
        ("/format", json!(2), "its metadata has format 2, this version reads 1"),
        ("/height", json!(9), "\"fc1.weight\" must be F32 [5, 81]"),
        ("/height", json!(0), "expected image sides of 8 to 64 pixels, found 0×9"),
        ("/width", json!(u32::MAX), "expected image sides of 8 to 64 pixels, found 8×4294967295"),
        ("/width", json!(1_u64 << 32), "cannot be read"),
        ("/classes", json!([]), "expected 2 to 256 classes, found 0"),
        ("/classes", json!(["cat", "dog"]), "the last layer has 3 outputs, but the data has 2 classes"),
        ("/std", json!(0.0), "its normalisation is unusable"),
        ("/std", json!(-0.5), "its normalisation is unusable"),
        ("/mean", json!(1e300), "its normalisation is unusable"),
        ("/model/layers", json!([]), "the last layer must be linear"),
        ("/model/layers", json!(["relu", linear(3)]), "layer 1 of 2 (relu) does not fit"),
        ("/model/layers", json!([linear(262_141), linear(3)]), "outputs must be 1 to 262140, not 262141"),
        ("/model/layers", json!([linear(0), linear(3)]), "outputs must be 1 to 262140, not 0"),
        ("/model/layers", json!([conv(1, 10), linear(3)]), "layer 1 of 2 (conv2d) does not fit"),
        ("/model/layers", json!([conv(0, 3), linear(3)]), "channels must be 1 to 4096, not 0"),
        ("/model/layers", json!([conv(1, u32::MAX), linear(3)]), "kernel and stride must be 1 to 64"),
        ("/model/layers", json!([{ "dropout": { "rate": 1.0 } }, linear(3)]), "below 1, not 1"),
        ("/model/layers", json!([{ "max_pool": { "size": [2, 2] } }, linear(3)]), "it must follow a convolution"),
        ("/model/layers", json!([linear(3)]), "has a tensor"),
        ("/model/layers", json!(["tanh"]), "cannot be read"),
    ];
    for (place, value, problem) in cases {
        let text = refusal(&changed(|metadata, _| *metadata.pointer_mut(place).expect("it is there") = value));
        assert!(text.contains(problem), "{place}: {text}");
    }
    // What another format has instead of a model is not looked at.
    let text = refusal(&changed(|metadata, _| *metadata = json!({ "format": 2, "network": [] })));
    assert!(text.contains("its metadata has format 2"), "{text}");
}

/// Where a file is read at all, it is as sound as one that was saved.
fn parse_or_refuse(bytes: &[u8]) {
    match parse(bytes) {
        Err(error) => assert!(matches!(error, Error::Format { .. }), "{error:?}"),
        Ok(checkpoint) => {
            assert!(checkpoint.parameters.values().flatten().all(|value| value.is_finite()));
            let lengths: Vec<usize> = checkpoint.parameters.values().map(Vec::len).collect();
            assert_eq!(lengths, [5, 360, 3, 15]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]
    #[test]
    fn mutated_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), in_header: bool) {
        let mut bytes = saved();
        let end = if in_header { 8 + u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize } else { bytes.len() };
        for (index, value) in changes {
            bytes[index.index(end)] = value;
        }
        parse_or_refuse(&bytes);
    }

    /// Digits for digits: the header stays JSON, and numbers in it change.
    #[test]
    fn other_numbers_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), b'0'..=b'9'), 1..6)) {
        let mut bytes = saved();
        let end = 8 + u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
        let digits: Vec<usize> = (8..end).filter(|&i| bytes[i].is_ascii_digit()).collect();
        for (index, digit) in changes {
            bytes[digits[index.index(digits.len())]] = digit;
        }
        parse_or_refuse(&bytes);
    }

    #[test]
    fn any_bytes_never_panic(header in prop::collection::vec(any::<u8>(), 0..200)) {
        refusal(&header);
        refusal(&[&(header.len() as u64).to_le_bytes(), &header[..]].concat());
    }
}

//! Models as data: what becomes of an image's shape in the presets, what a list of layers must not be, and the JSON that
//! states a model.

use mnist_gpu::model::{Layer, ModelSpec, PRESETS, Shape, Stage, preset};

fn model(layers: &[Layer]) -> ModelSpec {
    ModelSpec { name: "test".into(), layers: layers.to_vec() }
}

/// The stages of a preset with what comes out of each, as `conv1 24×12×12`; or the error.
fn stages(name: &str, [height, width]: [u32; 2], classes: u32) -> Result<Vec<String>, String> {
    let model = preset(name, classes).expect("a preset");
    let stages = model.stages(Shape::picture(height, width), classes).map_err(|error| error.to_string())?;
    Ok(stages.iter().map(|stage| format!("{} {}", stage.name(), stage.output())).collect())
}

#[test]
fn presets_on_mnist() {
    let all = [
        ("linear", &["fc1 10"][..], 7_850),
        ("mlp", &["fc1 128", "fc2 10"], 101_770),
        ("cnn", &["conv1 24×12×12", "conv2 32×5×5", "fc1 256", "fc2 10"], 215_194),
        ("lenet", &["conv1 16×14×14", "conv2 32×7×7", "fc1 10"], 28_938),
        (
            "convnet",
            &["conv1 32×26×26", "conv2 64×12×12", "dropout1 64×12×12", "fc1 128", "dropout2 128", "fc2 10"],
            1_199_882,
        ),
    ];
    assert_eq!(all.map(|(name, ..)| name), PRESETS);
    for (name, expected, parameters) in all {
        assert_eq!(stages(name, [28, 28], 10).expect("it fits"), expected, "{name}");
        let stages = preset(name, 10).expect("a preset").stages(Shape::picture(28, 28), 10).expect("it fits");
        let shapes = stages.iter().flat_map(Stage::parameters).map(|(_, shape, _)| shape);
        assert_eq!(shapes.map(|shape| shape.iter().product::<u32>()).sum::<u32>(), parameters, "{name}");
    }
}

#[test]
fn presets_on_small_images() {
    let error = stages("cnn", [8, 8], 10).expect_err("its second kernel is larger than what is left");
    assert_eq!(
        error,
        "model cnn, layer 4 of 9 (conv2d) does not fit its input of 24×2×2: its window is larger than that"
    );
    assert_eq!(stages("lenet", [8, 8], 47).expect("it fits"), ["conv1 16×4×4", "conv2 32×2×2", "fc1 47"]);
    assert!(stages("convnet", [8, 8], 10).expect("it fits").contains(&"conv2 64×2×2".into()));
    for name in PRESETS {
        assert_eq!(stages(name, [1, 1], 2).is_ok(), ["linear", "mlp"].contains(&name), "{name}");
    }
    let error = stages("lenet", [2, 2], 10).expect_err("nothing is left to pool");
    assert!(error.starts_with("model lenet, layer 6 of 7 (max_pool) does not fit its input of 32:"), "{error}");
}

#[test]
fn presets_on_oblong_images() {
    assert_eq!(stages("cnn", [20, 32], 3).expect("it fits")[..2], ["conv1 24×8×14", "conv2 32×3×6"]);
    assert_eq!(stages("lenet", [20, 32], 3).expect("it fits"), ["conv1 16×10×16", "conv2 32×5×8", "fc1 3"]);
    let convnet = stages("convnet", [20, 32], 3).expect("it fits");
    assert_eq!([&convnet[0], &convnet[1], &convnet[5]], ["conv1 32×18×30", "conv2 64×8×14", "fc2 3"]);
}

const fn conv(kernel: [u32; 2], stride: [u32; 2], padding: [u32; 2]) -> Layer {
    Layer::Conv2d { channels: 2, kernel, stride, padding }
}

const CONV: Layer = conv([3, 3], [1, 1], [0, 0]);
const POOL: Layer = Layer::MaxPool { size: [2, 2], stride: None };
const LINEAR: Layer = Layer::Linear { outputs: 4 };
const LAST: Layer = Layer::Linear { outputs: 3 };

#[test]
fn layers_that_do_not_fit_are_named() {
    let dropout = |rate| Layer::Dropout { rate };
    let refused: [(&[Layer], &str); 26] = [
        (&[], "the last layer must be linear"),
        (&[CONV], "the last layer must be linear"),
        (&[LAST, Layer::Relu], "the last layer must be linear"),
        (&[LAST, dropout(0.5)], "the last layer must be linear"),
        (&[LINEAR], "the last layer has 4 outputs, but the data has 3 classes"),
        (&[Layer::Relu, LAST], "layer 1 of 2 (relu) does not fit its input of 1×6×7: it must follow a linear layer"),
        (&[LINEAR, Layer::Relu, Layer::Relu, LAST], "layer 3 of 4 (relu)"),
        (&[CONV, POOL, Layer::Relu, LAST], "layer 3 of 4 (relu) does not fit its input of 2×2×2"),
        (&[CONV, dropout(0.5), Layer::Relu, LAST], "layer 3 of 4 (relu)"),
        (&[POOL, LAST], "layer 1 of 2 (max_pool) does not fit its input of 1×6×7: it must follow a convolution"),
        (&[CONV, POOL, POOL, LAST], "layer 3 of 4 (max_pool)"),
        (&[CONV, dropout(0.5), POOL, LAST], "layer 3 of 4 (max_pool) does not fit its input of 2×4×5: it must follow"),
        (&[LINEAR, POOL, LAST], "layer 2 of 3 (max_pool) does not fit its input of 4"),
        (&[LINEAR, CONV, LAST], "layer 2 of 3 (conv2d) does not fit its input of 4: a linear layer leaves no picture"),
        (&[LINEAR, dropout(0.5), conv([1, 1], [1, 1], [0, 0]), LAST], "layer 3 of 4 (conv2d)"),
        (&[conv([7, 3], [1, 1], [0, 0]), LAST], "layer 1 of 2 (conv2d) does not fit its input of 1×6×7: its window"),
        (&[conv([3, 3], [0, 1], [0, 0]), LAST], "kernel and stride must be 1 to 64, not 0"),
        (&[conv([3, 0], [1, 1], [0, 0]), LAST], "kernel and stride must be 1 to 64, not 0"),
        (&[conv([65, 3], [1, 1], [60, 0]), LAST], "kernel and stride must be 1 to 64, not 65"),
        (&[conv([3, 3], [1, 1], [3, 0]), LAST], "a padding of [3, 0] is not smaller than the kernel of [3, 3]"),
        (&[conv([3, 3], [1, 1], [0, u32::MAX]), LAST], "a padding of [0, 4294967295] is not smaller"),
        (&[CONV, Layer::MaxPool { size: [5, 5], stride: None }, LAST], "layer 2 of 3 (max_pool)"),
        (
            &[CONV, Layer::MaxPool { size: [2, 2], stride: Some([0, 1]) }, LAST],
            "size and stride must be 1 to 64, not 0",
        ),
        (&[dropout(1.0), LAST], "layer 1 of 2 (dropout) does not fit its input of 1×6×7: the rate must be at least 0"),
        (&[dropout(f32::NAN), LAST], "the rate must be at least 0 and below 1, not NaN"),
        (&[Layer::Linear { outputs: 0 }, LAST], "outputs must be 1 to 262140, not 0"),
    ];
    for (layers, problem) in refused {
        let error = model(layers).stages(Shape::picture(6, 7), 3).expect_err(problem).to_string();
        assert!(error.starts_with("model test") && error.contains(problem), "expected {problem:?}: {error}");
    }
    let channels = |channels| Layer::Conv2d { channels, kernel: [1, 1], stride: [1, 1], padding: [0, 0] };
    let error = |layers: &[Layer]| model(layers).stages(Shape::picture(28, 28), 3).expect_err("too many").to_string();
    assert!(error(&[channels(4097), LAST]).contains("channels must be 1 to 4096, not 4097"));
    assert!(error(&[channels(4096), LAST]).contains("it puts out 4096×28×28, more than 1048576 numbers"));
    let wide = model(&[channels(256), LAST]).stages(Shape::picture(64, 64), 3).expect_err("too wide").to_string();
    assert!(wide.contains("inputs must be 1 to 1048560, not 1048576"), "{wide}");
}

#[test]
fn layers_that_fit_become_stages() {
    let layers = [
        Layer::Dropout { rate: 0.0 },
        conv([2, 3], [2, 1], [1, 2]),
        Layer::MaxPool { size: [3, 2], stride: Some([1, 2]) },
        Layer::Dropout { rate: 0.5 },
        CONV,
        Layer::Relu,
        LINEAR,
        LAST,
    ];
    let stages = model(&layers).stages(Shape::picture(9, 8), 3).expect("they fit");
    let shapes: Vec<String> = stages.iter().map(|stage| format!("{} {}", stage.name(), stage.output())).collect();
    assert_eq!(shapes, ["dropout1 1×9×8", "conv1 2×3×5", "dropout2 2×3×5", "conv2 2×1×3", "fc1 4", "fc2 3"],);
    let Stage::Conv(first) = &stages[1] else { panic!("a convolution") };
    assert!(!first.relu && first.geometry.pool == [3, 2] && first.geometry.pool_stride == [1, 2]);
    let Stage::Conv(second) = &stages[3] else { panic!("a convolution") };
    assert!(second.relu && second.geometry.pool == [1, 1] && second.input == first.output);
}

#[test]
fn a_model_is_json() {
    let strange = model(&[conv([2, 3], [2, 1], [1, 2]), Layer::MaxPool { size: [3, 2], stride: Some([1, 2]) }, LAST]);
    for model in PRESETS.into_iter().map(|name| preset(name, 7).expect("a preset")).chain([strange]) {
        let json = serde_json::to_string(&model).expect("JSON");
        assert_eq!(serde_json::from_str::<ModelSpec>(&json).expect("a model"), model, "{json}");
    }
    let brief = r#"{"name": "test", "layers": [{"conv2d": {"channels": 2, "kernel": [3, 3]}}, "relu",
        {"max_pool": {"size": [2, 2]}}, {"dropout": {"rate": 0.25}}, {"linear": {"outputs": 3}}]}"#;
    let expected = model(&[CONV, Layer::Relu, POOL, Layer::Dropout { rate: 0.25 }, LAST]);
    assert_eq!(serde_json::from_str::<ModelSpec>(brief).expect("a model"), expected);
}

#[test]
fn json_that_is_no_model_is_refused() {
    let layers = |layers: &str| format!(r#"{{"name": "test", "layers": [{layers}]}}"#);
    let refused = [
        (r#"{"layers": []}"#.into(), "missing field `name`"),
        (r#"{"name": "test", "layers": [], "size": 3}"#.into(), "unknown field `size`"),
        (layers(r#"{"linear": {"outputs": 3, "bias": true}}"#), "unknown field `bias`"),
        (layers(r#"{"conv2d": {"channels": 2, "kernel": [3, 3], "dilation": [1, 1]}}"#), "unknown field `dilation`"),
        (layers(r#"{"conv2d": {"channels": 2}}"#), "missing field `kernel`"),
        (layers(r#"{"conv2d": {"channels": 2, "kernel": 3}}"#), "invalid type: integer `3`"),
        (layers(r#"{"conv2d": {"channels": -2, "kernel": [3, 3]}}"#), "invalid value: integer `-2`"),
        (layers(r#"{"avg_pool": {"size": [2, 2]}}"#), "unknown variant `avg_pool`"),
        (layers(r#"{"dropout": {}}"#), "missing field `rate`"),
    ];
    for (json, problem) in refused {
        let error = serde_json::from_str::<ModelSpec>(&json).expect_err(problem).to_string();
        assert!(error.contains(problem), "expected {problem:?}: {error}");
    }
}

//! Other data than MNIST: sizes of images and numbers of classes that nothing is tuned for.

use crate::devices::cpu;
use crate::{config, on_all, trained};
use mnist_gpu::config::TrainConfig;
use mnist_gpu::data::{Dataset, Split};
use mnist_gpu::device::Device;
use mnist_gpu::model::{Layer, PRESETS, Shape, preset};
use mnist_gpu::random::threefry;

/// A class is a pattern of light and dark pixels; an image has a tenth of them the other way round.
fn patterns([height, width]: [u32; 2], classes: usize, train: usize, test: usize) -> Dataset {
    let pixels = height * width;
    let split = |first: u32, count: usize| {
        let labels: Vec<u8> = (0..count).map(|i| (i % classes) as u8).collect();
        let image = |(number, &label): (u32, &u8)| -> Vec<u8> {
            let light = |pixel| threefry([1, u32::from(label)], [pixel, 0])[0] % 2 == 1;
            let turned = |pixel| threefry([2, number], [pixel, 0])[0].is_multiple_of(10);
            (0..pixels).map(|pixel| if light(pixel) == turned(pixel) { 20 } else { 200 }).collect()
        };
        Split { images: (first..).zip(&labels).flat_map(image).collect(), labels }
    };
    let names = (0..classes).map(|class| format!("pattern {class}")).collect();
    let (train, test) = (split(0, train), split(1 << 20, test));
    Dataset::from_splits("patterns", [height, width], names, train, test).expect("a data set")
}

/// Trains on patterns, then evaluates the trained model from its checkpoint.
fn learns(device: &dyn Device, model: &str, data: &Dataset, epochs: u32) {
    // Convolutions at a constant rate of 0.01 end with nothing but dead units now and then.
    let learning_rate = if ["linear", "mlp"].contains(&model) { 1e-2 } else { 2e-3 };
    let config = TrainConfig { learning_rate, ..config(model, data.classes.len(), epochs) };
    let run = trained(device, data, &config);
    let (first, last) = (&run.rows[0], run.last());
    println!("{model} on {}: {:.3}, then {:.3}", device.info(), first.test_accuracy, last.test_accuracy);
    assert!(first.test_accuracy < 0.7, "{model}: {first:?}");
    assert!(last.test_accuracy >= 0.95, "{model}: {last:?}");

    let count = data.test.len();
    let found = run.evaluated(device, data, &config);
    assert!((found.accuracy - last.test_accuracy).abs() < 1e-9, "{model}: {} {last:?}", found.accuracy);
    // The mean of losses of f32, which are off by 10⁻⁵ at most.
    assert!((found.loss - last.test_loss).abs() < 1e-5 + 1e-5 * found.loss, "{model}: {} {last:?}", found.loss);
    let images: u32 = found.confusion.iter().flatten().sum();
    assert_eq!((images as usize, found.per_class.len()), (count, data.classes.len()));
    let correct: u32 = (0..data.classes.len()).map(|class| found.confusion[class][class]).sum();
    assert!((f64::from(correct) / count as f64 - found.accuracy).abs() < 1e-9);
}

/// The presets with convolutions that images of this size fit.
fn convolutional([height, width]: [u32; 2]) -> Vec<&'static str> {
    let fits = |name: &&str| {
        let model = preset(name, 3).expect("a preset");
        let convolutional = matches!(model.layers[0], Layer::Conv2d { .. });
        convolutional && model.stages(Shape::picture(height, width), 3).is_ok()
    };
    PRESETS.into_iter().filter(fits).collect()
}

#[test]
fn small_images_of_47_classes() {
    let data = patterns([8, 8], 47, 47 * 20, 47 * 6 + 1);
    on_all(|device| ["linear", "mlp"].iter().for_each(|model| learns(device, model, &data, 12)));
    assert_eq!(convolutional([8, 8]), ["lenet", "convnet"]);
    learns(&cpu(2), "lenet", &data, 12);
}

#[test]
fn small_images_of_three_classes() {
    let data = patterns([8, 8], 3, 300, 99);
    // More weights in a layer than a uniform has room for, dropout, and convolutions with a pool and without.
    on_all(|device| learns(device, "convnet", &data, 6));
    learns(&cpu(2), "lenet", &data, 6);
}

#[test]
fn oblong_images_of_three_classes() {
    let data = patterns([20, 32], 3, 200, 77);
    on_all(|device| ["linear", "mlp"].iter().for_each(|model| learns(device, model, &data, 4)));
    assert_eq!(convolutional([20, 32]), ["cnn", "lenet", "convnet"]);
    for model in convolutional([20, 32]) {
        learns(&cpu(2), model, &data, 6);
    }
}

#[test]
fn middling_images_of_47_classes() {
    let data = patterns([20, 20], 47, 47 * 16, 47 * 4);
    assert_eq!(convolutional([20, 20]), ["cnn", "lenet", "convnet"]);
    for model in convolutional([20, 20]) {
        learns(&cpu(2), model, &data, 8);
    }
}

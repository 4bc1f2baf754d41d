//! A whole network: mean loss and every gradient of a batch, layer by layer.

use super::{conv::Conv, linear, pool::MaxPool, random, softmax};

/// One layer; shapes follow from what comes in.
#[derive(Clone, Copy, Debug)]
pub enum Layer {
    /// Output channels, k of a k × k kernel, padding on all sides; stride 1.
    Conv(usize, usize, usize),
    /// max(x, 0).
    Relu,
    /// k × k windows at steps of k.
    MaxPool(usize),
    /// The probability of a zero.
    Dropout(f64),
    /// Output features; the input is taken as one row per image.
    Linear(usize),
}

/// A network on images of `input` channels, rows and columns.
#[derive(Clone, Debug)]
pub struct Network {
    /// Channels, rows and columns of an image.
    pub input: [usize; 3],
    /// In the order of the forward pass.
    pub layers: Vec<Layer>,
    /// Of initial weights and masks.
    pub seed: u32,
}

/// The name, length and fan-in of a parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// `conv1.weight`, `conv1.bias`, `fc1.weight`, ...; each kind of layer is counted from 1.
    pub name: String,
    /// Elements.
    pub len: usize,
    /// Inputs of one output: initial values are uniform within ±1/√`fan_in`, those of the bias too.
    pub fan_in: usize,
}

impl Network {
    /// The network of that name on 28 × 28 images.
    pub fn preset(name: &str, seed: u32) -> Self {
        use Layer::{Conv, Dropout, Linear, MaxPool, Relu};
        let layers = match name {
            "linear" => vec![Linear(10)],
            "mlp" => vec![Linear(128), Relu, Linear(10)],
            "cnn" => {
                let convolutions = vec![Conv(24, 5, 0), Relu, MaxPool(2), Conv(32, 3, 0), Relu, MaxPool(2)];
                [convolutions, vec![Linear(256), Relu, Linear(10)]].concat()
            }
            "lenet" => vec![Conv(16, 5, 2), Relu, MaxPool(2), Conv(32, 5, 2), Relu, MaxPool(2), Linear(10)],
            "convnet" => {
                let convolutions = vec![Conv(32, 3, 0), Relu, Conv(64, 3, 0), Relu, MaxPool(2), Dropout(0.25)];
                [convolutions, vec![Linear(128), Relu, Dropout(0.5), Linear(10)]].concat()
            }
            _ => panic!("no model {name}"),
        };
        Self { input: [1, 28, 28], layers, seed }
    }

    /// The channels, rows and columns that come into each layer, and at last the logits'.
    fn shapes(&self) -> Vec<[usize; 3]> {
        let mut shapes = vec![self.input];
        for &layer in &self.layers {
            let shape = shapes[shapes.len() - 1];
            shapes.push(match layer {
                Layer::Conv(outputs, ..) => {
                    let [h, w] = convolution(layer, 1, shape).output();
                    [outputs, h, w]
                }
                Layer::MaxPool(k) => {
                    let [h, w] = pool(k, 1, shape).output();
                    [shape[0], h, w]
                }
                Layer::Linear(outputs) => [outputs, 1, 1],
                Layer::Relu | Layer::Dropout(_) => shape,
            });
        }
        shapes
    }

    /// The parameters in the order of the layers, each weight before its bias.
    pub fn parameters(&self) -> Vec<Parameter> {
        let (mut result, mut convs, mut fcs) = (Vec::new(), 0, 0);
        for (&layer, shape) in self.layers.iter().zip(self.shapes()) {
            let (name, outputs, fan_in) = match layer {
                Layer::Conv(outputs, k, _) => {
                    convs += 1;
                    (format!("conv{convs}"), outputs, shape[0] * k * k)
                }
                Layer::Linear(outputs) => {
                    fcs += 1;
                    (format!("fc{fcs}"), outputs, shape.iter().product())
                }
                _ => continue,
            };
            result.push(Parameter { name: format!("{name}.weight"), len: outputs * fan_in, fan_in });
            result.push(Parameter { name: format!("{name}.bias"), len: outputs, fan_in });
        }
        result
    }

    /// Initial values; the streams of random numbers are counted in the order of the parameters.
    pub fn initial(&self) -> Vec<Vec<f64>> {
        let bound = |fan_in: usize| (1.0 / (fan_in as f64).sqrt()) as f32;
        let parameters = self.parameters().into_iter().enumerate();
        parameters.map(|(i, p)| random::init_uniform(self.seed, i as u32, bound(p.fan_in), p.len)).collect()
    }

    /// What comes into each layer in step `step`, and at last the logits; `x [n, c, h, w]`.
    fn forward(&self, parameters: &[Vec<f64>], x: &[f64], step: u32) -> Vec<Vec<f64>> {
        let n = x.len() / self.input.iter().product::<usize>();
        let (mut values, mut next, mut dropouts) = (vec![x.to_vec()], parameters.iter(), 0);
        for (&layer, shape) in self.layers.iter().zip(self.shapes()) {
            let x = &values[values.len() - 1];
            let y = match layer {
                Layer::Conv(..) => {
                    convolution(layer, n, shape).forward(x, next.next().expect("weights"), next.next().expect("bias"))
                }
                Layer::Relu => linear::relu(x),
                Layer::MaxPool(k) => pool(k, n, shape).forward(x).0,
                Layer::Dropout(p) => {
                    dropouts += 1;
                    multiply(x, &random::dropout_mask(self.seed, dropouts - 1, step, p, x.len()))
                }
                Layer::Linear(outputs) => {
                    let product = linear::matmul_nt(n, outputs, x.len() / n, x, next.next().expect("weights"));
                    linear::add_bias(&product, next.next().expect("bias"))
                }
            };
            values.push(y);
        }
        values
    }

    /// The mean loss of a batch in step `step`.
    pub fn loss(&self, parameters: &[Vec<f64>], x: &[f64], labels: &[u8], step: u32) -> f64 {
        let values = self.forward(parameters, x, step);
        let logits = &values[values.len() - 1];
        softmax::softmax_nll(logits.len() / labels.len(), logits, labels, labels.len()).loss / labels.len() as f64
    }

    /// The mean loss and its gradients by the parameters, in their order.
    pub fn gradients(&self, parameters: &[Vec<f64>], x: &[f64], labels: &[u8], step: u32) -> (f64, Vec<Vec<f64>>) {
        let (n, values, shapes) = (labels.len(), self.forward(parameters, x, step), self.shapes());
        let logits = &values[values.len() - 1];
        let end = softmax::softmax_nll(logits.len() / n, logits, labels, n);
        let (mut gradient, mut result) = (end.gradient, Vec::new());
        let mut next = parameters.chunks(2).rev();
        let mut dropouts = self.layers.iter().filter(|layer| matches!(layer, Layer::Dropout(_))).count() as u32;
        for (i, &layer) in self.layers.iter().enumerate().rev() {
            let (x, y) = (&values[i], &values[i + 1]);
            gradient = match layer {
                Layer::Conv(..) => {
                    let conv = convolution(layer, n, shapes[i]);
                    let (by_weights, by_bias) = conv.backward_weights(x, &gradient);
                    result.extend([by_bias, by_weights]);
                    conv.backward_input(&next.next().expect("weights and bias")[0], &gradient)
                }
                Layer::Relu => linear::relu_backward(y, &gradient),
                Layer::MaxPool(k) => {
                    let pool = pool(k, n, shapes[i]);
                    pool.backward(&pool.forward(x).1, &gradient)
                }
                Layer::Dropout(p) => {
                    dropouts -= 1;
                    multiply(&gradient, &random::dropout_mask(self.seed, dropouts, step, p, x.len()))
                }
                Layer::Linear(outputs) => {
                    let inputs = x.len() / n;
                    result.push(linear::bias_gradient(outputs, &gradient));
                    result.push(linear::matmul_tn(outputs, inputs, n, &gradient, x));
                    linear::matmul_nn(n, inputs, outputs, &gradient, &next.next().expect("weights and bias")[0])
                }
            };
        }
        result.reverse();
        (end.loss / n as f64, result)
    }
}

fn convolution(layer: Layer, n: usize, input: [usize; 3]) -> Conv {
    let Layer::Conv(outputs, k, padding) = layer else { panic!("{layer:?} is no convolution") };
    Conv { n, input, kernel: [outputs, k, k], stride: [1, 1], padding: [padding; 2] }
}

fn pool(k: usize, n: usize, [channels, h, w]: [usize; 3]) -> MaxPool {
    MaxPool { planes: n * channels, input: [h, w], window: [k; 2], stride: [k; 2] }
}

fn multiply(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

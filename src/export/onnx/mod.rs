//! A trained model as ONNX: pixels in, log-probabilities out, the normalisation in the graph.
//!
//! Operators of opset 17 and IR version 8, which every runtime of the last years reads.

#[allow(missing_docs)] // Field by field what ONNX's own documentation describes.
mod proto;

use crate::Result;
use crate::checkpoint::Checkpoint;
use crate::model::{Conv, Dense, Stage};
use crate::run::VERSION;
use prost::Message;
use proto::{
    Attribute, Dimension, Extent, FLOAT, Graph, INT, INTS, Model, Node, OperatorSet, Property, Tensor, TensorShape,
    TensorType, Type, UINT8, ValueInfo,
};

/// The version of the operators.
const OPSET: i64 = 17;
/// The version of the format.
const IR_VERSION: i64 = 8;
/// The name of the input.
const INPUT: &str = "images";
/// The name of the output.
const OUTPUT: &str = "log_probabilities";

/// What the pixels are that an exported model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// Bytes, 0 (background) to 255 (ink).
    Uint8,
    /// 32-bit floats, 0 to 1.
    Float,
}

/// The file of a model that takes `images` \[batch, 1, height, width\] and gives `log_probabilities` \[batch, classes\].
///
/// # Errors
/// When the layers do not fit the images of the metadata.
pub fn onnx(checkpoint: &Checkpoint, pixels: Pixels) -> Result<Vec<u8>> {
    let metadata = &checkpoint.metadata;
    let classes = metadata.classes.len();
    let stages = metadata.model.stages(metadata.image(), classes as u32)?;
    let mut writer = Writer { nodes: Vec::new(), tensors: Vec::new(), value: INPUT.into() };
    writer.normalise(metadata.mean, metadata.std, pixels);
    let mut flat = false;
    for stage in &stages {
        match stage {
            Stage::Conv(conv) => writer.conv(conv, checkpoint),
            Stage::Dense(dense) => {
                if !flat {
                    writer.node("Flatten", "flat", &[], vec![int("axis", 1)]);
                    flat = true;
                }
                writer.dense(dense, checkpoint);
            }
            // Nothing is dropped where nothing is trained.
            Stage::Dropout(_) => {}
        }
    }
    writer.node("LogSoftmax", OUTPUT, &[], vec![int("axis", 1)]);
    let image = [1, metadata.height, metadata.width].map(|extent| Extent::Value(extent.into()));
    let element = if pixels == Pixels::Uint8 { UINT8 } else { FLOAT };
    let graph = Graph {
        node: writer.nodes,
        name: metadata.model.name.clone(),
        initializer: writer.tensors,
        input: vec![value_info(INPUT, element, &image)],
        output: vec![value_info(OUTPUT, FLOAT, &[Extent::Value(classes as i64)])],
    };
    let property = |key: &str, value: String| Property { key: key.into(), value };
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: env!("CARGO_PKG_NAME").into(),
        producer_version: VERSION.into(),
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata_props: vec![property("classes", serde_json::json!(metadata.classes).to_string())],
    };
    Ok(model.encode_to_vec())
}

/// A graph in the making; `value` is what the last node puts out.
struct Writer {
    nodes: Vec<Node>,
    tensors: Vec<Tensor>,
    value: String,
}

impl Writer {
    /// A node that takes the last value and some tensors.
    fn node(&mut self, op: &str, output: &str, tensors: &[&str], attribute: Vec<Attribute>) {
        let input = std::iter::once(std::mem::replace(&mut self.value, output.into()))
            .chain(tensors.iter().map(ToString::to_string));
        let (input, output) = (input.collect(), vec![output.into()]);
        self.nodes.push(Node {
            input,
            output,
            name: format!("{op}_{}", self.nodes.len()),
            op_type: op.into(),
            attribute,
        });
    }

    fn tensor(&mut self, name: &str, dims: &[u32], values: &[f32]) {
        self.tensors.push(Tensor {
            dims: dims.iter().map(|&extent| extent.into()).collect(),
            data_type: FLOAT,
            name: name.into(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
    }

    /// pixel · scale + shift, as the op `load_batch` has it.
    fn normalise(&mut self, mean: f64, std: f64, pixels: Pixels) {
        let full = match pixels {
            Pixels::Uint8 => {
                self.node("Cast", "pixels", &[], vec![int("to", FLOAT.into())]);
                255.0
            }
            Pixels::Float => 1.0,
        };
        self.tensor("scale", &[], &[(1.0 / (full * std)) as f32]);
        self.tensor("shift", &[], &[(-mean / std) as f32]);
        self.node("Mul", "scaled", &["scale"], Vec::new());
        self.node("Add", "normalised", &["shift"], Vec::new());
    }

    fn conv(&mut self, conv: &Conv, checkpoint: &Checkpoint) {
        let (name, geometry) = (&conv.name, &conv.geometry);
        let [top, left] = geometry.padding;
        let weights = self.parameters(&Stage::Conv(conv.clone()), checkpoint);
        let attributes = vec![
            ints("kernel_shape", &geometry.kernel),
            ints("strides", &geometry.stride),
            ints("pads", &[top, left, top, left]),
        ];
        self.node("Conv", name, &[&weights[0], &weights[1]], attributes);
        if conv.relu {
            self.node("Relu", &format!("{name}.relu"), &[], Vec::new());
        }
        if (geometry.pool, geometry.pool_stride) != ([1, 1], [1, 1]) {
            let attributes = vec![ints("kernel_shape", &geometry.pool), ints("strides", &geometry.pool_stride)];
            self.node("MaxPool", &format!("{name}.pool"), &[], attributes);
        }
    }

    fn dense(&mut self, dense: &Dense, checkpoint: &Checkpoint) {
        let weights = self.parameters(&Stage::Dense(dense.clone()), checkpoint);
        self.node("Gemm", &dense.name, &[&weights[0], &weights[1]], vec![int("transB", 1)]);
        if dense.relu {
            self.node("Relu", &format!("{}.relu", dense.name), &[], Vec::new());
        }
    }

    /// The names of weight and bias, which become tensors of the graph.
    fn parameters(&mut self, stage: &Stage, checkpoint: &Checkpoint) -> Vec<String> {
        let parameters = stage.parameters().into_iter();
        parameters
            .map(|(name, shape, _)| {
                self.tensor(&name, &shape, &checkpoint.parameters[&name]);
                name
            })
            .collect()
    }
}

fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.into(), i, kind: INT, ..Attribute::default() }
}

fn ints(name: &str, values: &[u32]) -> Attribute {
    let ints = values.iter().map(|&value| value.into()).collect();
    Attribute { name: name.into(), ints, kind: INTS, ..Attribute::default() }
}

/// A tensor of any batch size and these extents.
fn value_info(name: &str, element: i32, extents: &[Extent]) -> ValueInfo {
    let extents = std::iter::once(Extent::Name("batch".into())).chain(extents.iter().cloned());
    let dim = extents.map(|extent| Dimension { extent: Some(extent) }).collect();
    let tensor = TensorType { element, shape: Some(TensorShape { dim }) };
    ValueInfo { name: name.into(), kind: Some(Type { tensor: Some(tensor) }) }
}

//! How far from PyTorch's float32 a right implementation in float32 may be, from what was measured.
//!
//! `pytorch.py` prints how far PyTorch's float32 is from its float64, `pytorch_distances.py` how far its float32 is
//! from itself when the initial weights change by their last bit, the worst of 40 trials:
//!
//! | model, optimizer | losses | gradients, of the largest | parameters | largest share over 10⁻⁵ |
//! |---|---|---|---|---|
//! | linear, sgd | 4.8·10⁻⁷ | 2.3·10⁻⁷ | 6.0·10⁻⁸ | 0 |
//! | linear, adamw | 4.8·10⁻⁷ | 2.3·10⁻⁷ | 1.5·10⁻⁸ | 0 |
//! | mlp, sgd | 2.4·10⁻⁷ | 3.6·10⁻⁷ | 4.5·10⁻⁸ | 0 |
//! | mlp, adamw | 2.4·10⁻⁷ | 3.6·10⁻⁷ | 5.0·10⁻⁷ | 0 |
//! | cnn, sgd | 4.8·10⁻⁷ | 9.7·10⁻⁷ | 6.0·10⁻⁸ | 0 |
//! | cnn, adamw | 2.4·10⁻⁷ | 9.7·10⁻⁷ | 8.7·10⁻⁶ | 0 |
//! | lenet, sgd | 2.4·10⁻⁷ | 1.2·10⁻⁶ | 6.0·10⁻⁸ | 0 |
//! | lenet, adamw | 4.8·10⁻⁷ | 1.2·10⁻⁶ | 4.9·10⁻⁷ | 0 |
//! | convnet, sgd | 4.8·10⁻⁷ | 2.1·10⁻⁶ | 5.0·10⁻⁶ | 0 |
//! | convnet, adamw | 4.8·10⁻⁷ | 2.1·10⁻⁶ | 1.7·10⁻⁴ | 0.11 % |
//!
//! The seeds are chosen so. With others, now and then an activation takes the other branch of a ReLU or a max-pool, and
//! all that follows differs (losses by up to 10⁻³): should one device alone fail a comparison here from some step on,
//! that is the first thing to look for. A mistake in an optimizer or a mask shows at the size of the updates, some 10⁻²
//! in ten steps.

use super::compare::Tolerance;

/// A mean loss, of any of the ten steps: PyTorch's float32 is off by 1.9·10⁻⁷ of the first at most.
pub const LOSS: Tolerance = Tolerance::strict(2e-6, 0.0, 0.0);

/// Gradients of step 1: PyTorch's float32 is off by 5.8·10⁻⁶ of the largest entry of the tensor (`conv1.weight` of
/// convnet, whose sums over 43,264 positions cancel).
pub const GRADIENT: Tolerance = Tolerance::strict(0.0, 2e-5, 0.0);

/// The parameters after ten steps. Adam divides by the size of the gradient: where one is nearly zero, its rounding
/// decides the update, hence the strays.
pub fn parameters(model: &str, optimizer: &str) -> Tolerance {
    let (atol, stray, furthest) = match (model, optimizer.starts_with("sgd")) {
        ("convnet", true) => (2e-5, 0.0, 0.0),
        (_, true) => (1e-6, 0.0, 0.0),
        ("linear" | "mlp", false) => (1e-6, 1e-3, 1e-4),
        ("convnet", false) => (1e-5, 1e-2, 5e-4),
        (_, false) => (1e-5, 1e-3, 1e-4),
    };
    Tolerance { rtol: 0.0, of_largest: 0.0, atol, stray, furthest }
}

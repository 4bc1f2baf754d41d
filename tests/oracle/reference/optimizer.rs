//! SGD, Adam and AdamW as PyTorch's documentation defines them.

/// Stochastic gradient descent with its memory of one parameter tensor.
#[derive(Clone, Debug, Default)]
pub struct Sgd {
    /// µ; zero is without momentum.
    pub momentum: f64,
    /// Looks ahead by one step of momentum.
    pub nesterov: bool,
    /// The coefficient of the L2 penalty's gradient.
    pub weight_decay: f64,
    /// v; empty before the first step.
    pub velocity: Vec<f64>,
}

impl Sgd {
    /// g ← g + decay · p; v ← µ v + g; p ← p − rate · (g + µ v with Nesterov, else v). Without memory v is zero.
    pub fn step(&mut self, rate: f64, parameters: &mut [f64], gradients: &[f64]) {
        self.velocity.resize(parameters.len(), 0.0);
        for ((p, g), v) in parameters.iter_mut().zip(gradients).zip(&mut self.velocity) {
            let g = g + self.weight_decay * *p;
            *v = self.momentum * *v + g;
            *p -= rate * if self.nesterov { g + self.momentum * *v } else { *v };
        }
    }
}

/// Adam (Kingma and Ba, 2015) or AdamW (Loshchilov and Hutter, 2019) with its memory of one parameter tensor.
#[derive(Clone, Debug)]
pub struct Adam {
    /// β₁ and β₂.
    pub betas: [f64; 2],
    /// ε.
    pub epsilon: f64,
    /// AdamW: shrinks the parameters. Adam: the coefficient of the L2 penalty's gradient.
    pub weight_decay: f64,
    /// Whether it is AdamW.
    pub decoupled: bool,
    /// m and v; empty before the first step.
    pub moments: [Vec<f64>; 2],
    /// Steps taken.
    pub steps: i32,
}

impl Adam {
    /// With β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸.
    pub fn new(weight_decay: f64, decoupled: bool) -> Self {
        Self { betas: [0.9, 0.999], epsilon: 1e-8, weight_decay, decoupled, moments: [vec![], vec![]], steps: 0 }
    }

    /// m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; p ← p − rate · m̂ / (√v̂ + ε), with m̂ = m / (1 − β₁ᵗ) and
    /// v̂ = v / (1 − β₂ᵗ). Before: p ← p − rate · decay · p (AdamW) or g ← g + decay · p (Adam).
    pub fn step(&mut self, rate: f64, parameters: &mut [f64], gradients: &[f64]) {
        self.steps += 1;
        let [beta1, beta2] = self.betas;
        for i in 0..parameters.len() {
            let p = &mut parameters[i];
            let mut g = gradients[i];
            if self.decoupled {
                *p -= rate * self.weight_decay * *p;
            } else {
                g += self.weight_decay * *p;
            }
            for (moments, beta, value) in [(0, beta1, g), (1, beta2, g * g)] {
                let memory = &mut self.moments[moments];
                memory.resize(gradients.len(), 0.0);
                memory[i] = beta * memory[i] + (1.0 - beta) * value;
            }
            let first = self.moments[0][i] / (1.0 - beta1.powi(self.steps));
            let second = self.moments[1][i] / (1.0 - beta2.powi(self.steps));
            *p -= rate * first / (second.sqrt() + self.epsilon);
        }
    }
}

/// The first step of Adam is the learning rate, whatever the size of the gradient.
#[test]
fn first_steps() {
    let mut p = [1.0, 1.0];
    Adam::new(0.0, true).step(0.1, &mut p, &[1e3, -1e-3]);
    assert!((p[0] - 0.9).abs() < 1e-12 && (p[1] - 1.1).abs() < 1e-5, "{p:?}");
    let mut p = [1.0];
    let mut sgd = Sgd { momentum: 0.5, ..Sgd::default() };
    sgd.step(0.1, &mut p, &[1.0]);
    sgd.step(0.1, &mut p, &[1.0]);
    assert!((p[0] - (1.0 - 0.1 - 0.15)).abs() < 1e-15, "{p:?}");
}

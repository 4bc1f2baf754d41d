//! Reads what `pytorch.py` wrote; the head of that script says which tensors there are.

use crate::reference::random::threefry;
use safetensors::{Dtype, SafeTensors};
use std::path::PathBuf;

/// The numbers of one file.
pub struct Fixture {
    /// The model's name, or `batch`, or `optimizers`.
    pub name: String,
    bytes: Vec<u8>,
}

/// What PyTorch has for a tensor.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Every element.
    Whole(Vec<f64>),
    /// A large tensor in parts.
    Parts {
        /// Number of elements.
        len: usize,
        /// √Σ xᵢ².
        norm: f64,
        /// Σ sᵢ xᵢ for four vectors of signs, see [`sign`].
        projections: [f64; 4],
        /// The elements at the positions that [`sample`] says.
        samples: Vec<f64>,
    },
}

/// The key of the numbers that choose samples and signs: no seed, and a purpose that the program does not have.
const KEY: [u32; 2] = [0, 5];

/// The position of sample `s` in a tensor of `len` elements.
pub fn sample(s: usize, len: usize) -> usize {
    threefry(KEY, [0, s as u32])[0] as usize % len
}

/// Element `i` of the vector of signs number `j`.
pub fn sign(j: usize, i: usize) -> f64 {
    if threefry(KEY, [1 + j as u32, i as u32])[0] % 2 == 1 { 1.0 } else { -1.0 }
}

impl Fixture {
    /// Reads `tests/oracle/fixtures/<name>.safetensors`.
    pub fn open(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/oracle/fixtures/{name}.safetensors"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { name: name.into(), bytes }
    }

    fn read<const N: usize, T>(&self, key: &str, element: Dtype, convert: impl Fn([u8; N]) -> T) -> Vec<T> {
        let file = SafeTensors::deserialize(&self.bytes).expect("a fixture is a safetensors file");
        let tensor = file.tensor(key).unwrap_or_else(|_| panic!("{} has no {key}", self.name));
        assert_eq!(tensor.dtype(), element, "{}: {key}", self.name);
        tensor.data().chunks_exact(N).map(|bytes| convert(bytes.try_into().expect("N bytes"))).collect()
    }

    /// A tensor of bytes.
    pub fn u8(&self, key: &str) -> Vec<u8> {
        self.read(key, Dtype::U8, |[byte]| byte)
    }

    /// A tensor of 32-bit unsigned integers.
    pub fn u32(&self, key: &str) -> Vec<u32> {
        self.read(key, Dtype::U32, u32::from_le_bytes)
    }

    /// A tensor of 32-bit floats.
    pub fn f32(&self, key: &str) -> Vec<f32> {
        self.read(key, Dtype::F32, f32::from_le_bytes)
    }

    /// A tensor of 64-bit floats.
    pub fn f64(&self, key: &str) -> Vec<f64> {
        self.read(key, Dtype::F64, f64::from_le_bytes)
    }

    /// The names of all tensors, those in parts once.
    pub fn names(&self) -> Vec<String> {
        let file = SafeTensors::deserialize(&self.bytes).expect("a fixture is a safetensors file");
        let mut names: Vec<String> = file
            .names()
            .iter()
            .map(|name| name.trim_end_matches(".summary").trim_end_matches(".samples").into())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// A tensor of 32-bit floats, whole or in parts.
    pub fn expected(&self, key: &str) -> Expected {
        let file = SafeTensors::deserialize(&self.bytes).expect("a fixture is a safetensors file");
        let wide = |key: &str| self.f32(key).into_iter().map(f64::from).collect();
        if file.names().contains(&key) {
            return Expected::Whole(wide(key));
        }
        let summary: [f64; 6] = self.f64(&format!("{key}.summary")).try_into().expect("six numbers");
        let [len, norm, a, b, c, d] = summary;
        Expected::Parts { len: len as usize, norm, projections: [a, b, c, d], samples: wide(&format!("{key}.samples")) }
    }
}

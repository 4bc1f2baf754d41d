//! Randomness as a function of (seed, purpose, counter): the same numbers on every device, with no state to save.
//!
//! Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). The shaders
//! compute the same from `shaders/random.wgsl`.

/// What a stream of random numbers is for; the second word of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Initial weights; counter (stream of the parameter, index of the element).
    Init = 1,
    /// The order of an epoch; counter (epoch, round and half of the permutation).
    Order = 2,
    /// Dropout masks; counter (step, index of the activation), the layer in the upper bits of the purpose.
    Dropout = 3,
    /// Which training images are held out or kept; evaluated on the host only.
    Split = 4,
}

const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];
const PARITY: u32 = 0x1BD1_1BDA;

/// Threefry-2x32-20: two random words from a key and a counter of two words each.
pub fn threefry(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    threefry_of(
        key,
        counter,
        |word| word,
        u32::wrapping_add,
        |word, rotation, other| word.rotate_left(rotation) ^ other,
    )
}

/// [`threefry`] for words of any kind, vectors of several counters' for instance: `splat` makes such a word of a number,
/// `add` adds two, `mix` rotates one to the left and takes the exclusive or with another.
#[inline(always)]
pub(crate) fn threefry_of<W: Copy>(
    key: [u32; 2],
    counter: [W; 2],
    splat: impl Fn(u32) -> W,
    add: impl Fn(W, W) -> W,
    mix: impl Fn(W, u32, W) -> W,
) -> [W; 2] {
    let keys = [key[0], key[1], PARITY ^ key[0] ^ key[1]];
    let mut x = [add(counter[0], splat(keys[0])), add(counter[1], splat(keys[1]))];
    for group in 0..5 {
        for rotation in ROTATIONS[group % 2] {
            x[0] = add(x[0], x[1]);
            x[1] = mix(x[1], rotation, x[0]);
        }
        let next = group + 1;
        x[0] = add(x[0], splat(keys[next % 3]));
        x[1] = add(x[1], splat(keys[(next + 1) % 3].wrapping_add(next as u32)));
    }
    x
}

/// A uniform number in [0, 1) with 24 bits, from the first word of [`threefry`].
pub fn uniform(key: [u32; 2], counter: [u32; 2]) -> f32 {
    (threefry(key, counter)[0] >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// A seeded permutation of 0..count that is evaluated one position at a time.
///
/// A balanced Feistel network of four rounds over the next power of four, walked until it falls inside the range
/// (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002).
#[derive(Clone, Copy, Debug)]
pub struct Permutation {
    key: [u32; 2],
    stream: u32,
    count: u32,
    half_bits: u32,
}

impl Permutation {
    /// The permutation of 0..count that belongs to a seed, a purpose and a stream (the epoch, for [`Purpose::Order`]).
    pub fn new(seed: u32, purpose: Purpose, stream: u32, count: u32) -> Self {
        Self { key: [seed, purpose as u32], stream, count, half_bits: half_bits(count) }
    }

    /// The element at `position`, which must be below the count.
    pub fn at(&self, position: u32) -> u32 {
        debug_assert!(position < self.count);
        let mask = (1_u32 << self.half_bits) - 1;
        let mut value = position;
        loop {
            let (mut left, mut right) = (value >> self.half_bits, value & mask);
            for round in 0..4 {
                let mixed = threefry(self.key, [self.stream, (round << 16) | right])[0] & mask;
                (left, right) = (right, left ^ mixed);
            }
            value = (left << self.half_bits) | right;
            if value < self.count {
                return value;
            }
        }
    }
}

/// Half the number of bits of the smallest power of four that is at least `count`; at least 1, at most 16.
pub fn half_bits(count: u32) -> u32 {
    let bits = 32 - count.saturating_sub(1).leading_zeros();
    bits.div_ceil(2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that Random123 publishes for threefry2x32 with 20 rounds.
    #[test]
    fn threefry_gives_the_published_answers() {
        let pi = [0x243f_6a88, 0x85a3_08d3];
        assert_eq!(threefry([0, 0], [0, 0]), [0x6b20_0159, 0x99ba_4efe]);
        assert_eq!(threefry([u32::MAX; 2], [u32::MAX; 2]), [0x1cb9_96fc, 0xbb00_2be7]);
        assert_eq!(threefry([0x1319_8a2e, 0x0370_7344], pi), [0xc492_3a9c, 0x483d_f7a0]);
    }

    #[test]
    fn uniform_numbers_fill_the_unit_interval() {
        let numbers: Vec<f32> = (0..10_000).map(|i| uniform([7, Purpose::Init as u32], [0, i])).collect();
        assert!(numbers.iter().all(|u| (0.0..1.0).contains(u)));
        let mean = numbers.iter().sum::<f32>() / 1e4;
        assert!((mean - 0.5).abs() < 0.01, "mean {mean}");
    }

    #[test]
    fn a_permutation_visits_every_element_once() {
        for count in [1, 2, 3, 4, 5, 17, 100, 1_000, 1_025] {
            for stream in [0, 1] {
                let permutation = Permutation::new(3, Purpose::Order, stream, count);
                let mut seen: Vec<u32> = (0..count).map(|i| permutation.at(i)).collect();
                seen.sort_unstable();
                assert!(seen.iter().copied().eq(0..count), "count {count}");
            }
        }
    }

    #[test]
    fn epochs_and_seeds_have_their_own_order() {
        let order = |seed, epoch| -> Vec<u32> {
            let permutation = Permutation::new(seed, Purpose::Order, epoch, 1_000);
            (0..1_000).map(|i| permutation.at(i)).collect()
        };
        let agreeing = |a: &[u32], b: &[u32]| a.iter().zip(b).filter(|(x, y)| x == y).count();
        assert!(agreeing(&order(1, 0), &order(1, 1)) < 10);
        assert!(agreeing(&order(1, 0), &order(2, 0)) < 10);
        assert!(agreeing(&order(1, 0), &(0..1_000).collect::<Vec<_>>()) < 10);
    }
}

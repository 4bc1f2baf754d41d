//! Threefry-2x32-20 and what is drawn from it: initial weights, the order of an epoch, dropout masks.
//!
//! Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. A key is (seed, purpose).

/// Purpose of initial weights; the counter is (stream of the parameter, index of the element).
pub const INIT: u32 = 1;
/// Purpose of the order of an epoch; the counter is (epoch, round · 2¹⁶ + right half).
pub const ORDER: u32 = 2;
/// Purpose of dropout masks, plus 256 times the number of the layer; the counter is (step, row · features + feature).
pub const DROPOUT: u32 = 3;
/// Purpose of the tests' own numbers; the program has no such purpose.
pub const TEST: u32 = 0xff;

/// Two random words: twenty rounds of add, rotate, exclusive-or, and after every fourth an addition of the key.
pub fn threefry(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let rotations = [13, 15, 26, 6, 17, 29, 16, 24];
    let extended = [key[0], key[1], 0x1bd1_1bda ^ key[0] ^ key[1]];
    let (mut a, mut b) = (counter[0].wrapping_add(key[0]), counter[1].wrapping_add(key[1]));
    for round in 1..=20_usize {
        a = a.wrapping_add(b);
        b = b.rotate_left(rotations[(round - 1) % 8]) ^ a;
        if round % 4 == 0 {
            let added = round / 4;
            a = a.wrapping_add(extended[added % 3]);
            b = b.wrapping_add(extended[(added + 1) % 3]).wrapping_add(added as u32);
        }
    }
    [a, b]
}

/// A number in [0, 1): the upper 24 bits of the first word, as a fraction.
pub fn uniform(key: [u32; 2], counter: [u32; 2]) -> f64 {
    f64::from(threefry(key, counter)[0] / 256) / f64::from(1 << 24)
}

/// `count` numbers in [−1, 1) for a test, by a number of the test's own.
pub fn signed(test: u32, count: usize) -> Vec<f64> {
    (0..count).map(|i| 2.0 * uniform([0, TEST], [test, i as u32]) - 1.0).collect()
}

/// Initial weights: bound · (2u − 1), exact in f64; rounded to f32 they are the op's to the last bit.
pub fn init_uniform(seed: u32, stream: u32, bound: f32, count: usize) -> Vec<f64> {
    (0..count).map(|i| f64::from(bound) * (2.0 * uniform([seed, INIT], [stream, i as u32]) - 1.0)).collect()
}

/// The order of an epoch over `count` images.
///
/// A position below the smallest power of four 4ʰ ≥ count (h ≥ 1) is two halves of h bits; four times the halves (L, R)
/// become (R, L ⊕ f(R)), f the low h bits of the first word of threefry; repeated until the result is below `count`.
pub fn order(seed: u32, epoch: u32, count: u32) -> Vec<u32> {
    let mut half = 2_u64;
    while half * half < u64::from(count) {
        half *= 2;
    }
    let network = |value: u64| {
        let (mut left, mut right) = (value / half, value % half);
        for round in 0..4 {
            let word = threefry([seed, ORDER], [epoch, (round << 16) + right as u32])[0];
            (left, right) = (right, left ^ (u64::from(word) % half));
        }
        left * half + right
    };
    let walk = |position: u32| {
        let mut value = network(u64::from(position));
        while value >= u64::from(count) {
            value = network(value);
        }
        value as u32
    };
    (0..count).map(walk).collect()
}

/// The factors of a dropout layer, `[rows, features]`: 1 / (1 − p) where the element's uniform number is at least p,
/// else 0. Layers are counted from 0, steps from 1.
pub fn dropout_mask(seed: u32, layer: u32, step: u32, p: f64, len: usize) -> Vec<f64> {
    let key = [seed, DROPOUT | layer << 8];
    (0..len).map(|i| if uniform(key, [step, i as u32]) >= p { 1.0 / (1.0 - p) } else { 0.0 }).collect()
}

/// The known answers that Random123 publishes (`tests/kat_vectors`, `threefry2x32 20`).
#[test]
fn threefry_gives_the_published_answers() {
    let pi = [0x243f_6a88, 0x85a3_08d3];
    assert_eq!(threefry([0, 0], [0, 0]), [0x6b20_0159, 0x99ba_4efe]);
    assert_eq!(threefry([u32::MAX; 2], [u32::MAX; 2]), [0x1cb9_96fc, 0xbb00_2be7]);
    assert_eq!(threefry([0x1319_8a2e, 0x0370_7344], pi), [0xc492_3a9c, 0x483d_f7a0]);
}

#[test]
fn an_order_has_every_image_once() {
    for count in [1, 2, 4, 5, 16, 17, 1_000] {
        let mut seen = order(3, 1, count);
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..count), "{count} images");
    }
}

#[test]
fn a_mask_keeps_its_share_and_the_mean() {
    let mask = dropout_mask(1, 1, 1, 0.25, 10_000);
    let mean = mask.iter().sum::<f64>() / 1e4;
    assert!((mean - 1.0).abs() < 0.02, "mean {mean}");
    assert!(mask.iter().all(|factor| [0.0, 1.0 / 0.75].contains(factor)));
}

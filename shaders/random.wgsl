// Counter-based randomness: the twin of src/random.rs, which names the sources.

const PURPOSE_INIT = 1u;
const PURPOSE_ORDER = 2u;
const PURPOSE_DROPOUT = 3u;

fn threefry_mix(x: vec2<u32>, rotation: u32) -> vec2<u32> {
    let sum = x.x + x.y;
    return vec2<u32>(sum, ((x.y << rotation) | (x.y >> (32u - rotation))) ^ sum);
}

// Threefry-2x32 with 20 rounds: five groups of four, a word of the key added after each.
fn threefry(key: vec2<u32>, counter: vec2<u32>) -> vec2<u32> {
    let parity = 0x1BD11BDAu ^ key.x ^ key.y;
    var x = counter + key;
    x = threefry_mix(threefry_mix(threefry_mix(threefry_mix(x, 13u), 15u), 26u), 6u);
    x += vec2<u32>(key.y, parity + 1u);
    x = threefry_mix(threefry_mix(threefry_mix(threefry_mix(x, 17u), 29u), 16u), 24u);
    x += vec2<u32>(parity, key.x + 2u);
    x = threefry_mix(threefry_mix(threefry_mix(threefry_mix(x, 13u), 15u), 26u), 6u);
    x += vec2<u32>(key.x, key.y + 3u);
    x = threefry_mix(threefry_mix(threefry_mix(threefry_mix(x, 17u), 29u), 16u), 24u);
    x += vec2<u32>(key.y, parity + 4u);
    x = threefry_mix(threefry_mix(threefry_mix(threefry_mix(x, 13u), 15u), 26u), 6u);
    x += vec2<u32>(parity, key.x + 5u);
    return x;
}

// A uniform number in [0, 1) with 24 bits.
fn uniform_number(key: vec2<u32>, counter: vec2<u32>) -> f32 {
    return f32(threefry(key, counter).x >> 8u) * (1.0 / 16777216.0);
}

// The element at `position` of a seeded permutation of 0..count: a balanced Feistel network of four rounds over two halves
// of `half_bits` bits, walked until it falls inside the range.
fn permute(key: vec2<u32>, stream: u32, count: u32, half_bits: u32, position: u32) -> u32 {
    let mask = (1u << half_bits) - 1u;
    var value = position;
    loop {
        var left = value >> half_bits;
        var right = value & mask;
        for (var round = 0u; round < 4u; round++) {
            let mixed = left ^ (threefry(key, vec2<u32>(stream, (round << 16u) | right)).x & mask);
            left = right;
            right = mixed;
        }
        value = (left << half_bits) | right;
        if value < count {
            break;
        }
    }
    return value;
}

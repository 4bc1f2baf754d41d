//! What pictures are painted on.

use super::Dice;

/// How much of each pixel is ink, 0 to 1.
pub struct Mask {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<f32>,
}

impl Mask {
    /// An MNIST image enlarged, its ink so many pixels long and its top left corner here; `crisp` as a pen's line is.
    pub fn new(digit: &[u8], [width, height]: [usize; 2], length: f32, [left, top]: [f32; 2], crisp: bool) -> Self {
        let ink = Ink::of(digit);
        let scale = length / ink.longer();
        // As many samples a pixel as keep a shrunk line whole.
        let samples = (2.0 / scale).ceil().clamp(1.0, 8.0) as usize;
        let sharpness = if crisp { scale.max(1.0) } else { 1.0 };
        let at = |pixel: usize, sample: usize, corner: f32, first: f32| {
            (pixel as f32 + (sample as f32 + 0.5) / samples as f32 - corner) / scale + first - 0.5
        };
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let mut sum = 0.0;
                for sample in 0..samples * samples {
                    let row = at(y, sample / samples, top, ink.top as f32);
                    let column = at(x, sample % samples, left, ink.left as f32);
                    sum += ((bilinear(digit, row, column) - 0.5) * sharpness + 0.5).clamp(0.0, 1.0);
                }
                pixels.push(sum / (samples * samples) as f32);
            }
        }
        Self { width, height, pixels }
    }
}

/// The box of an MNIST image's ink.
struct Ink {
    top: usize,
    left: usize,
    bottom: usize,
    right: usize,
}

impl Ink {
    fn of(digit: &[u8]) -> Self {
        let set = |index: &usize| digit[*index] > 0;
        let rows = || (0..784).filter(set).map(|index| index / 28);
        let columns = || (0..784).filter(set).map(|index| index % 28);
        let (top, bottom) = (rows().min().unwrap_or(0), rows().max().unwrap_or(27));
        let (left, right) = (columns().min().unwrap_or(0), columns().max().unwrap_or(27));
        Self { top, left, bottom, right }
    }

    fn longer(&self) -> f32 {
        (self.bottom - self.top).max(self.right - self.left) as f32 + 1.0
    }
}

/// Width and height of an MNIST image's ink where the longer of them is `length`.
pub fn extent(digit: &[u8], length: f32) -> [f32; 2] {
    let ink = Ink::of(digit);
    [ink.right - ink.left, ink.bottom - ink.top].map(|side| (side as f32 + 1.0) * length / ink.longer())
}

fn bilinear(digit: &[u8], row: f32, column: f32) -> f32 {
    let pixel = |row: f32, column: f32| {
        let inside = (0.0..28.0).contains(&row) && (0.0..28.0).contains(&column);
        if inside { f32::from(digit[row as usize * 28 + column as usize]) / 255.0 } else { 0.0 }
    };
    let (y, x) = (row.floor(), column.floor());
    let (down, right) = (row - y, column - x);
    let upper = pixel(y, x) * (1.0 - right) + pixel(y, x + 1.0) * right;
    let lower = pixel(y + 1.0, x) * (1.0 - right) + pixel(y + 1.0, x + 1.0) * right;
    upper * (1.0 - down) + lower * down
}

/// Red, green, blue and alpha of each pixel, 0 to 1.
#[derive(Clone)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[f32; 4]>,
}

impl Canvas {
    /// Ink on paper.
    pub fn paint(mask: &Mask, paper: [f32; 4], ink: [f32; 4]) -> Self {
        let mix = |share: &f32| std::array::from_fn(|channel| paper[channel] * (1.0 - share) + ink[channel] * share);
        Self { width: mask.width, height: mask.height, pixels: mask.pixels.iter().map(mix).collect() }
    }

    /// Changes each pixel's colour, given its place from 0 to 1 across and down.
    pub fn change(&mut self, mut change: impl FnMut(f32, f32, &mut [f32; 4])) {
        let (width, height) = (self.width, self.height);
        for (index, pixel) in self.pixels.iter_mut().enumerate() {
            let (x, y) = (index % width, index / width);
            change((x as f32 + 0.5) / width as f32, (y as f32 + 0.5) / height as f32, pixel);
        }
    }

    /// Blurs by a Gaussian of this deviation in pixels.
    pub fn blur(&mut self, sigma: f32) {
        let reach = (3.0 * sigma).ceil() as isize;
        let mut weights: Vec<f32> = (-reach..=reach).map(|d| (-0.5 * (d as f32 / sigma).powi(2)).exp()).collect();
        let sum: f32 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum;
        }
        let (width, height) = (self.width as isize, self.height as isize);
        for [across, down] in [[1, 0], [0, 1]] {
            let before = self.pixels.clone();
            for (index, pixel) in self.pixels.iter_mut().enumerate() {
                let (x, y) = (index as isize % width, index as isize / width);
                *pixel = [0.0; 4];
                for (weight, d) in weights.iter().zip(-reach..) {
                    let x = (x + across * d).clamp(0, width - 1);
                    let y = (y + down * d).clamp(0, height - 1);
                    let other = before[(y * width + x) as usize];
                    (0..4).for_each(|channel| pixel[channel] += weight * other[channel]);
                }
            }
        }
    }

    /// Smooth unevenness, as of rough paper: of this deviation, in waves of this length in pixels.
    pub fn texture(&mut self, deviation: f32, wave: f32, dice: &mut Dice) {
        let columns = (self.width as f32 / wave) as usize + 2;
        let rows = (self.height as f32 / wave) as usize + 2;
        let knots: Vec<f32> = (0..columns * rows).map(|_| deviation * dice.normal()).collect();
        let (width, height) = (self.width as f32, self.height as f32);
        self.change(|x, y, pixel| {
            let (u, v) = (x * width / wave, y * height / wave);
            let (column, row) = (u as usize, v as usize);
            let (right, down) = (u.fract(), v.fract());
            let knot = |row: usize, column: usize| knots[row * columns + column];
            let upper = knot(row, column) * (1.0 - right) + knot(row, column + 1) * right;
            let lower = knot(row + 1, column) * (1.0 - right) + knot(row + 1, column + 1) * right;
            let offset = upper * (1.0 - down) + lower * down;
            pixel[..3].iter_mut().for_each(|value| *value = (*value + offset).clamp(0.0, 1.0));
        });
    }
}

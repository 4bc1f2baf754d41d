//! The kinds of pictures, one function each.

use super::canvas::extent;
use super::{Canvas, Dice, Mask};

/// What is done to a digit.
pub const KINDS: [&str; 10] =
    ["scaled", "shifted", "inverted", "framed", "coloured", "blurred", "noisy", "faint", "shadowed", "alpha"];

/// A picture of a kind, from an MNIST image.
pub fn canvas(kind: &str, digit: &[u8], dice: &mut Dice) -> Canvas {
    match kind {
        "scaled" => {
            let length = dice.log_between(16.0, 900.0);
            dark_on_light(&mask(digit, length, [1.2, 2.0], dice), dice)
        }
        "shifted" => {
            let length = dice.log_between(30.0, 150.0);
            dark_on_light(&mask(digit, length, [2.0, 4.0], dice), dice)
        }
        "inverted" => {
            let (paper, ink) = (dice.between(0.0, 0.25), dice.between(0.75, 1.0));
            Canvas::paint(&usual(digit, dice), grey(paper), grey(ink))
        }
        "framed" => framed(digit, dice),
        "coloured" => {
            let [paper, ink] = colours(dice, 0.3);
            Canvas::paint(&usual(digit, dice), paper, ink)
        }
        "blurred" => {
            let length = usual_length(dice);
            let mut canvas = dark_on_light(&mask(digit, length, [1.3, 2.0], dice), dice);
            canvas.blur(length * dice.between(0.02, 0.06));
            canvas
        }
        "noisy" => noisy(digit, dice),
        "faint" => {
            let contrast = dice.between(0.08, 0.25);
            let paper = dice.between(contrast, 1.0 - contrast);
            let ink = if dice.happens(0.5) { paper - contrast } else { paper + contrast };
            Canvas::paint(&usual(digit, dice), grey(paper), grey(ink))
        }
        "shadowed" => shadowed(digit, dice),
        "alpha" => alpha(digit, dice),
        _ => panic!("no kind of picture: {kind}"),
    }
}

fn grey(value: f32) -> [f32; 4] {
    [value, value, value, 1.0]
}

fn luminance([red, green, blue, _]: [f32; 4]) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

/// Two colours that differ in brightness by this much at least.
fn colours(dice: &mut Dice, contrast: f32) -> [[f32; 4]; 2] {
    loop {
        let pair = [(); 2].map(|()| [dice.between(0.0, 1.0), dice.between(0.0, 1.0), dice.between(0.0, 1.0), 1.0]);
        if (luminance(pair[0]) - luminance(pair[1])).abs() >= contrast {
            return pair;
        }
    }
}

fn usual_length(dice: &mut Dice) -> f32 {
    dice.log_between(40.0, 240.0)
}

/// A digit of usual size somewhere in the middle.
fn usual(digit: &[u8], dice: &mut Dice) -> Mask {
    let length = usual_length(dice);
    mask(digit, length, [1.3, 2.0], dice)
}

/// A digit of this length, anywhere on a canvas that is so many times as large.
fn mask(digit: &[u8], length: f32, times: [f32; 2], dice: &mut Dice) -> Mask {
    let [width, height] = [(); 2].map(|()| (length * dice.between(times[0], times[1])).ceil());
    let [across, down] = extent(digit, length);
    let margin = 0.03 * length + 1.0;
    let corner = [
        dice.between(margin, (width - across - margin).max(margin)),
        dice.between(margin, (height - down - margin).max(margin)),
    ];
    Mask::new(digit, [width as usize, height as usize], length, corner, dice.happens(0.5))
}

fn dark_on_light(mask: &Mask, dice: &mut Dice) -> Canvas {
    let (paper, ink) = (dice.between(0.8, 1.0), dice.between(0.0, 0.25));
    Canvas::paint(mask, grey(paper), grey(ink))
}

/// A line around the digit at some distance from the edge, or a mat of another brightness up to the edge.
fn framed(digit: &[u8], dice: &mut Dice) -> Canvas {
    let length = usual_length(dice);
    let inside = mask(digit, length, [1.2, 1.6], dice);
    let [paper, ink] = if dice.happens(0.7) { [0.95, 0.1] } else { [0.1, 0.95] };
    let line = dice.happens(0.5);
    let [gap, thickness] = if line {
        [length * dice.between(0.0, 0.15), length * dice.between(0.02, 0.06)]
    } else {
        [0.0, length * dice.between(0.05, 0.4)]
    };
    let frame = if line || dice.happens(0.5) { ink } else { dice.between(0.3, 0.7) };
    let [gap, thickness] = [gap, thickness].map(|size| size.ceil() as usize);
    let border = gap + thickness;
    let (width, height) = (inside.width + 2 * border, inside.height + 2 * border);
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let distance = x.min(y).min(width - 1 - x).min(height - 1 - y);
            pixels.push(grey(if distance < gap {
                paper
            } else if distance < border {
                frame
            } else {
                let share = inside.pixels[(y - border) * inside.width + x - border];
                paper * (1.0 - share) + ink * share
            }));
        }
    }
    Canvas { width, height, pixels }
}

/// Grain in every pixel, specks, or rough paper.
fn noisy(digit: &[u8], dice: &mut Dice) -> Canvas {
    let length = usual_length(dice);
    let mut canvas = dark_on_light(&mask(digit, length, [1.3, 2.0], dice), dice);
    match dice.between(0.0, 3.0) as u32 {
        0 => {
            let deviation = dice.between(0.05, 0.2);
            canvas.change(|_, _, pixel| {
                let offset = deviation * dice.normal();
                pixel[..3].iter_mut().for_each(|value| *value += offset);
            });
        }
        1 => {
            let share = dice.between(0.002, 0.02);
            canvas.change(|_, _, pixel| {
                if dice.happens(share) {
                    *pixel = grey(if dice.happens(0.5) { 0.0 } else { 1.0 });
                }
            });
        }
        _ => {
            let wave = length * dice.between(0.02, 0.2);
            canvas.texture(dice.between(0.03, 0.08), wave.max(2.0), dice);
        }
    }
    canvas
}

/// Light that falls off to one side, a shadow with a soft edge, or both.
fn shadowed(digit: &[u8], dice: &mut Dice) -> Canvas {
    let mut canvas = dark_on_light(&usual(digit, dice), dice);
    let which = dice.between(0.0, 3.0) as u32;
    let angle = dice.between(0.0, std::f32::consts::TAU);
    let far = dice.between(0.35, 0.7);
    let edge_angle = dice.between(0.0, std::f32::consts::TAU);
    let (edge, penumbra, dark) = (dice.between(-0.25, 0.25), dice.between(0.02, 0.2), dice.between(0.4, 0.75));
    canvas.change(|x, y, pixel| {
        // From -0.5 to 0.5 (in the corners, 0.7) in a direction.
        let along = |angle: f32| (x - 0.5) * angle.cos() + (y - 0.5) * angle.sin();
        let mut light = 1.0;
        if which != 1 {
            light *= far + (1.0 - far) * (0.5 + along(angle)).clamp(0.0, 1.0);
        }
        if which != 0 {
            light *= dark + (1.0 - dark) * ((along(edge_angle) - edge) / penumbra + 0.5).clamp(0.0, 1.0);
        }
        pixel[..3].iter_mut().for_each(|value| *value *= light);
    });
    canvas
}

/// Ink without paper, of either brightness; or ink on paper, half transparent or with rounded corners cut out.
fn alpha(digit: &[u8], dice: &mut Dice) -> Canvas {
    let mask = usual(digit, dice);
    match dice.between(0.0, 3.0) as u32 {
        0 => {
            let [_, ink] = colours(dice, 0.0);
            let share = |share: &f32| [ink[0], ink[1], ink[2], *share];
            Canvas { width: mask.width, height: mask.height, pixels: mask.pixels.iter().map(share).collect() }
        }
        1 => {
            let [paper, ink] = colours(dice, 0.4);
            let mut canvas = Canvas::paint(&mask, paper, ink);
            let opacity = dice.between(0.6, 1.0);
            canvas.change(|_, _, pixel| pixel[3] = opacity);
            canvas
        }
        _ => {
            let [paper, ink] = colours(dice, 0.3);
            let mut canvas = Canvas::paint(&mask, paper, ink);
            let radius = dice.between(0.05, 0.15);
            canvas.change(|x, y, pixel| {
                let beyond = |place: f32| (radius - place.min(1.0 - place)).max(0.0);
                if beyond(x).hypot(beyond(y)) > radius {
                    *pixel = [0.0; 4];
                }
            });
            canvas
        }
    }
}

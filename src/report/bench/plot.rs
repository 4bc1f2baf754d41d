//! The plot of a benchmark: images per second by model and device, and the kernels under the roofs of their devices
//! (Williams, Waterman and Patterson, "Roofline", 2009).

use super::short;
use crate::Result;
use crate::bench::{Bench, DeviceBench, StepRow};
use crate::report::numbers::significant;
use crate::report::style::{Axes, Marked, anchor, chart, color, legend, log_marks, px, span, stroke, text};
use crate::report::{Area, Drawn, Figure};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// The height, in pixels as all of these.
const HEIGHT: u32 = 440;
/// The width of the roofs.
const ROOFS: u32 = 520;
/// The least width of the bars.
const BARS: u32 = 560;
/// What the bars and the name of a model need of it.
const MODEL: u32 = 132;
/// What the axis beside them needs.
const AXIS: u32 = 90;

/// Draws it.
pub fn draw(bench: &Bench) -> Result<Figure> {
    let names: Vec<String> = bench.devices.iter().map(|found| short(&found.device)).collect();
    let title = format!("Training speed and kernels of {}", names.join("; "));
    let models = models(bench);
    let bars = BARS.max(AXIS + MODEL * models.len() as u32);
    Figure::draw([bars + ROOFS, HEIGHT], &title, |area| {
        let (left, right) = area.split_horizontally(px(bars.into()));
        speeds(&left, bench, &models, &names)?;
        roofs(&right, bench)
    })
}

/// The rows of a device's training steps.
fn training(found: &DeviceBench) -> impl Iterator<Item = &StepRow> {
    found.steps.iter().filter(|row| row.kind == "training")
}

/// The models that are trained, with batch and optimizer.
fn models(bench: &Bench) -> Vec<&str> {
    let mut models: Vec<&str> = Vec::new();
    for row in bench.devices.iter().flat_map(training) {
        if !models.contains(&row.workload.as_str()) {
            models.push(&row.workload);
        }
    }
    models
}

/// The devices' colours with their names.
fn entries(names: &[String]) -> Vec<(ShapeStyle, &str)> {
    names.iter().enumerate().map(|(index, name)| (stroke(color(index), 2.0), name.as_str())).collect()
}

/// Bars of each model's training, one for each device.
fn speeds(area: &Area, bench: &Bench, models: &[&str], names: &[String]) -> Drawn {
    let rates = bench.devices.iter().flat_map(training);
    let rates = span(rates.map(|row| row.images_per_second.median));
    let range = if models.is_empty() { 1.0..10.0 } else { rates.start / 3.0..rates.end * 2.0 };
    let middles = (0..models.len()).map(|index| index as f64 + 0.5).collect();
    let axes = Axes {
        title: "Training, images/s",
        x: "model, batch, optimizer",
        x_mark: &|place| models.get(*place as usize).map_or(String::new(), |name| (*name).to_owned()),
        y_mark: &|rate| brief(*rate, 1),
        marks: [models.len() + 1, 8],
    };
    legend(area, &entries(names))?;
    let x = Marked { range: 0.0..models.len().max(1) as f64, marks: middles };
    let y = range.clone().log_scale().with_key_points(log_marks(&range, 8));
    let mut chart = chart(area, &axes, x, y)?;
    let width = 0.8 / bench.devices.len().max(1) as f64;
    for (device, found) in bench.devices.iter().enumerate() {
        for row in training(found) {
            let group = models.iter().position(|name| *name == row.workload).expect("it was collected");
            let start = group as f64 + 0.1 + width * device as f64;
            let rate = row.images_per_second.median;
            chart
                .draw_series([Rectangle::new([(start, range.start), (start + width, rate)], color(device).filled())])?;
            let place = (start + width / 2.0, rate);
            let style = text(10.0).pos(anchor(HPos::Center, VPos::Bottom));
            chart.draw_series([Text::new(brief(rate, 2), place, style)])?;
        }
    }
    Ok(())
}

/// A rate with so many digits: 1.2k rather than 1,234.
fn brief(rate: f64, digits: u32) -> String {
    match rate {
        ..1e3 => significant(rate, digits),
        ..1e6 => format!("{}k", significant(rate / 1e3, digits)),
        _ => format!("{}M", significant(rate / 1e6, digits)),
    }
}

/// Each device's roof, and the products among its kernels: those that it chooses.
fn roofs(area: &Area, bench: &Bench) -> Drawn {
    let products = bench.devices.iter().enumerate().flat_map(|(device, found)| {
        let rows = found.kernels.iter().filter(|row| row.chosen && row.work.flops > 0.0);
        rows.map(move |row| (device, row.work.flops / row.work.bytes, row.work.flops / row.seconds.median / 1e9))
    });
    let products: Vec<(usize, f64, f64)> = products.collect();
    let peaks = || bench.devices.iter().map(|found| found.peaks.flops.median / 1e9);
    let seen = span(products.iter().map(|&(_, intensity, _)| intensity));
    let x = if products.is_empty() { 0.1..1000.0 } else { seen.start / 2.0..seen.end * 2.0 };
    let rates = span(products.iter().map(|&(_, _, rate)| rate).chain(peaks()));
    let y = if rates.start.is_finite() && rates.start > 0.0 { rates.start / 2.0..rates.end * 2.0 } else { 1.0..100.0 };
    let axes = Axes {
        title: "Matrix products and convolutions, GFLOP/s",
        x: "FLOP a byte",
        x_mark: &|intensity| significant(*intensity, 1),
        y_mark: &|rate| significant(*rate, 1),
        marks: [8, 8],
    };
    let place = (px(16.0), px(42.0));
    let remark = text(13.0).pos(anchor(HPos::Left, VPos::Center));
    area.draw_text("each under its device's peaks of arithmetic and memory", &remark, place)?;
    let marks = [log_marks(&x, 8), log_marks(&y, 8)];
    let [x_marks, y_marks] = marks;
    let mut chart = chart(
        area,
        &axes,
        x.clone().log_scale().with_key_points(x_marks),
        y.clone().log_scale().with_key_points(y_marks),
    )?;
    for (device, found) in bench.devices.iter().enumerate() {
        let (flops, bytes) = (found.peaks.flops.median / 1e9, found.peaks.bytes.median / 1e9);
        let ridge = (flops / bytes).clamp(x.start, x.end);
        let roof = |intensity: f64| (bytes * intensity).min(flops).max(y.start);
        let line = [x.start.max(y.start / bytes).min(ridge), ridge, x.end].map(|place| (place, roof(place)));
        chart.draw_series([PathElement::new(line, stroke(color(device), 1.5))])?;
    }
    let points = products.into_iter().map(|(device, x, y)| Circle::new((x, y), px(3.5), color(device).filled()));
    chart.draw_series(points)?;
    Ok(())
}

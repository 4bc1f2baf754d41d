//! Numbers as people read them.

/// A whole number with its thousands set apart.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: "1 image", "60,000 images".
pub fn count(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// A number with so many significant digits, and no exponent: 0.0187, 1.94, 2,310.
pub fn significant(value: f64, digits: u32) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    // Rounded first: 0.09996 is 0.100 in three digits, not 0.0999 or 0.1000.
    let rounded: f64 = format!("{value:.*e}", digits.saturating_sub(1) as usize).parse().unwrap_or(value);
    let decimals = i64::from(digits) - 1 - rounded.abs().log10().floor() as i64;
    if decimals > 0 || rounded.abs() >= 1e15 {
        return format!("{rounded:.*}", decimals.clamp(0, 300) as usize);
    }
    whole(rounded)
}

fn whole(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", thousands(value.abs().round() as u64))
}

/// A number and how far it may be off, to two significant digits of that: "0.0187 ± 0.0014".
pub fn plus_minus(value: f64, margin: f64) -> String {
    let text = significant(margin, 2);
    if margin == 0.0 || !margin.is_finite() {
        return format!("{} ± {text}", significant(value, 4));
    }
    match text.split_once('.') {
        Some((_, digits)) => format!("{value:.*} ± {text}", digits.len()),
        // Whole numbers, which may be large.
        None => format!("{} ± {text}", whole(value)),
    }
}

/// A share in per cent, with so many digits after the point.
pub fn percent(share: f64, decimals: usize) -> String {
    format!("{:.decimals$} %", 100.0 * share)
}

/// A loss: four decimals, or three significant digits where these say little.
pub fn loss(nats: f64) -> String {
    if nats == 0.0 || (0.01..10_000.0).contains(&nats) { format!("{nats:.4}") } else { significant(nats, 3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 999, 1_000, 60_000, 1_234_567].map(thousands);
        assert_eq!(texts, ["0", "999", "1,000", "60,000", "1,234,567"]);
        assert_eq!((count(1, "seed"), count(3, "seed")), ("1 seed".into(), "3 seeds".into()));
    }

    #[test]
    fn the_margin_says_how_many_digits_count() {
        assert_eq!(plus_minus(0.018_734, 0.001_44), "0.0187 ± 0.0014");
        assert_eq!(plus_minus(7.214, 0.996), "7.2 ± 1.0");
        assert_eq!(plus_minus(-0.25, 12.3), "-0 ± 12");
        assert_eq!(plus_minus(17_262_389.2, 5_612_345.0), "17,262,389 ± 5,600,000");
        assert_eq!(plus_minus(0.5, 0.0), "0.5000 ± 0");
    }

    #[test]
    fn losses_have_four_decimals_or_three_digits() {
        assert_eq!([0.0, 0.16, 2.315_93, 0.001_234_5].map(loss), ["0.0000", "0.1600", "2.3159", "0.00123"]);
        assert_eq!(loss(f64::INFINITY), "inf");
    }

    #[test]
    fn digits_are_the_significant_ones() {
        let texts = [0.018_73, 0.099_96, 1.937, 23.04, 2_309.6, 0.0, -0.001_234, 9.996e-7, 1e300]
            .map(|value| significant(value, 3));
        let expected = ["0.0187", "0.100", "1.94", "23.0", "2,310", "0", "-0.00123", "0.00000100"];
        assert_eq!(texts[..8], expected);
        assert!(texts[8].starts_with("1000000"), "{}", texts[8]);
        assert_eq!(significant(f64::NAN, 3), "NaN");
        assert_eq!(percent(0.994_1, 2), "99.41 %");
    }
}

//! What the power law of a study says, in sentences.

use super::figures::{Figures, SizeRow};
use crate::power_law::{Fit, Law};
use crate::report::numbers::{count, percent, plus_minus, significant, thousands};
use crate::statistics::t_quantile;

/// What the power law is, or why there is none.
pub fn power_law(figures: &Figures) -> String {
    let largest = figures.sizes.last().map_or(0, |row| row.train_size);
    match &figures.power_law {
        Fit::None { reason } => format!("**Power law:** none is fitted, for {reason}."),
        Fit::Undetermined { law, reason } => format!(
            "**Power law:** these figures do not determine one: {reason}. The nearest is {}; others far from it fit as well.",
            formula(law)
        ),
        Fit::Determined(law) => {
            let mut text = format!("**Power law:** {}. {}", formula(law), errors(law, &figures.sizes));
            let quantile = t_quantile(law.degrees_of_freedom as f64);
            text.push_str(&match law.c.error {
                None => " No floor shows: *c* came out at 0, the least it can be.".to_owned(),
                Some(error) if law.c.value > quantile * error => format!(
                    " The floor *c* is above 0 by more than its error: by this law, images alone do not bring the loss below about {}.",
                    significant(law.c.value, 2)
                ),
                Some(_) => " The floor *c* cannot be told from 0.".to_owned(),
            });
            let error = law.at_twice.error.unwrap_or(0.0);
            text.push_str(&format!(
                " Twice the largest size, {} images, would have a loss of {}, if the law held there.",
                thousands(2 * u64::from(largest)),
                plus_minus(law.at_twice.value, error)
            ));
            text
        }
    }
}

fn formula(law: &Law) -> String {
    format!(
        "loss(n) = *a* · n^(−*b*) + *c* with *a* = {}, *b* = {}, *c* = {}",
        significant(law.a, 3),
        significant(law.b.value, 3),
        significant(law.c.value, 3)
    )
}

fn errors(law: &Law, sizes: &[SizeRow]) -> String {
    let b = law.b.error.map_or(String::new(), |error| format!(", *b* by ± {}", significant(error, 2)));
    let c = law.c.error.map_or(String::new(), |error| format!(", *c* by ± {}", significant(error, 2)));
    let beyond = match scatter(sizes) {
        Some(scatter) if law.deviation > 2.0 * scatter => {
            ", more than the spread over the seeds explains: the law describes them only roughly"
        }
        _ => "",
    };
    format!(
        "Standard errors: *a* by a factor of {}{b}{c} ({} of freedom). The means of the sizes lie {} from the curve{beyond}.",
        significant(law.ln_a_error.exp(), 3),
        count(law.degrees_of_freedom as u64, "degree"),
        percent(law.deviation, 1)
    )
}

/// How far the means of the sizes are off by chance, as a share of them, root mean square.
fn scatter(sizes: &[SizeRow]) -> Option<f64> {
    let relative = |row: &SizeRow| Some(row.test_loss.variance_of_mean()? / row.test_loss.mean.powi(2));
    let sum: f64 = sizes.iter().map(relative).sum::<Option<f64>>()?;
    Some((sum / sizes.len() as f64).sqrt())
}

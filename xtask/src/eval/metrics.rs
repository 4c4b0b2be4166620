//! How good a set of answers is: errors, calibration, coverage, each with what chance alone would do. It knows no
//! engine.

/// One answer beside its truth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scored {
    /// Where the engine puts it.
    pub(crate) answer: Option<octet::LatLon>,
    /// Distance from the answer to the truth.
    pub(crate) error_km: f64,
    /// Whether the named country is the truth.
    pub(crate) right: bool,
    /// Calibrated probability of the named country.
    pub(crate) confidence: f64,
    /// Calibrated probability of the true country.
    pub(crate) of_truth: f64,
    /// Σ of squared errors over countries.
    pub(crate) brier: f64,
    /// The smallest share of the raw posterior whose region holds the truth.
    pub(crate) depth: f64,
    /// Whether the truth is within the 50, 90 and 95 % regions.
    pub(crate) within: [bool; 3],
    /// Area of the 90 % region.
    pub(crate) area_km2: f64,
}

/// Equal-mass bins of the expected calibration error.
const BINS: usize = 10;
/// How often chance is simulated.
const DRAWS: usize = 200;

/// A small deterministic generator (splitmix64).
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in 0..count.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f64) as usize).min(count.saturating_sub(1))
    }
}

/// The `share` quantile; `NaN` of nothing.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() {
        return f64::NAN;
    }
    let at = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// Expected calibration error over ten bins of equal mass.
pub(crate) fn calibration_error(pairs: &[(f64, bool)]) -> f64 {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = sorted.len();
    (0..BINS)
        .map(|bin| &sorted[bin * count / BINS..(bin + 1) * count / BINS])
        .filter(|bin| !bin.is_empty())
        .map(|bin| {
            let confidence = mean(bin.iter().map(|pair| pair.0));
            let right = mean(bin.iter().map(|pair| f64::from(u8::from(pair.1))));
            (confidence - right).abs() * bin.len() as f64 / count as f64
        })
        .sum()
}

/// The calibration error that a perfectly calibrated model with these confidences would show, on average.
pub(crate) fn perfect_error(confidences: &[f64], random: &mut Random) -> f64 {
    mean((0..DRAWS).map(|_| {
        let drawn: Vec<_> = confidences.iter().map(|&confidence| (confidence, random.unit() < confidence)).collect();
        calibration_error(&drawn)
    }))
}

/// The 95 % interval of a statistic under resampling of the answers.
pub(crate) fn bootstrap(scored: &[Scored], random: &mut Random, statistic: impl Fn(&[Scored]) -> f64) -> (f64, f64) {
    let values: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let sample: Vec<Scored> = (0..scored.len()).map(|_| scored[random.below(scored.len())]).collect();
            statistic(&sample)
        })
        .collect();
    (quantile(&values, 0.025), quantile(&values, 0.975))
}

/// The Wilson 95 % interval of a share.
pub(crate) fn wilson(hits: usize, count: usize) -> (f64, f64) {
    let (n, z) = (count as f64, 1.96_f64);
    let p = hits as f64 / n;
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_always_sure_and_half_right_is_off_by_half() {
        let pairs: Vec<_> = (0..100).map(|index| (1.0, index % 2 == 0)).collect();
        assert!((calibration_error(&pairs) - 0.5).abs() < 0.11);
        assert!(perfect_error(&[1.0; 50], &mut Random(1)) < 1e-9);
    }

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&[0.0, 10.0], 0.25), 2.5);
    }
}

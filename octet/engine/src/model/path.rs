//! How long a path's round trip is, given its distance: a skewed, heavy-tailed density of the inflation
//! ln((t + 2) / (d / 100 + 2)), t in ms and d in km, whose shape varies with distance and whose place varies with
//! both ends. It knows no client and no last mile.

use serde::{Deserialize, Serialize};

use super::{Detours, ParameterError};

/// The fitted paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Path {
    /// The density by distance.
    pub shape: PathShape,
    /// What pairs of places add to the inflation.
    pub detours: Detours,
}

/// A split Student density of the inflation; each list has one value a knot of distance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathShape {
    /// The distances in km.
    pub knots_km: Vec<f64>,
    /// The mode.
    pub mode: Vec<f64>,
    /// Natural logarithm of the scale below the mode.
    pub ln_left: Vec<f64>,
    /// Natural logarithm of the scale above the mode.
    pub ln_right: Vec<f64>,
    /// Degrees of freedom below the mode.
    pub left_df: f64,
    /// Degrees of freedom above the mode.
    pub right_df: f64,
}

/// The straight fibre's round trip over `km`, plus what any host takes, in ms, as a logarithm.
#[must_use]
pub fn ln_floor(km: f64) -> f64 {
    (km / 100.0 + 2.0).ln()
}

impl PathShape {
    /// The density at one distance, given as ln(d/100 + 2).
    #[must_use]
    pub fn at(&self, ln_floor: f64) -> PathDensity {
        let knots: Vec<f64> = self.knots_km.iter().map(|&km| self::ln_floor(km)).collect();
        let above = knots.partition_point(|&knot| knot <= ln_floor).clamp(1, knots.len() - 1);
        let (low, high) = (knots[above - 1], knots[above]);
        let share = ((ln_floor - low) / (high - low)).clamp(0.0, 1.0);
        let of = |list: &[f64]| list[above - 1] * (1.0 - share) + list[above] * share;
        let (left, right) = (of(&self.ln_left).exp(), of(&self.ln_right).exp());
        PathDensity::new(of(&self.mode), left, right, self.left_df, self.right_df)
    }

    pub(super) fn check(&self) -> Result<(), ParameterError> {
        let knots = self.knots_km.len();
        let ascending = self.knots_km.windows(2).all(|pair| pair[0] < pair[1]);
        if !(2..=32).contains(&knots) || !ascending || self.knots_km.iter().any(|km| !(0.0..=30_000.0).contains(km)) {
            return Err(ParameterError::Range("knot of distance"));
        }
        let lists = [&self.mode, &self.ln_left, &self.ln_right];
        if lists.iter().any(|list| list.len() != knots || list.iter().any(|value| !(-10.0..=5.0).contains(value))) {
            return Err(ParameterError::Range("shape of the path"));
        }
        if [self.left_df, self.right_df].iter().any(|df| !(0.5..=100.0).contains(df)) {
            return Err(ParameterError::Range("degrees of freedom"));
        }
        Ok(())
    }
}

/// The density of the inflation at one distance: Student's on either side of its mode, each side with its own scale
/// and degrees of freedom, continuous there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathDensity {
    /// The mode.
    pub mode: f64,
    /// The scale below the mode.
    pub left: f64,
    /// The scale above it.
    pub right: f64,
    left_df: f64,
    right_df: f64,
    ln_height: f64,
}

impl PathDensity {
    /// The same about a mode that is so much higher, and so many times as wide.
    #[must_use]
    pub fn moved(self, higher: f64, wider: f64) -> Self {
        Self {
            mode: self.mode + higher,
            left: self.left * wider,
            right: self.right * wider,
            ln_height: self.ln_height - wider.ln(),
            ..self
        }
    }

    fn new(mode: f64, left: f64, right: f64, left_df: f64, right_df: f64) -> Self {
        let height = |df: f64| ln_gamma((df + 1.0) / 2.0) - ln_gamma(df / 2.0) - 0.5 * (df * std::f64::consts::PI).ln();
        let total = 0.5 * (left * (-height(left_df)).exp() + right * (-height(right_df)).exp());
        Self { mode, left, right, left_df, right_df, ln_height: -total.ln() }
    }

    /// Natural logarithm of the density of this inflation.
    #[must_use]
    pub fn ln(&self, inflation: f64) -> f64 {
        let off = inflation - self.mode;
        let (scale, df) = if off < 0.0 { (self.left, self.left_df) } else { (self.right, self.right_df) };
        let scaled = off / scale;
        self.ln_height - (df + 1.0) / 2.0 * (scaled * scaled / df).ln_1p()
    }
}

/// ln Γ(x) for x > 0 by Lanczos' approximation (g = 7, n = 9).
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let sum = COEFFICIENTS
        .iter()
        .enumerate()
        .fold(0.999_999_999_999_809_9, |sum, (index, coefficient)| sum + coefficient / (x + index as f64 + 1.0));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_density_integrates_to_one() {
        for (left, right, left_df, right_df) in [(0.1, 0.6, 6.0, 5.0), (0.3, 0.2, 3.0, 30.0)] {
            let density = PathDensity::new(0.1, left, right, left_df, right_df).moved(0.3, 1.5);
            let step = 1e-3;
            let total: f64 = (-30_000..30_000).map(|i| density.ln(f64::from(i) * step).exp() * step).sum();
            assert!((total - 1.0).abs() < 2e-3, "{total}");
        }
    }
}

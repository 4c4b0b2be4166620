//! Minimisation of smooth functions with few variables. It knows no model.

/// Minimises by resilient steps (iRprop−) along numeric gradients.
///
/// Source: Igel and Hüsken, "Improving the Rprop learning algorithm", NC 2000.
pub(super) fn rprop(start: &[f64], steps: usize, loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut at = start.to_vec();
    let mut step = vec![0.05; at.len()];
    let mut last = vec![0.0; at.len()];
    let mut best = (loss(&at), at.clone());
    for _ in 0..steps {
        let gradient: Vec<f64> = (0..at.len())
            .map(|index| {
                let mut probe = at.clone();
                probe[index] += 1e-4;
                let above = loss(&probe);
                probe[index] -= 2e-4;
                (above - loss(&probe)) / 2e-4
            })
            .collect();
        for index in 0..at.len() {
            let agreement = gradient[index] * last[index];
            let mut slope = gradient[index];
            if agreement > 0.0 {
                step[index] = f64::min(step[index] * 1.2, 0.3);
            } else if agreement < 0.0 {
                step[index] = f64::max(step[index] * 0.5, 1e-4);
                slope = 0.0;
            }
            if slope != 0.0 {
                at[index] -= slope.signum() * step[index];
            }
            last[index] = slope;
        }
        let here = loss(&at);
        if here < best.0 {
            best = (here, at.clone());
        }
    }
    best.1
}

/// Minimises over an interval by golden sections.
pub(super) fn golden(low: f64, high: f64, steps: usize, loss: impl Fn(f64) -> f64) -> f64 {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (low, high);
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut loss_a, mut loss_b) = (loss(a), loss(b));
    for _ in 0..steps {
        if loss_a < loss_b {
            high = b;
            (b, loss_b) = (a, loss_a);
            a = high - ratio * (high - low);
            loss_a = loss(a);
        } else {
            low = a;
            (a, loss_a) = (b, loss_b);
            b = low + ratio * (high - low);
            loss_b = loss(b);
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_find_the_bottom_of_a_bowl() {
        let found = rprop(&[1.0, 1.0], 200, |at| (at[0] - 0.3).powi(2) + 4.0 * (at[1] + 0.7).powi(2));
        assert!((found[0] - 0.3).abs() < 1e-2 && (found[1] + 0.7).abs() < 1e-2);
        assert!((golden(-1.0, 2.0, 30, |x| (x - 0.5).powi(2)) - 0.5).abs() < 1e-3);
    }
}

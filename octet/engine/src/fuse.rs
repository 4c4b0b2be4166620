//! Joins what each source says of each country. Every source is a mixture with "this source says nothing", so that
//! one spoofed source cannot carry the answer. It knows no cell and no table.

/// One source's likelihood of each country, in the order of the grid's countries; not normalised.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Source {
    likelihood: Vec<f64>,
}

impl Source {
    /// The mixture: with `honest` probability what was seen has the likelihood given for each country, otherwise it
    /// has `anywhere`, whatever the country.
    pub(crate) fn mixture(likelihood: impl Iterator<Item = f64>, honest: f64, anywhere: f64) -> Self {
        let mixed = |seen: f64| honest * seen + (1.0 - honest) * anywhere;
        Self { likelihood: likelihood.map(mixed).map(|likelihood| likelihood.max(1e-12)).collect() }
    }

    /// The same, believed less.
    pub(crate) fn raised(mut self, power: f64) -> Self {
        self.likelihood.iter_mut().for_each(|likelihood| *likelihood = likelihood.powf(power));
        self
    }

    /// Both, as if independent.
    pub(crate) fn times(mut self, other: &Self) -> Self {
        self.likelihood.iter_mut().zip(&other.likelihood).for_each(|(own, other)| *own *= other);
        self
    }

    pub(crate) fn ln(&self) -> impl Iterator<Item = f64> {
        self.likelihood.iter().map(|likelihood| likelihood.ln())
    }
}

/// The sum of the sources' ln likelihoods, by country; empty without a source.
pub(crate) fn joined<'a>(sources: impl Iterator<Item = &'a Source>) -> Vec<f32> {
    let mut sum: Vec<f64> = Vec::new();
    for source in sources {
        if sum.is_empty() {
            sum = source.ln().collect();
        } else {
            sum.iter_mut().zip(source.ln()).for_each(|(sum, ln)| *sum += ln);
        }
    }
    sum.into_iter().map(|ln| ln as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_alone_against_two_that_agree_loses() {
        let source = |country: usize| {
            Source::mixture((0..3).map(move |index| if index == country { 1.0 } else { 0.0 }), 0.95, 1.0 / 3.0)
        };
        let sources = [source(0), source(1), source(1)];
        let joined = joined(sources.iter());
        assert!(joined[1] > joined[0] && joined[0] > joined[2]);
    }
}

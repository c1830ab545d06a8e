//! Medians, quartiles and geometric means.

/// The quartiles of some numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quartiles {
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
}

/// The quartiles of `x`, linear between neighbours. `x` must not be empty.
pub(crate) fn quartiles(x: &[f64]) -> Quartiles {
    let mut x = x.to_vec();
    x.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (x.len() - 1) as f64;
        let (below, above) = (x[place.floor() as usize], x[place.ceil() as usize]);
        below + (above - below) * place.fract()
    };
    Quartiles { lower: at(0.25), median: at(0.5), upper: at(0.75) }
}

/// (∏ x)^(1/n), and none of no numbers.
pub(crate) fn geometric_mean(x: &[f64]) -> Option<f64> {
    let logs: f64 = x.iter().map(|v| v.ln()).sum();
    (!x.is_empty()).then(|| (logs / x.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_of_an_even_number_of_values_lie_between_them() {
        let expected = Quartiles { lower: 1.75, median: 2.5, upper: 3.25 };
        assert_eq!(quartiles(&[4.0, 1.0, 3.0, 2.0]), expected);
        assert_eq!(quartiles(&[7.0]), Quartiles { lower: 7.0, median: 7.0, upper: 7.0 });
    }

    #[test]
    fn the_geometric_mean_of_a_ratio_and_its_inverse_is_one() {
        assert!((geometric_mean(&[4.0, 0.25]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(geometric_mean(&[]), None);
    }
}

//! What stands beyond the edge of a signal.

/// Values beyond the edge: which element of 0..n is meant by an index outside.
///
/// Every mode but [`Boundary::Zero`] continues periodically, so any index has a value, however far outside.
///
/// | mode | beyond `a b c d` | PyTorch's `padding_mode` |
/// |---|---|---|
/// | `Zero` | `0 0 0 \| a b c d \| 0 0 0` | `zeros` |
/// | `Reflect` | `d c b \| a b c d \| c b a` | `reflect` |
/// | `Replicate` | `a a a \| a b c d \| d d d` | `replicate` |
/// | `Wrap` | `b c d \| a b c d \| a b c` | `circular` |
///
/// PyTorch refuses a reflection that leaves the first period; here it goes on, as in NumPy's `pad`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Boundary {
    /// Zero.
    #[default]
    Zero,
    /// The signal mirrored at its first and last element, which are not repeated.
    Reflect,
    /// The nearest element.
    Replicate,
    /// The signal again.
    Wrap,
}

impl Boundary {
    /// The element of 0..`n` that stands at `i`; `None` for a zero, and when there are no elements.
    ///
    /// ```
    /// use striate_conv::Boundary;
    ///
    /// let left_of_four = |boundary: Boundary| [-3, -2, -1].map(|i| boundary.index(i, 4));
    /// assert_eq!(left_of_four(Boundary::Zero), [None; 3]);
    /// assert_eq!(left_of_four(Boundary::Reflect), [Some(3), Some(2), Some(1)]);
    /// assert_eq!(left_of_four(Boundary::Replicate), [Some(0); 3]);
    /// assert_eq!(left_of_four(Boundary::Wrap), [Some(1), Some(2), Some(3)]);
    /// ```
    #[inline]
    pub fn index(self, i: isize, n: usize) -> Option<usize> {
        if n == 0 {
            return None;
        }
        match (self, usize::try_from(i)) {
            (_, Ok(inside)) if inside < n => Some(inside),
            (Boundary::Zero, _) => None,
            (Boundary::Reflect, _) => {
                let period = (2 * (n - 1)).max(1);
                let phase = i.unsigned_abs() % period;
                Some(phase.min(period - phase))
            }
            (Boundary::Replicate, Ok(_)) => Some(n - 1),
            (Boundary::Replicate, Err(_)) => Some(0),
            (Boundary::Wrap, Ok(after)) => Some(after % n),
            (Boundary::Wrap, Err(_)) => Some(n - 1 - (i.unsigned_abs() - 1) % n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks outwards one step at a time.
    #[test]
    fn indices_far_outside_are_those_of_a_walk() {
        for n in 1..6 {
            let (mut bounce, mut forward) = (0, true);
            for i in 0..40_isize {
                assert_eq!(Boundary::Wrap.index(i, n), Some(i as usize % n));
                assert_eq!(Boundary::Wrap.index(i - 40 * n as isize, n), Some(i as usize % n));
                assert_eq!(Boundary::Replicate.index(i, n), Some((i as usize).min(n - 1)));
                assert_eq!(Boundary::Reflect.index(i, n), Some(bounce), "{i} of {n}");
                assert_eq!(Boundary::Reflect.index(-i, n), Some(bounce), "{} of {n}", -i);
                assert_eq!(Boundary::Zero.index(i, n), (i < n as isize).then_some(i as usize));
                if n > 1 {
                    forward = if bounce == 0 { true } else { forward && bounce + 1 < n };
                    bounce = if forward { bounce + 1 } else { bounce - 1 };
                }
            }
            assert_eq!(Boundary::Replicate.index(-7, n), Some(0));
            assert_eq!(Boundary::Zero.index(-1, n), None);
        }
    }

    #[test]
    fn extreme_indices_and_no_elements_do_not_panic() {
        for boundary in [Boundary::Zero, Boundary::Reflect, Boundary::Replicate, Boundary::Wrap] {
            assert_eq!(boundary.index(0, 0), None);
            for i in [isize::MIN, isize::MAX] {
                for n in [1, 2, 7, isize::MAX as usize] {
                    assert!(boundary.index(i, n).is_none_or(|index| index < n));
                }
            }
        }
    }
}

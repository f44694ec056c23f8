//! One number of an invocation.

/// One number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Metric {
    name: &'static str,
    unit: &'static str,
    value: u64,
}

impl Metric {
    /// So many of something.
    pub fn count(name: &'static str, value: impl TryInto<u64>) -> Self {
        Self { name, unit: "Count", value: value.try_into().unwrap_or(u64::MAX) }
    }

    /// So long.
    pub fn milliseconds(name: &'static str, value: impl TryInto<u64>) -> Self {
        Self { name, unit: "Milliseconds", value: value.try_into().unwrap_or(u64::MAX) }
    }

    /// What it is called.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The word of CloudWatch for what it counts.
    pub(crate) const fn unit(&self) -> &'static str {
        self.unit
    }

    /// How many.
    pub(crate) const fn value(&self) -> u64 {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_does_not_fit_is_the_largest_one() {
        assert_eq!(Metric::count("N", -1_i64).value, u64::MAX);
        assert_eq!(Metric::count("N", 7_usize).value, 7);
    }
}

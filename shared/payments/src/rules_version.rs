//! The version of the rules by which invoices are judged.

/// Raised whenever the algorithm changes, so that settled invoices are judged again.
pub(crate) const ALGORITHM: u32 = 6;

/// The rules of this version, in short: what was judged by earlier ones may have to be judged again.
pub(crate) fn rules() -> String {
    format!("rules={ALGORITHM}")
}

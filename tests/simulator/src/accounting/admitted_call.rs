//! A call that was let in, with its caller.

use super::{request::Call, route::Route};
use crate::{faults::Manner, limits::Caller};

/// A call, its caller, and the manner in which it is to be answered.
#[derive(Clone, Debug)]
pub(super) struct AdmittedCall {
    pub(super) call: Call,
    pub(super) caller: Caller,
    pub(super) route: Route,
    pub(super) manner: Manner,
}

//! The three roles, and which of them outranks which (ST-22). The least role of an order stands in `order`, that of a page in
//! `pages`.
//!
//! The same program is deployed as three functions. IAM policies decide which of them a person may call, and what each function
//! may do to the tables: the comparison here is one lock of two.

use std::fmt;

/// As whom a function serves. Each may do what the one before it may.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Syncs, holds, releases, replays, approves.
    Operator,
    /// Changes settings, too.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The word in `CONSOLE_ROLE`, in logs and in the activity log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of this word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// What the function is called that serves as this role, behind the name of the stack.
    pub const fn function(self) -> &'static str {
        match self {
            Self::Viewer => "console",
            Self::Operator => "operate",
            Self::Admin => "administer",
        }
    }

    /// The policy that permits calling it, as the stack's outputs name it.
    pub const fn policy(self) -> &'static str {
        match self {
            Self::Viewer => "ViewerPolicy",
            Self::Operator => "OperatorPolicy",
            Self::Admin => "AdministratorPolicy",
        }
    }

    /// Whether it may do what takes at least that role.
    pub fn may(self, least: Self) -> bool {
        self >= least
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Order;
    use crate::pages::Page;

    #[test]
    fn each_role_may_what_the_one_before_it_may_and_a_viewer_orders_nothing() {
        // ST-22
        for order in Order::ALL {
            assert!(!Role::Viewer.may(order.least_role()), "{order}");
            assert!(Role::Admin.may(order.least_role()), "{order}");
        }
        for page in Page::ALL {
            assert!(Role::Admin.may(page.least_role()), "{page}");
        }
        assert!(Role::Operator.may(Order::SyncNow.least_role()));
    }

    #[test]
    fn the_settings_of_a_connection_are_for_administrators() {
        // CC-11
        let allowed: Vec<_> =
            Role::ALL.into_iter().filter(|role| role.may(Page::Configure.least_role())).collect();
        assert_eq!(allowed, [Role::Admin]);
        for order in [Order::Rename, Order::SignUp] {
            assert!(!Role::Operator.may(order.least_role()), "{order}");
        }
    }

    #[test]
    fn a_role_is_known_by_its_word() {
        for role in Role::ALL {
            assert_eq!(Role::from_code(role.code()), Some(role));
        }
        assert_eq!(Role::from_code("root"), None);
    }
}

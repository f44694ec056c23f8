//! The three roles, and which of them outranks which (ST-22).

use payments::codes;

codes! {
    /// As whom a person acts. Each role may do what the one before it may.
    Role {
        /// Looks.
        Viewer = "viewer",
        /// Syncs, holds, releases, replays, approves.
        Operator = "operator",
        /// Changes settings, too.
        Admin = "admin",
    }
}

impl Role {
    /// The name of the function that serves this role, behind the name of the stack.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_known_by_its_word() {
        for role in Role::ALL.iter().copied() {
            assert_eq!(Role::from_code(role.code()), Some(role));
        }
        assert_eq!(Role::from_code("root"), None);
    }
}

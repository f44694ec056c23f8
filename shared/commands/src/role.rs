//! The three roles, and which of them outranks which (ST-22).

use std::fmt;

/// As whom a person acts. Each role may do what the one before it may.
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

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_known_by_its_word() {
        for role in Role::ALL {
            assert_eq!(Role::from_code(role.code()), Some(role));
        }
        assert_eq!(Role::from_code("root"), None);
    }
}

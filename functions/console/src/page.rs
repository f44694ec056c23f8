//! The pages, one row each: a page more is a module with a `show`, and a row here. The rows of a place stand
//! together; its first page is the one that the place opens.

use std::fmt;

use crate::roles::Role;

/// A place of the navigation. Each page belongs to one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// Whether all is well.
    Home,
    /// The work that waits for a person.
    NeedsYou,
    /// Payments, and why each is where it is.
    Payments,
    /// Invoices, orders and customers.
    Invoices,
    /// Payments that go to Xero, and those that have gone.
    Uploads,
    /// The log of all that was done.
    Activity,
    /// Connections, runs, rejected messages, settings.
    System,
}

impl Place {
    /// Every place, in the order in which they are offered.
    pub const ALL: [Self; 7] = [
        Self::Home,
        Self::NeedsYou,
        Self::Payments,
        Self::Invoices,
        Self::Uploads,
        Self::Activity,
        Self::System,
    ];

    /// Its name in the navigation.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::NeedsYou => "Needs you",
            Self::Payments => "Payments",
            Self::Invoices => "Invoices & customers",
            Self::Uploads => "Uploads",
            Self::Activity => "Activity",
            Self::System => "System",
        }
    }

    /// Its pages that a role may see, the one that it opens first.
    pub fn pages(self, role: Role) -> impl Iterator<Item = Page> {
        let may = move |page: &Page| page.place() == self && role.may(page.least_role());
        Page::ALL.iter().copied().filter(may)
    }
}

macro_rules! pages {
    ($($page:ident = $code:literal, $module:ident, $place:ident, $least:ident, $title:literal, $what:literal;)+) => {
        /// A page. A widget's parameter `page` names the one that it shows.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Page {
            $(#[doc = $title] $page,)+
        }

        impl Page {
            /// Every page, in the order in which they are offered.
            pub const ALL: &[Self] = &[$(Self::$page),+];

            /// Its name in a widget's parameters and in logs.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$page => $code),+ }
            }

            /// Its title.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$page => $title),+ }
            }

            /// What it answers.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$page => $what),+ }
            }

            /// Where it stands in the navigation.
            pub const fn place(self) -> Place {
                match self { $(Self::$page => Place::$place),+ }
            }

            /// The least role that may see it (ST-22).
            pub const fn least_role(self) -> Role {
                match self { $(Self::$page => Role::$least),+ }
            }
        }

    };
}

/// The table, given to a macro. A row: its variant = its code, its module, its place, the least role that may see it, its
/// title, what it answers.
macro_rules! page_table { ($given:ident) => { $given! {
    Home = "home", home, Home, Viewer, "Home", "whether all is well, and what needs a person first";
    NeedsYou = "needs_you", needs_you, NeedsYou, Viewer, "Needs you",
        "the work that waits for a person, the most urgent first";
    Messages = "messages", messages, NeedsYou, Viewer, "Messages", "what operators should know";
    Discrepancies = "discrepancies", discrepancy_page, NeedsYou, Viewer, "Discrepancies",
        "what does not agree, with sums; one with its evidence and history; by `only`, `kind`, `whose`, `search`, `sort`, `place`";
    Actions = "actions", actions, NeedsYou, Viewer, "Actions",
        "which customers wait until a person has solved something";
    Why = "why", why, Payments, Viewer, "Find a payment",
        "why a payment is where it is, and what would change it; by `search`";
    Invoice = "invoice", invoice, Invoices, Viewer, "Invoice",
        "an invoice with its payments, balances and history; by `invoice`";
    Orders = "orders", orders, Invoices, Viewer, "Orders",
        "how orders stand, with sums; one with its invoices, receipts and money; by `order_id`, `kind`, `sort`";
    Customers = "customers", customers, Invoices, Viewer, "Customers",
        "customers with their contacts in Xero, and those in Xero that are not known; by `search`";
    Balances = "balances", balances, Invoices, Viewer, "Balances",
        "what customers owe, by age and by customer, and what is overdue; by `kind`, `word`";
    Closes = "closes", closes, Invoices, Viewer, "Closes",
        "what reconciles, is in transit or does not reconcile, by business day; one by `day`, `kind`";
    Reports = "reports", reports, Invoices, Viewer, "Reports",
        "the figures of weeks, months and quarters, as files; one by `word`";
    Tonight = "tonight", tonight, Uploads, Viewer, "Tonight",
        "what goes to Xero tonight, what waits for which night, what is held";
    Limits = "limits", limits, Uploads, Viewer, "Limits",
        "what is used of the nightly 200, of the 4,000 in 30 days, and of the calls to Xero";
    Activity = "activity", activity, Activity, Viewer, "Activity",
        "what was done, by which rule; by `day`, `invoice`, `word`";
    Integrations = "integrations", integrations, System, Viewer, "Integrations",
        "how each connection is, what is wrong, and what to do";
    SyncLog = "sync_log", sync_log, System, Viewer, "Sync log",
        "what each run did; by `kind`, or `only` `errors`";
    Parked = "parked", parked, System, Viewer, "Rejected messages",
        "what could not be processed, and how to do it again";
    Shadow = "shadow", shadow, System, Viewer, "Shadow",
        "what would be done, what differs from typing by hand, and when it is safe to switch on";
    DeadLetters = "dead_letters", dead_letters, System, Viewer, "Failed messages",
        "messages that failed too often: look, send again, discard";
    Configure = "configure", configure, System, Admin, "Configure", "the settings of an organisation";
}}}
pub(crate) use page_table;
page_table!(pages);

#[allow(clippy::derivable_impls, reason = "the rows of the table carry no attribute")]
impl Default for Page {
    /// The page of a widget that names none.
    fn default() -> Self {
        Self::Home
    }
}

impl Page {
    /// The page of this name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|page| page.code() == code)
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_a_place_stand_together_and_each_code_is_one_pages() {
        let places: Vec<_> = Page::ALL.iter().map(|page| page.place()).collect();
        let mut runs = places.clone();
        runs.dedup();
        let in_order: Vec<_> = Place::ALL.into_iter().filter(|at| places.contains(at)).collect();
        assert_eq!(runs, in_order);
        for page in Page::ALL.iter().copied() {
            assert_eq!(Page::from_code(page.code()), Some(page));
        }
    }
}

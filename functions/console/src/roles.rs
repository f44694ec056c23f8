//! The three roles, and which of them outranks which (ST-22). The least role of an order stands in the
//! table of commands, that of a page in `pages`.
//!
//! The same program is deployed as three functions. IAM policies decide which of them a person may call, and what each function
//! may do to the tables: the comparison here is one lock of two.

pub use commands::Role;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Order;
    use crate::page::Page;

    #[test]
    fn the_checks_of_dashboards_know_every_page_and_its_least_role() {
        let page = |page: &Page| {
            let role = page.least_role().code();
            serde_json::json!({"code": page.code(), "title": page.title(), "least_role": role})
        };
        let pages = serde_json::Value::from(Page::ALL.iter().map(page).collect::<Vec<_>>());
        let checked = include_str!("../../../infra/ci/facts/pages.json");
        let checked: serde_json::Value = serde_json::from_str(checked).unwrap();
        assert_eq!(checked, pages, "infra/ci/facts/pages.json has to be:\n{pages:#}");
    }

    #[test]
    fn each_role_may_what_the_one_before_it_may_and_a_viewer_orders_nothing() {
        // ST-22
        for order in Order::ALL.iter().copied() {
            assert!(!Role::Viewer.may(order.least_role()), "{order}");
            assert!(Role::Admin.may(order.least_role()), "{order}");
        }
        for page in Page::ALL.iter().copied() {
            assert!(Role::Admin.may(page.least_role()), "{page}");
        }
        assert!(Role::Operator.may(Order::SyncNow.least_role()));
    }

    #[test]
    fn the_settings_of_a_connection_are_for_administrators() {
        // CC-11
        let allowed: Vec<_> = Role::ALL
            .iter()
            .copied()
            .filter(|role| role.may(Page::Configure.least_role()))
            .collect();
        assert_eq!(allowed, [Role::Admin]);
        for order in [Order::Rename, Order::SignUp] {
            assert!(!Role::Operator.may(order.least_role()), "{order}");
        }
    }
}

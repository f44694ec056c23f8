//! What the function is asked for: by CloudWatch on behalf of a widget, or by a button in one.
//!
//! The event is the JSON that the dashboard's author has written as the widget's parameters, or that of a
//! button, and a `widgetContext`:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html>.
//! So nothing in it is trusted, and what is not understood is left out.

use std::collections::BTreeMap;

use commands::{FieldKind, text};
use payments::OrganisationId;
use serde_json::Value;

use crate::order::{self, Order, Said};
use crate::page::Page;

/// Longest text that is taken from an event, in characters: what is longer is no name, number or reason.
pub(crate) const TEXT_CHARS_MAX: usize = 1_000;

/// What the name of a setting's field begins with.
pub(crate) const SETTING_FIELD: &str = "pm_set_";

/// A request to the function.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Asked {
    /// What the widget is, and which parameters it takes.
    Describe,
    /// A page, perhaps after an order.
    Show(Box<Show>),
}

/// A page that is asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Show {
    /// Which page.
    pub page: Page,
    /// Whose books, if that is said.
    pub organisation: Option<OrganisationSaid>,
    /// Whether it was chosen among several: there is a way back to them.
    pub is_one_of_several: bool,
    /// The order to carry out first.
    pub order: Option<Order>,
    /// Something was ordered that is no order.
    pub unknown_order: bool,
    /// What the order is about.
    pub about: BTreeMap<String, String>,
    /// The payments that it is about, if they are several.
    pub payments: Vec<String>,
    /// Who gives it, and why.
    pub said: Said,
    /// The names to save.
    pub names: Names,
    /// Settings as they were typed, by their names.
    pub settings: BTreeMap<String, String>,
    /// The settings to save.
    pub to_save: Vec<String>,
    /// The order as its button carried it, if one is given.
    pub carried: Option<Value>,
    /// The rows to leave out.
    pub filter: Filter,
    /// Whether the dashboard is dark.
    pub dark: bool,
}

/// An organisation's id as it was said, which may be none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OrganisationSaid(pub Option<OrganisationId>);

/// The part of a page to show, as it was typed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    /// A day, `2026-11-23`.
    pub day: String,
    /// An invoice's number.
    pub invoice: String,
    /// A word in the cause, the rule or the action.
    pub word: String,
    /// What runs were about.
    pub kind: String,
    /// Only a part of a list: `errors` of runs, `breached` discrepancies and the like.
    pub only: String,
    /// Whose discrepancies, by the name of their owner.
    pub whose: String,
    /// One discrepancy, as `10234/OVERPAID#`.
    pub place: String,
    /// Anything by which a payment or an invoice may be known.
    pub search: String,
    /// The id of an order of a customer.
    pub order_id: String,
    /// By what a list is sorted.
    pub sort: String,
    /// Where an older page of a history begins.
    pub before: String,
    /// Sums of what was read before it.
    pub carried: String,
}

/// Names for people, as they were typed; empty ones are taken away.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Names {
    /// What the organisation is called.
    pub name: String,
    /// Whom to ask when a connection is lost.
    pub administrator: String,
    /// Who delivers the bank's receipts.
    pub bank_feed: String,
    /// Who takes payments by card.
    pub payment_gateway: String,
}

impl Names {
    /// Whether each of them is short enough, and nothing but text.
    pub fn fit(&self) -> bool {
        [&self.name, &self.administrator, &self.bank_feed, &self.payment_gateway]
            .into_iter()
            .all(|name| text::fits(name))
    }
}

impl Asked {
    /// Reads an event.
    pub fn read(event: &Value) -> Self {
        if event.get("describe") == Some(&Value::Bool(true)) {
            return Self::Describe;
        }
        let context = event.get("widgetContext");
        let forms = context.and_then(|context| context.get("forms")?.get("all"));
        let clear = event.get("clear") == Some(&Value::Bool(true));
        let form = |name: &str| forms.and_then(|forms| text_of(forms.get(name)?));
        // What a person has typed counts for more than what the widget was made with.
        let field = |typed: &str, given: &str| {
            let typed = if clear { None } else { form(typed) };
            typed.or_else(|| text_of(event.get(given)?)).unwrap_or_default()
        };
        let given = |name: &str| text_of(event.get(name)?).filter(|text| !text.is_empty());
        let page = given("page").and_then(|page| Page::from_code(&page)).unwrap_or_default();
        let organisation = given("organisation")
            .or_else(|| form("pm_organisation").filter(|text| !text.is_empty()))
            .map(|text| OrganisationSaid(text.parse().ok()));
        let order = given("order").and_then(|order| order::from_code(&order));
        let carried = order.and_then(|_| carried(event));
        // The fields of the panel whose button was pressed.
        let panel = event.get("panel").and_then(Value::as_u64);
        let said = |name: &str| {
            let of_panel = panel.and_then(|number| form(&format!("pm_{name}_{number}")));
            of_panel.or_else(|| form(&format!("pm_{name}"))).or_else(|| given(name))
        };
        let fields = order.map(|order| order.spec().fields).unwrap_or_default();
        // Of a list with boxes, a button for those that are ticked takes no other.
        let ticked_only = event.get("ticked") == Some(&Value::Bool(true));
        let box_of = |place: usize| forms.and_then(|forms| forms.get(tick(place)));
        let is_meant = |place: usize| !ticked_only || box_of(place).is_some_and(is_ticked);
        let about = fields.iter().filter_map(|field| {
            let typed = || form(&format!("pm_{}", field.name)).filter(|text| !text.is_empty());
            let text = match field.kind {
                FieldKind::List => event.get(field.name).and_then(|list| lines_of(list, is_meant)),
                _ => given(field.name).or_else(|| field.is_typed.then(typed).flatten()),
            };
            Some((field.name.to_owned(), text?))
        });
        let about = about.collect();
        Self::Show(Box::new(Show {
            page,
            organisation,
            is_one_of_several: event.get("several") == Some(&Value::Bool(true)),
            order,
            unknown_order: event
                .get("order")
                .is_some_and(|order| order.as_str().and_then(order::from_code).is_none()),
            about,
            payments: event
                .get("payments")
                .and_then(all_lines)
                .map_or_else(Vec::new, |lines| lines.lines().map(str::to_owned).collect()),
            said: Said { by: said("by").unwrap_or_default(), why: said("why").unwrap_or_default() },
            carried,
            settings: forms.map(settings_of).unwrap_or_default(),
            to_save: event
                .get("names")
                .and_then(all_lines)
                .map_or_else(Vec::new, |lines| lines.lines().map(str::to_owned).collect()),
            names: Names {
                name: form("pm_name").unwrap_or_default(),
                administrator: form("pm_administrator").unwrap_or_default(),
                bank_feed: form("pm_bank_feed").unwrap_or_default(),
                payment_gateway: form("pm_payment_gateway").unwrap_or_default(),
            },
            filter: Filter {
                day: field("pm_day", "day"),
                invoice: field("pm_invoice", "invoice"),
                word: field("pm_word", "word"),
                kind: field("pm_kind", "kind"),
                only: field("pm_only", "only"),
                whose: field("pm_whose", "whose"),
                place: given("place").unwrap_or_default(),
                search: field("pm_search", "search"),
                order_id: field("pm_order_id", "order_id"),
                sort: field("pm_sort", "sort"),
                before: given("before").unwrap_or_default(),
                carried: given("carried").unwrap_or_default(),
            },
            dark: context.and_then(|context| context.get("theme")?.as_str()) == Some("dark"),
        }))
    }
}

/// The fields of the settings.
fn settings_of(forms: &Value) -> BTreeMap<String, String> {
    let fields = forms.as_object().into_iter().flatten();
    let typed = fields.filter_map(|(field, value)| {
        let name = field.strip_prefix(SETTING_FIELD)?;
        Some((name.to_owned(), text_of(value)?))
    });
    typed.collect()
}

/// What a button of an order carries apart from what every button does.
fn carried(event: &Value) -> Option<Value> {
    const OF_ALL: [&str; 7] =
        ["page", "organisation", "several", "panel", "by", "why", "widgetContext"];
    let fields = event.as_object()?.iter().filter(|(name, _)| !OF_ALL.contains(&name.as_str()));
    Some(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Several texts, one on each line, those whose places are meant; none if no text is left, or one of them cannot be taken.
fn lines_of(value: &Value, is_meant: impl Fn(usize) -> bool) -> Option<String> {
    let meant = value.as_array()?.iter().enumerate().filter(|(place, _)| is_meant(*place));
    let texts: Option<Vec<_>> = meant.map(|(_, text)| text_of(text)).collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join("\n"))
}

fn all_lines(value: &Value) -> Option<String> {
    lines_of(value, |_| true)
}

/// The name of the box of a row in a list.
pub(crate) fn tick(place: usize) -> String {
    format!("pm_tick_{place}")
}

/// A box as a browser or CloudWatch sends it.
fn is_ticked(value: &Value) -> bool {
    matches!(value, Value::Bool(true)) || matches!(value.as_str(), Some("on" | "true"))
}

fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (text.chars().count() <= TEXT_CHARS_MAX).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn show(event: &Value) -> Show {
        match Asked::read(event) {
            Asked::Show(show) => *show,
            Asked::Describe => panic!("{event}"),
        }
    }

    #[test]
    fn what_is_typed_counts_for_more_than_what_the_widget_was_made_with() {
        let event = |more: Value| {
            let mut event = json!({"page": "activity", "invoice": 10234,
                "widgetContext": {"theme": "dark", "forms": {"all": {"pm_invoice": " 10235 "}}}});
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            show(&event)
        };
        let typed = event(json!({}));
        assert_eq!((typed.page, typed.dark), (Page::Activity, true));
        assert_eq!(typed.filter.invoice, "10235");
        assert_eq!(event(json!({"clear": true})).filter.invoice, "10234");
        let emptied = event(json!({"widgetContext": {"forms": {"all": {"pm_invoice": ""}}}}));
        assert_eq!(emptied.filter.invoice, "");
    }

    #[test]
    fn a_button_for_ticked_rows_takes_no_other() {
        // SP-36
        let event = |more: Value, all: Value| {
            let mut event = json!({"page": "discrepancies", "order": "take_discrepancies",
                "discrepancies": ["1/OVERPAID#", "2/OVERPAID#", "3/OVERPAID#"],
                "widgetContext": {"forms": {"all": all}}});
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            show(&event).about.get("discrepancies").cloned()
        };
        let boxes = json!({"pm_tick_0": false, "pm_tick_1": true, "pm_tick_2": "on"});
        let all = Some("1/OVERPAID#\n2/OVERPAID#\n3/OVERPAID#".to_owned());
        assert_eq!(event(json!({}), boxes.clone()), all);
        let two = Some("2/OVERPAID#\n3/OVERPAID#".to_owned());
        assert_eq!(event(json!({"ticked": true}), boxes), two);
        assert_eq!(event(json!({"ticked": true}), json!({})), None);
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for event in [
            json!(null),
            json!([]),
            json!({"page": 5, "organisation": {}, "widgetContext": []}),
            json!({"page": "x".repeat(TEXT_CHARS_MAX + 1), "describe": "yes"}),
        ] {
            assert_eq!(show(&event), Show::default(), "{event}");
        }
        assert!(show(&json!({"order": "drop_tables"})).unknown_order);
        assert!(show(&json!({"order": {"sync_now": true}})).unknown_order);
        let unnamed = show(&json!({"organisation": "<script>"}));
        assert_eq!(unnamed.organisation, Some(OrganisationSaid(None)));
    }
}

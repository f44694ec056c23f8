//! What all pages are made of. Each part is a template of its own: what it shows is escaped where it is
//! shown, so that a part may stand in a page as it is.

use std::cell::Cell;
use std::rc::Rc;

use askama::Template;
use askama::filters::HtmlSafe;
use commands::text::TEXT_CHARS_MAX;
use serde_json::{Value, json};

use crate::order::{Order, Said};
use crate::page::{Page, Place};
use crate::roles::Role;

/// A button that asks this same function for something, by CloudWatch's own element:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_interactivity.html>.
#[derive(Clone, Debug, Template)]
#[template(path = "button.html")]
pub struct Button {
    label: String,
    /// What distinguishes it from others of the same label, for people who hear it instead of seeing its row.
    about: Option<String>,
    endpoint: String,
    payload: String,
    /// Where who and why are asked, if it gives an order that changes something.
    panel: Option<Panel>,
    current: bool,
    primary: bool,
    /// Without a border: a link in a row of links.
    quiet: bool,
}

impl Button {
    /// The same button in a list of things, each of which has one: said aloud, it says which.
    pub fn about(self, what: impl Into<String>) -> Self {
        Self { about: Some(what.into()), ..self }
    }

    /// The same button under another label.
    pub fn called(self, label: String) -> Self {
        Self { label, ..self }
    }

    /// The same button with other words on it, which say what it is about.
    pub fn labelled(self, label: String) -> Self {
        Self { label, about: None, ..self }
    }

    /// The one button that the page is for.
    pub fn primary(self) -> Self {
        Self { primary: true, ..self }
    }

    /// A link among others.
    pub fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }
}

/// What opens next to a button of an order: the consequence, and the fields for who gives it and why.
#[derive(Clone, Debug)]
struct Panel {
    /// Its number on the page: the fields of each have names of their own.
    number: u32,
    said: Said,
    consequence: Option<&'static str>,
    chars_max: usize,
    /// Its order was not carried out: what was typed is still there.
    is_open: bool,
}

/// Something that was done, or was not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// Whether it went well.
    pub good: bool,
    /// In words.
    pub text: String,
    /// Where it leads on to, in the same window, and the text of the link.
    pub link: Option<(String, &'static str)>,
}

impl Notice {
    /// It went well.
    pub fn good(text: impl Into<String>) -> Self {
        Self { good: true, text: text.into(), link: None }
    }

    /// It did not.
    pub fn bad(text: impl Into<String>) -> Self {
        Self { good: false, text: text.into(), link: None }
    }

    /// The same with a link.
    pub fn leading_to(self, address: String, label: &'static str) -> Self {
        Self { link: Some((address, label)), ..self }
    }
}

/// The links that stand on every page.
#[derive(Clone, Debug, Default)]
pub struct Navigation {
    /// The places.
    pub places: Vec<Button>,
    /// The pages of the one that is shown, if there are several.
    pub pages: Vec<Button>,
}

/// What stands around every page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Whether the dashboard is dark.
    pub dark: bool,
    /// What the page is.
    pub title: &'static str,
    /// Whose books.
    pub organisation: String,
    /// As whom the function serves.
    pub role: Role,
    /// Where else to go.
    pub nav: Navigation,
    /// What came of an order.
    pub notices: Vec<Notice>,
    /// What stands in the way of the whole organisation, a sentence each.
    pub trouble: Vec<String>,
    /// What the page rests on.
    pub footer: String,
}

/// Where the buttons of a page lead, and what they all say.
#[derive(Clone, Debug)]
pub struct Buttons {
    /// The function's own ARN.
    pub endpoint: String,
    /// Whose books.
    pub organisation: Option<String>,
    /// As whom it serves.
    pub role: Role,
    /// Whether that one was chosen among several.
    pub is_one_of_several: bool,
    /// The name and the reason that were typed last: they go with the reader from page to page.
    pub said: Said,
    /// The order that was not carried out, as its button carried it: its panel is open again.
    pub again: Option<Value>,
    /// How many panels the page has so far.
    pub panels: Rc<Cell<u32>>,
}

impl Buttons {
    /// Those of a page without panels yet.
    pub fn new(endpoint: String, organisation: Option<String>, role: Role, said: Said) -> Self {
        Self {
            endpoint,
            organisation,
            role,
            is_one_of_several: false,
            said,
            again: None,
            panels: Rc::default(),
        }
    }

    /// A button that shows a page, with these parameters.
    pub fn page(&self, label: &str, page: Page, more: Value) -> Button {
        self.button(label, with(json!({"page": page.code()}), more))
    }

    /// A button that gives an order from a page; `None` if the role may not.
    pub fn order(&self, order: Order, from: Page, more: Value) -> Option<Button> {
        if !self.role.may(order.least_role()) {
            return None;
        }
        let carried = with(json!({"order": order.code()}), more);
        let payload = with(json!({"page": from.code()}), carried.clone());
        if order.is_read_only() {
            return Some(self.button(order.label(), payload));
        }
        let panel = self.panel(order, &carried);
        let payload = with(json!({"panel": panel.number}), payload);
        Some(Button { panel: Some(panel), ..self.button(order.label(), payload) })
    }

    fn panel(&self, order: Order, carried: &Value) -> Panel {
        let number = self.panels.get().saturating_add(1);
        self.panels.set(number);
        let consequence = order.confirmation();
        Panel {
            number,
            said: self.said.clone(),
            consequence: consequence.map(|text| text.trim_end_matches(" Go on?")),
            chars_max: TEXT_CHARS_MAX,
            is_open: self.again.as_ref() == Some(carried),
        }
    }

    /// The places, and the pages of the one that is shown, as far as the role may see them.
    pub fn nav(&self, current: Page) -> Navigation {
        let button = |label: &str, page: Page, is_here: bool| Button {
            current: is_here,
            quiet: true,
            // Text typed on one page says nothing about another.
            ..self.page(label, page, json!({"clear": true}))
        };
        let place = |place: Place| {
            let first = place.pages(self.role).next()?;
            Some(button(place.title(), first, place == current.place()))
        };
        let pages: Vec<_> = current.place().pages(self.role).collect();
        let several = pages.len() > 1;
        let pages = pages.into_iter().filter(|_| several);
        let all = || {
            let of_none = Self { organisation: None, ..self.clone() };
            of_none.page("All organisations", Page::Home, json!({"clear": true})).quiet()
        };
        let back = self.is_one_of_several.then(all);
        Navigation {
            places: back.into_iter().chain(Place::ALL.into_iter().filter_map(place)).collect(),
            pages: pages.map(|page| button(page.title(), page, page == current)).collect(),
        }
    }

    fn button(&self, label: &str, payload: Value) -> Button {
        let said = [("by", &self.said.by), ("why", &self.said.why)];
        let said = said.into_iter().filter(|(_, text)| !text.is_empty());
        let said = said.map(|(name, text)| (name.to_owned(), json!(text))).collect();
        let payload = with(Value::Object(said), payload);
        let payload = match &self.organisation {
            Some(organisation) if self.is_one_of_several => {
                with(json!({"organisation": organisation, "several": true}), payload)
            }
            Some(organisation) => with(json!({"organisation": organisation}), payload),
            None => payload,
        };
        Button {
            label: label.to_owned(),
            about: None,
            endpoint: self.endpoint.clone(),
            payload: embedded(&payload),
            panel: None,
            current: false,
            primary: false,
            quiet: false,
        }
    }
}

fn with(mut first: Value, more: Value) -> Value {
    if let (Some(first), Value::Object(more)) = (first.as_object_mut(), more) {
        first.extend(more);
    }
    first
}

/// JSON that means the same whether or not its reader has undone HTML's escapes.
fn embedded(value: &Value) -> String {
    let text = value.to_string();
    text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

/// How much of a limit is used: a bar, and the same in words.
#[derive(Clone, Debug, Template)]
#[template(path = "bar.html")]
pub struct Bar {
    label: String,
    words: String,
    percent: u32,
    is_high: bool,
}

impl Bar {
    /// So much of so much, and what follows from it.
    pub fn new(label: impl Into<String>, used: u32, max: u32, note: &str) -> Self {
        let percent = u64::from(used).saturating_mul(100) / u64::from(max.max(1));
        let percent = u32::try_from(percent).unwrap_or(u32::MAX).min(100);
        let words = format!("{used} of {max} ({percent}%){note}");
        Self { label: label.into(), words, percent, is_high: percent >= HIGH_PERCENT }
    }
}

/// From when on a limit is near: operators are warned of the attempts from then on (AMB-09).
const HIGH_PERCENT: u32 = 75;

/// One column of a chart.
#[derive(Clone, Debug)]
pub struct Column {
    /// What it is of.
    pub label: String,
    /// How high, as a number that is shown.
    pub value: u32,
    /// Its place from the left, in the chart's units.
    x: usize,
    /// Its height, of [`CHART_HEIGHT`].
    height: u32,
    /// Its upper end.
    y: u32,
}

const CHART_HEIGHT: u32 = 100;
const COLUMN_WIDTH: usize = 10;
/// Room for so many, so that two nights are not two blocks.
const COLUMNS_MIN: usize = 14;

/// Columns side by side; the same numbers stand in a table beneath.
#[derive(Clone, Debug, Template)]
#[template(path = "chart.html")]
pub struct Chart {
    title: &'static str,
    summary: String,
    columns: Vec<Column>,
    width: usize,
    height: u32,
}

impl Chart {
    /// A chart of these numbers, `max` being the full height.
    pub fn new(title: &'static str, summary: String, max: u32, values: Vec<(String, u32)>) -> Self {
        let width = values.len().max(COLUMNS_MIN).saturating_mul(COLUMN_WIDTH);
        let columns = values.into_iter().enumerate().map(|(place, (label, value))| {
            let height =
                u64::from(value).saturating_mul(u64::from(CHART_HEIGHT)) / u64::from(max.max(1));
            let height = u32::try_from(height).unwrap_or(CHART_HEIGHT).min(CHART_HEIGHT);
            // A small number is not none.
            let height = if value > 0 { height.max(1) } else { 0 };
            let (x, y) = (place.saturating_mul(COLUMN_WIDTH), CHART_HEIGHT.saturating_sub(height));
            Column { label, value, x, height, y }
        });
        Self { title, summary, columns: columns.collect(), width, height: CHART_HEIGHT }
    }
}

impl HtmlSafe for Button {}
impl HtmlSafe for Bar {}
impl HtmlSafe for Chart {}

#[cfg(test)]
mod tests {
    use super::*;

    fn buttons(role: Role) -> Buttons {
        Buttons::new("arn:x".to_owned(), None, role, Said::default())
    }

    #[test]
    fn what_a_button_carries_cannot_break_out_of_it() {
        let hostile = json!({"invoice": "</cwdb-action><script>alert('&quot;\"')</script>"});
        let button = buttons(Role::Viewer).page("<b>", Page::Activity, hostile.clone());
        let html = button.render().unwrap();
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert_eq!(html.matches("</cwdb-action>").count(), 1, "{html}");
        // The text with its escapes undone is the same JSON.
        let read: Value = serde_json::from_str(&button.payload).unwrap();
        assert_eq!(read["invoice"], hostile["invoice"]);
    }

    #[test]
    fn a_button_for_what_the_role_may_not_is_not_there() {
        // ST-22
        for (role, there) in [(Role::Viewer, false), (Role::Operator, true), (Role::Admin, true)] {
            let button = buttons(role).order(Order::SyncNow, Page::Integrations, json!({}));
            assert_eq!(button.is_some(), there, "{role}");
        }
    }

    #[test]
    fn a_button_that_stands_in_every_row_says_which_row_is_its_own() {
        let button = buttons(Role::Operator).order(Order::Solve, Page::Actions, json!({}));
        let html = button.unwrap().about("\"><b>").render().unwrap();
        // The visible label begins the name, so that a person who speaks it finds the button.
        assert!(html.contains(">Mark as solved…</summary>"), "{html}");
        assert!(html.contains("aria-label=\"Mark as solved: &#34;&#62;&#60;b&#62;\""), "{html}");
    }

    #[test]
    fn bars_and_columns_never_leave_their_frame() {
        let bar = Bar::new("x", 9_000, 4_000, "");
        assert_eq!((bar.percent, bar.is_high), (100, true));
        assert_eq!(Bar::new("x", 1, 0, "").percent, 100);
        let chart = Chart::new("x", String::new(), 200, vec![("a".into(), 1), ("b".into(), 500)]);
        let sizes: Vec<_> = chart.columns.iter().map(|c| (c.x, c.y, c.height)).collect();
        assert_eq!(sizes, [(0, 99, 1), (10, 0, 100)]);
    }
}

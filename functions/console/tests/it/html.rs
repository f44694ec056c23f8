//! What a page is made of, as a browser reads it: good enough for pages that we write ourselves. Text that
//! breaks out of its place shows up as an element or an attribute that is none of ours.

/// What those who cannot see a page hear of the buttons that give orders.
pub fn names_of_orders(html: &str) -> Vec<String> {
    let buttons = html.split("<button ").skip(1);
    let orders = buttons.filter(|button| button.contains("&#34;order&#34;"));
    orders
        .map(|button| {
            let (start, rest) = button.split_once('>').unwrap();
            let label = start.split_once("aria-label=\"").map(|(_, label)| label.split('"').next());
            label.flatten().unwrap_or_else(|| rest.split('<').next().unwrap()).to_owned()
        })
        .collect()
}

const ELEMENTS: &[&str] = &[
    "a",
    "br",
    "button",
    "code",
    "cwdb-action",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "h2",
    "h3",
    "h4",
    "input",
    "label",
    "legend",
    "li",
    "line",
    "nav",
    "option",
    "p",
    "pre",
    "rect",
    "section",
    "select",
    "span",
    "strong",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];
const ATTRIBUTES: &[&str] = &[
    "action",
    "aria-current",
    "aria-hidden",
    "aria-label",
    "autocomplete",
    "class",
    "data-label",
    "display",
    "endpoint",
    "event",
    "height",
    "href",
    "lang",
    "maxlength",
    "name",
    "open",
    "preserveaspectratio",
    "rel",
    "required",
    "role",
    "scope",
    "selected",
    "target",
    "type",
    "value",
    "viewbox",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
];

/// Xero itself, its documentation and its support: pages lead nowhere else.
const XERO: [&str; 3] =
    ["https://go.xero.com/", "https://developer.xero.com/", "https://central.xero.com/"];

/// Elements with their attributes.
pub fn tags(html: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = end_of_tag(rest);
        let (tag, after) = rest.split_at(end);
        rest = after;
        let tag = tag.strip_prefix('/').unwrap_or(tag);
        let name: String = tag.chars().take_while(|c| !c.is_whitespace()).collect();
        tags.push((name.to_lowercase(), attributes(&tag[name.len()..])));
    }
    tags
}

fn end_of_tag(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    panic!("a tag that never ends: {text}")
}

fn attributes(mut text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return found;
        }
        let name: String = text.chars().take_while(|c| !c.is_whitespace() && *c != '=').collect();
        text = &text[name.len()..];
        let mut value = String::new();
        if let Some(quoted) = text.strip_prefix("=\"") {
            let (inside, after) = quoted.split_once('"').unwrap();
            value = inside.to_owned();
            text = after;
        } else {
            assert!(!text.starts_with('='), "a value without quotes: {text}");
        }
        found.push((name.to_lowercase(), value));
    }
}

/// What the text of a page says, without its tags and styles.
pub fn text(html: &str) -> String {
    let after_style = html.split_once("</style>").map_or(html, |(_, after)| after);
    let mut text = String::new();
    let mut rest = after_style;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        text.push(' ');
        // What a button carries is for CloudWatch, and not to be read.
        let action = rest[start..].strip_prefix("<cwdb-action");
        if let Some((_, after)) = action.and_then(|action| action.split_once("</cwdb-action>")) {
            rest = after;
            continue;
        }
        rest = &rest[start + 1..];
        rest = &rest[end_of_tag(rest) + 1..];
    }
    text.push_str(rest);
    for (escape, sign) in
        [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
    {
        text = text.replace(escape, sign);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Nothing in the page runs, loads or submits anything; all that can be pressed can be reached by keyboard.
pub fn assert_harmless(html: &str) {
    for (name, attributes) in tags(html) {
        assert!(ELEMENTS.contains(&name.as_str()), "an element <{name}> in {html}");
        for (attribute, value) in &attributes {
            assert!(ATTRIBUTES.contains(&attribute.as_str()), "<{name} {attribute}> in {html}");
            if attribute == "href" {
                // A page of Xero, its support, or a file for which the function has signed.
                let is_support = *value == payments::explanations::XERO_SUPPORT;
                let is_signed = value.contains("X-Amz-Signature=");
                let is_xeros = XERO.iter().any(|place| value.starts_with(place));
                assert!(is_xeros || is_support || is_signed, "{value}");
            }
        }
        if name == "a" && !attributes.is_empty() {
            assert!(attributes.iter().any(|(attribute, _)| attribute == "href"), "{attributes:?}");
        }
    }
    let style = html.split_once("<style>").and_then(|(_, after)| after.split_once("</style>"));
    let style = style.unwrap().0;
    for loads in ["url(", "@import", "expression("] {
        assert!(!style.contains(loads), "{loads}");
    }
    // Each of CloudWatch's actions follows a real button.
    let actions = html.matches("<cwdb-action").count();
    assert_eq!(html.matches("</button><cwdb-action").count(), actions);
}

//! A stored report against the log (SP-33): counted again, it has to give the same bytes.

use serde_json::Value;

/// What of a report is another one, for people: the parts that differ, and of the figures each by its name.
pub(crate) fn difference(stored: Option<&[u8]>, counted: &[u8]) -> String {
    let Some(stored) = stored else { return "its file is gone from the bucket".to_owned() };
    let (Ok(stored), Ok(counted)) =
        (serde_json::from_slice::<Value>(stored), serde_json::from_slice::<Value>(counted))
    else {
        return "its file in the bucket was altered, and is no report any more".to_owned();
    };
    let mut parts: Vec<String> = ["organisation", "period", "basis"]
        .into_iter()
        .filter(|part| stored[*part] != counted[*part])
        .map(str::to_owned)
        .collect();
    for seal in counted["log"]["seals"].as_array().into_iter().flatten() {
        let is_known = stored["log"]["seals"].as_array().is_some_and(|seals| seals.contains(seal));
        if !is_known {
            parts.push(format!("the seal of {}", seal[0].as_str().unwrap_or_default()));
        }
    }
    if parts.is_empty() && stored["log"] != counted["log"] {
        parts.push("the rows of the log".to_owned());
    }
    for (known, found) in sheets(&stored).iter().zip(sheets(&counted)) {
        let name = found["name"].as_str().unwrap_or_default();
        let rows = |sheet: &Value| sheet["rows"].as_array().cloned().unwrap_or_default();
        let (known, found) = (rows(known), rows(found));
        if known == found {
            continue;
        }
        if name != "figures" {
            parts.push(name.to_owned());
            continue;
        }
        for (known, found) in known.iter().zip(&found).filter(|(known, found)| known != found) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            parts.push(format!(
                "{} {} in place of {}",
                text(&found[0]),
                text(&found[5]),
                text(&known[5])
            ));
        }
    }
    match parts.is_empty() {
        true => "its file in the bucket was altered".to_owned(),
        false => format!("the log gives other: {}", parts.join(", ")),
    }
}

fn sheets(report: &Value) -> &[Value] {
    report["sheets"].as_array().map_or(&[], Vec::as_slice)
}

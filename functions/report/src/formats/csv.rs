//! A table as text that a spreadsheet reads (RFC 4180).

use figures::{Cell, Sheet};

/// One line for the columns, and one for each row.
pub(super) fn text(sheet: &Sheet) -> String {
    let mut text = sheet.columns.join(",") + "\n";
    for row in &sheet.rows {
        let cells: Vec<_> = row.iter().map(quoted).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

/// A cell, in quotes where it needs them. A text that a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(cell: &Cell) -> String {
    let shown = cell.to_string();
    let shown = match cell {
        Cell::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
            format!("'{shown}")
        }
        _ => shown,
    };
    match shown.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", shown.replace('"', "\"\"")),
        false => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_text() {
        let row = |cells: [&str; 2]| cells.map(Cell::from).to_vec();
        let rows = vec![row(["a,b", "say \"x\""]), row(["=1+1", "x"])];
        let sheet = Sheet { name: "x", title: "X", columns: &["one", "two"], rows };
        assert_eq!(text(&sheet), "one,two\n\"a,b\",\"say \"\"x\"\"\"\n'=1+1,x\n");
    }
}

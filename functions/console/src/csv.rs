//! Lists as text that a spreadsheet reads (RFC 4180). CloudWatch offers no download, so that it is copied from the page.

/// One line for the titles, and one for each row.
pub(crate) fn csv<const COLUMNS: usize>(
    titles: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut text = line(titles.map(str::to_owned));
    for row in rows {
        text.push_str(&line(row));
    }
    text
}

fn line<const COLUMNS: usize>(cells: [String; COLUMNS]) -> String {
    cells.map(|cell| quoted(&cell)).join(",") + "\n"
}

/// A cell in quotes where it needs them. What a spreadsheet would take for a formula stays text; a number is none.
fn quoted(cell: &str) -> String {
    let is_number = cell.strip_prefix('-').is_some_and(|rest| {
        rest.starts_with(|first: char| first.is_ascii_digit())
            && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
    });
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    let cell = if is_formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_text() {
        let rows = [["a,b", "say \"x\""], ["=1+1", "-5.00"], ["-1+cmd", ""]];
        let rows = rows.map(|row| row.map(str::to_owned));
        let expected = "one,two\n\"a,b\",\"say \"\"x\"\"\"\n'=1+1,-5.00\n'-1+cmd,\n";
        assert_eq!(csv(["one", "two"], rows), expected);
    }
}

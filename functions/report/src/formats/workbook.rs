//! One workbook with a sheet for each table.

use figures::{Cell, Sheet};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::Heading;

/// Digits of a number that a workbook keeps. An amount with more of them is a text there.
const DIGITS_MAX: usize = 15;
/// Characters of a text that a cell of a workbook takes.
const CHARS_MAX: usize = 32_000;
/// Rows of a sheet, its columns included.
const ROWS_MAX: usize = 1_048_576;

/// The bytes of the workbook; the same for the same tables.
pub(super) fn xlsx(heading: &Heading, sheets: &[Sheet]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // When it was made would make each one another.
    let first = heading.period.first;
    let made = ExcelDateTime::from_ymd(
        u16::try_from(first.year()).unwrap_or(1900),
        u8::try_from(first.month()).unwrap_or(1),
        u8::try_from(first.day()).unwrap_or(1),
    )?;
    let properties = DocProperties::new().set_title(heading.period.to_string());
    book.set_properties(&properties.set_creation_datetime(&made));
    let bold = Format::new().set_bold();
    let cover = book.add_worksheet();
    cover.set_name("report")?;
    let lines = [
        ("organisation", heading.organisation.clone()),
        ("period", heading.period.to_string()),
        ("time zone", heading.time_zone.clone()),
        ("checksum of report.json", heading.checksum.to_string()),
        ("rests on", heading.rests_on.clone()),
    ];
    for (row, (name, value)) in (0..).zip(lines) {
        cover.write_string_with_format(row, 0, name, &bold)?;
        cover.write_string(row, 1, value)?;
    }
    cover.set_column_width(0, 28)?.set_column_width(1, 90)?;
    for sheet in sheets {
        fill(book.add_worksheet(), sheet, &bold)?;
    }
    book.save_to_buffer()
}

fn fill(page: &mut Worksheet, sheet: &Sheet, bold: &Format) -> Result<(), XlsxError> {
    page.set_name(sheet.name)?.set_freeze_panes(1, 0)?;
    for (column, name) in (0..).zip(sheet.columns) {
        page.write_string_with_format(0, column, *name, bold)?;
        page.set_column_width(column, 18)?;
    }
    for (row, cells) in (1..).zip(sheet.rows.iter().take(ROWS_MAX - 1)) {
        for (column, cell) in (0..).zip(cells) {
            write(page, (row, column), cell)?;
        }
    }
    Ok(())
}

fn write(page: &mut Worksheet, (row, column): (u32, u16), cell: &Cell) -> Result<(), XlsxError> {
    let shown = cell.to_string();
    let is_number = matches!(cell, Cell::Amount(_) | Cell::Count(_));
    let digits = shown.chars().filter(char::is_ascii_digit).count();
    match shown.parse::<f64>() {
        Ok(number) if is_number && digits <= DIGITS_MAX => {
            page.write_number(row, column, number)?
        }
        _ if matches!(cell, Cell::Empty) => return Ok(()),
        _ => page.write_string(row, column, shown.chars().take(CHARS_MAX).collect::<String>())?,
    };
    Ok(())
}

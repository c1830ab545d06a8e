//! Tables that read well in a terminal and are Markdown.

/// A table: its head and its rows, with the first column to the left and the others to the right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|&word| word.to_owned()).collect();
    let width = |column: usize| {
        std::iter::once(&head).chain(rows).map(|row| row[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = |(column, &width): (usize, &usize)| match column {
        0 => "-".repeat(width + 2),
        _ => "-".repeat(width + 1) + ":",
    };
    let rules: Vec<String> = widths.iter().enumerate().map(rule).collect();
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{}|{}|\n{body}", line(&head), rules.join("|"))
}

/// A number with three significant digits.
pub(crate) fn digits(x: f64) -> String {
    let decimals = (2 - x.abs().max(1e-9).log10().floor() as i32).clamp(0, 9);
    format!("{x:.*}", decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = table(&["row", "ms"], &[vec!["µ".into(), "1.25".into()]]);
        assert_eq!(text, "| row |   ms |\n|-----|-----:|\n| µ   | 1.25 |\n");
    }

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!(
            [0.01234, 1.0, 12.34, 123.4, 1234.0].map(digits),
            ["0.0123", "1.00", "12.3", "123", "1234"]
        );
    }
}

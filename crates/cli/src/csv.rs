//! Rows of CSV (RFC 4180), each in one line.
//!
//! The crates for CSV repair an open quotation mark silently and copy every field. Here a row that is not
//! CSV is an error, and what is not quoted is borrowed: tables hold secrets.

use alloc::borrow::Cow;
use alloc::vec::Vec;

/// What may be between fields: spreadsheets write the second where a comma is part of numbers.
pub(crate) const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// The fields of a row; `None` if a quotation mark is open, or something follows a closed one.
pub(crate) fn fields<'r>(row: &'r str, separators: &[char]) -> Option<Vec<Cow<'r, str>>> {
    let mut fields = Vec::new();
    let mut rest = Some(row);
    while let Some(text) = rest {
        let Some(quoted) = text.trim_start_matches(' ').strip_prefix('"') else {
            let (field, more) = match text.split_once(separators) {
                Some((field, more)) => (field, Some(more)),
                None => (text, None),
            };
            fields.push(Cow::Borrowed(field.trim()));
            rest = more;
            continue;
        };
        // A quotation mark inside is written twice.
        let mut field = Cow::Borrowed("");
        let mut quoted = quoted;
        loop {
            let (part, more) = quoted.split_once('"')?;
            if field.is_empty() {
                field = Cow::Borrowed(part);
            } else {
                field.to_mut().push_str(part);
            }
            quoted = more;
            match more.strip_prefix('"') {
                Some(more) => {
                    field.to_mut().push('"');
                    quoted = more;
                }
                None => break,
            }
        }
        fields.push(field);
        rest = match quoted.trim_matches(' ') {
            "" => None,
            more => Some(more.strip_prefix(separators)?),
        };
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_rows() {
        for (row, separators, expected) in [
            ("a,b", &[','][..], Some(vec!["a", "b"])),
            (" a , ", &[','], Some(vec!["a", ""])),
            ("", &[','], Some(vec![""])),
            ("\"a,b\",c", &[','], Some(vec!["a,b", "c"])),
            (
                "\"say \"\"x\"\"\", \"\"",
                &[','],
                Some(vec!["say \"x\"", ""]),
            ),
            ("\"\"\"\"", &[','], Some(vec!["\""])),
            ("\"a", &[','], None),
            ("\"a\"b", &[','], None),
            ("a;b,c", &[';'], Some(vec!["a", "b,c"])),
            ("a\t\"b\"\tc", &['\t'], Some(vec!["a", "b", "c"])),
            ("a\t\t", &['\t'], Some(vec!["a", "", ""])),
            ("a;b,c", &SEPARATORS, Some(vec!["a", "b", "c"])),
        ] {
            let found = fields(row, separators);
            let expected = expected.map(|all| all.into_iter().map(Cow::from).collect::<Vec<_>>());
            assert_eq!(found, expected, "{row}");
        }
    }
}

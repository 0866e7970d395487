//! Text in columns: wrapped, padded, or shortened in the middle.

use core::ops::Range;

use textwrap::core::break_words;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The number of columns that a text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// The text in lines of at most `width` columns. Words that are longer are broken.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let options = Options::new(width.max(2)).word_splitter(WordSplitter::NoHyphenation);
    let lines = textwrap::wrap(text, options);
    lines.into_iter().map(Into::into).collect()
}

/// Where a text is broken into lines: the first of at most `first` columns, the others of `rest`. The
/// blanks between two lines are in neither.
pub(crate) fn lines_of(text: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    let (first, rest) = (first.max(2), rest.max(2));
    let widths = [first, rest];
    let words = WordSeparator::AsciiSpace.find_words(text);
    let words = break_words(words, first.min(rest));
    let mut at = 0_usize;
    let lines = WrapAlgorithm::FirstFit.wrap(&words, &widths);
    let lines = lines.into_iter().map(|words| {
        let start = at;
        let mut end = at;
        for word in words {
            end = at.saturating_add(word.word.len());
            at = end.saturating_add(word.whitespace.len());
        }
        start..end
    });
    lines.collect()
}

/// The text in exactly `width` columns: filled up with blanks, or shortened in the middle, where at
/// most `head` columns are left of the beginning.
pub(crate) fn fitted(text: &str, width: usize, head: usize) -> String {
    let mut fitted = shortened(text, width, head);
    let missing = width.saturating_sub(columns(&fitted));
    fitted.extend(core::iter::repeat_n(' ', missing));
    fitted
}

fn shortened(text: &str, width: usize, head: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let head = within(text.chars(), head.min(room));
    let mut tail = within(text.chars().rev(), room.saturating_sub(columns(&head)));
    tail = tail.chars().rev().collect();
    format!("{head}…{tail}")
}

/// The first characters that fit into `width` columns.
fn within(characters: impl Iterator<Item = char>, width: usize) -> String {
    let mut taken = 0_usize;
    characters
        .take_while(|character| {
            taken = taken.saturating_add(character.width().unwrap_or(0));
            taken <= width
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_between_words() {
        assert_eq!(wrapped("ab cd ef", 5), ["ab cd", "ef"]);
        assert_eq!(wrapped("ab cd ef", 4), ["ab", "cd", "ef"]);
        assert_eq!(wrapped("abcdefg hi", 3), ["abc", "def", "g", "hi"]);
        assert_eq!(wrapped("日本語", 4), ["日本", "語"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(wrapped("日本", 0), ["日", "本"]);
    }

    #[test]
    fn lines_leave_out_the_blanks_between_them() {
        let of = |text: &'static str, first, rest| -> Vec<&str> {
            let lines = lines_of(text, first, rest).into_iter();
            lines.map(|line| text.get(line).unwrap()).collect()
        };
        assert_eq!(of("ab  cd ef", 6, 4), ["ab  cd", "ef"]);
        assert_eq!(of("ab  cd ef", 5, 9), ["ab", "cd ef"]);
        assert_eq!(of("  ab cd", 4, 9), ["  ab", "cd"]);
        assert_eq!(of("abcdefg hi", 3, 4), ["abc", "defg", "hi"]);
        assert_eq!(of("日本語 x", 4, 4), ["日本", "語 x"]);
        assert_eq!(of("ab", 0, 0), ["ab"]);
        assert_eq!(of("", 4, 4), [""]);
    }

    #[test]
    fn text_is_shortened_in_the_middle() {
        assert_eq!(fitted("abc", 5, 2), "abc  ");
        assert_eq!(fitted("abcdefghij", 10, 2), "abcdefghij");
        assert_eq!(fitted("abcdefghijk", 10, 2), "ab…efghijk");
        assert_eq!(fitted("日本語日本語", 7, 2), "日…本語");
        assert_eq!(fitted("日本語日本語", 6, 2), "日…語 ");
        assert_eq!(fitted("日本語日本語", 6, 1), "…本語 ");
        assert_eq!(fitted("abc", 0, 2), "…");
        assert_eq!(fitted("abcd", 3, 9), "ab…");
        assert_eq!(
            fitted("e\u{301}e\u{301}e\u{301}e\u{301}", 4, 2),
            "e\u{301}e\u{301}e\u{301}e\u{301}"
        );
    }
}

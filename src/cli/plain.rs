//! Texts from elsewhere, as they may reach a terminal. Customers write them, and a terminal takes orders from texts: to move,
//! to paint over what stands there, to write in the other direction, some even to type.

/// The text with everything spelt out that a terminal would act on instead of showing it.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => plain.push_str("\\n"),
            '\r' => plain.push_str("\\r"),
            '\t' => plain.push_str("\\t"),
            c if is_order(c) => plain.extend(c.escape_unicode()),
            c => plain.push(c),
        }
    }
    plain
}

/// The text on one line of at most so many characters, plain.
pub(super) fn one_line(text: &str, at_most: usize) -> String {
    let line = plain(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match line.char_indices().nth(at_most) {
        None => line,
        Some(_) => line.chars().take(at_most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Whether a terminal acts on the character: the controls of ASCII and those of Latin 1, of which U+009B begins what otherwise
/// ESC begins, what changes the direction of writing, and what breaks lines.
pub(super) fn is_order(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelt_out() {
        assert_eq!(plain("\u{1b}[2J\u{9b}31m\u{7f}"), "\\u{1b}[2J\\u{9b}31m\\u{7f}");
        assert_eq!(plain("\u{1b}]0;title\u{7}"), "\\u{1b}]0;title\\u{7}");
        assert_eq!(plain("two\r\nlines\tand a tab"), "two\\r\\nlines\\tand a tab");
        assert_eq!(plain("\u{202e}txt.exe"), "\\u{202e}txt.exe");
        assert_eq!(plain("Zoë 👩\u{200d}🔧 says 你好"), "Zoë 👩\u{200d}🔧 says 你好");
    }

    #[test]
    fn a_text_in_a_table_is_one_line_and_no_longer_than_it_may_be() {
        assert_eq!(one_line("  Is it\n\n still\tfor sale? ", 40), "Is it still for sale?");
        assert_eq!(one_line("walnut", 6), "walnut");
        assert_eq!(one_line("walnuts", 6), "walnu…");
        assert_eq!(one_line("a\u{1b}[31mb", 20), "a\\u{1b}[31mb");
    }
}

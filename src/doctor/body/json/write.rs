//! JSON in any of the usual ways of writing it.

use super::value::{Text, Value};

/// A way of writing.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) layout: Layout,
    pub(super) escapes: Escapes,
    /// Whether `/` is written `\/`.
    pub(super) slashes: bool,
    /// Whether properties stand in the order of their names.
    pub(super) sorted: bool,
}

/// The white space.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// What a level is indented by; none writes all on one line.
    pub(super) indent: Option<&'static str>,
    pub(super) comma: &'static str,
    pub(super) colon: &'static str,
    /// In a sentence about a body.
    pub(super) name: &'static str,
}

/// What is escaped in texts.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Escapes {
    /// What is escaped there already.
    AsWritten,
    /// What must be.
    Least,
    /// And everything beyond ASCII, with these digits.
    Ascii { upper: bool },
    /// And what means something in HTML or in JavaScript, as Go and Rails do.
    Html,
}

impl Escapes {
    /// In a sentence about a body.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AsWritten => "its texts as they are",
            Self::Least => "nothing escaped in its JSON that need not be",
            Self::Ascii { .. } => "every character beyond ASCII escaped (`\\u…`) in its JSON",
            Self::Html => "`<`, `>` and `&` escaped (`\\u…`) in its JSON",
        }
    }

    fn needs(self, c: char) -> bool {
        match self {
            Self::AsWritten | Self::Least => false,
            Self::Ascii { .. } => c >= '\u{7f}',
            Self::Html => matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
        }
    }
}

impl Value<'_> {
    /// The value in this style; none when that takes more than `most` bytes.
    pub(super) fn write(&self, style: Style, most: usize) -> Option<Vec<u8>> {
        let mut writer = Writer { style, most, written: String::new() };
        writer.value(self, 0)?;
        Some(writer.written.into_bytes())
    }
}

struct Writer {
    style: Style,
    most: usize,
    written: String,
}

impl Writer {
    fn value(&mut self, value: &Value<'_>, depth: usize) -> Option<()> {
        match value {
            Value::Other(text) => self.written.push_str(text),
            Value::Text(text) => self.text(text),
            Value::Array(items) => {
                self.items("[", items, "]", depth, |writer, item| writer.value(item, depth + 1))?;
            }
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if self.style.sorted {
                    members.sort_by(|(a, _), (b, _)| a.meant.cmp(&b.meant));
                }
                self.items("{", &members, "}", depth, |writer, (name, value)| {
                    writer.text(name);
                    writer.written.push_str(writer.style.layout.colon);
                    writer.value(value, depth + 1)
                })?;
            }
        }
        // Indenting may make much of little.
        (self.written.len() <= self.most).then_some(())
    }

    fn items<T>(
        &mut self,
        open: &str,
        items: &[T],
        close: &str,
        depth: usize,
        mut write: impl FnMut(&mut Self, &T) -> Option<()>,
    ) -> Option<()> {
        self.written.push_str(open);
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                self.written.push_str(self.style.layout.comma);
            }
            self.line(depth + 1);
            write(self, item)?;
        }
        if !items.is_empty() {
            self.line(depth);
        }
        self.written.push_str(close);
        Some(())
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = self.style.layout.indent {
            self.written.push('\n');
            for _ in 0..depth {
                self.written.push_str(indent);
            }
        }
    }

    fn text(&mut self, text: &Text<'_>) {
        if self.style.escapes == Escapes::AsWritten {
            self.written.push_str(text.written);
            return;
        }
        self.written.push('"');
        for c in text.meant.chars() {
            match c {
                '"' => self.written.push_str("\\\""),
                '\\' => self.written.push_str("\\\\"),
                '/' if self.style.slashes => self.written.push_str("\\/"),
                '\n' => self.written.push_str("\\n"),
                '\r' => self.written.push_str("\\r"),
                '\t' => self.written.push_str("\\t"),
                '\u{8}' => self.written.push_str("\\b"),
                '\u{c}' => self.written.push_str("\\f"),
                c if c < ' ' || self.style.escapes.needs(c) => self.escaped(c),
                c => self.written.push(c),
            }
        }
        self.written.push('"');
    }

    fn escaped(&mut self, c: char) {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let escaped = match self.style.escapes {
                Escapes::Ascii { upper: true } => format!("\\u{unit:04X}"),
                _ => format!("\\u{unit:04x}"),
            };
            self.written.push_str(&escaped);
        }
    }
}

//! Server-sent events, as the HTML standard has them, as far as the API sends them: an id is a position, and what an event is
//! called stands in its data as well.

use std::time::Duration;

/// How long what is said at once may be. An event is far shorter: what is not is no stream of events.
const LONGEST: usize = 1024 * 1024;

/// Reads a stream, however it is cut.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// A line of which the end is not there yet.
    line: Vec<u8>,
    /// The last line ended with a carriage return: a line feed that follows belongs to it.
    is_after_return: bool,
    is_begun: bool,
    id: Option<u64>,
    data: Option<String>,
    again: Option<Duration>,
}

/// What was said at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// The position after it; none before there was one.
    pub(super) id: Option<u64>,
    /// What was said; none where only the position was.
    pub(super) data: Option<String>,
}

/// It is no stream of events.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoStream;

impl Parser {
    /// Reads on. What is not whole yet comes later.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Vec<Said>, NoStream> {
        let mut said = Vec::new();
        for byte in bytes {
            let is_rest_of_end = std::mem::take(&mut self.is_after_return) && *byte == b'\n';
            match byte {
                b'\n' if is_rest_of_end => {}
                b'\n' | b'\r' => {
                    self.is_after_return = *byte == b'\r';
                    said.extend(self.end_of_line()?);
                }
                byte => self.line.push(*byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > LONGEST {
                return Err(NoStream);
            }
        }
        Ok(said)
    }

    /// How long the server wants to be left alone after the stream has ended, if it has said so.
    pub(super) const fn again(&self) -> Option<Duration> {
        self.again
    }

    fn end_of_line(&mut self) -> Result<Option<Said>, NoStream> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8(line).map_err(|_| NoStream)?;
        let line = if std::mem::replace(&mut self.is_begun, true) {
            line.as_str()
        } else {
            line.strip_prefix('\u{feff}').unwrap_or(&line)
        };
        if line.is_empty() {
            let is_nothing = self.id.is_none() && self.data.is_none();
            return Ok((!is_nothing).then(|| Said { id: self.id, data: self.data.take() }));
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "id" => self.id = Some(value.parse().map_err(|_| NoStream)?),
            "retry" => self.again = value.parse().ok().map(Duration::from_millis).or(self.again),
            // Its name, a remark, or what may come one day.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = "\u{feff}id: 7\nretry: 2000\n: listening\n\n: alive\n\nid: 8\nevent: call.missed\ndata: {\"a\":\ndata: \
                          \"ü\"}\n\nid:9\ndata:b\n\ndata: half";

    fn said(id: u64, data: Option<&str>) -> Said {
        Said { id: Some(id), data: data.map(str::to_owned) }
    }

    fn expected() -> Vec<Said> {
        vec![said(7, None), said(7, None), said(8, Some("{\"a\":\n\"ü\"}")), said(9, Some("b"))]
    }

    #[test]
    fn what_is_whole_is_said_with_its_position_and_nothing_else() {
        let mut parser = Parser::default();
        assert_eq!(parser.read(STREAM.as_bytes()), Ok(expected()));
        assert_eq!(parser.again(), Some(Duration::from_secs(2)));
    }

    #[test]
    fn what_is_no_stream_of_events_is_refused() {
        assert_eq!(Parser::default().read(b"id: x\n"), Err(NoStream));
        assert_eq!(Parser::default().read(b"data: \xff\n"), Err(NoStream));
        assert_eq!(Parser::default().read(&vec![b'a'; LONGEST + 1]), Err(NoStream));
        assert_eq!(Parser::default().read("data: a\n".repeat(LONGEST).as_bytes()), Err(NoStream));
    }

    proptest! {
        #[test]
        fn it_is_the_same_however_it_is_cut_and_however_lines_end(
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        ) {
            let stream = STREAM.replace('\n', end);
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
            places.extend([0, stream.len()]);
            places.sort_unstable();
            let mut parser = Parser::default();
            let mut all = Vec::new();
            for part in places.windows(2) {
                all.extend(parser.read(&stream.as_bytes()[part[0]..part[1]]).unwrap());
            }
            prop_assert_eq!(all, expected());
        }

        #[test]
        fn no_bytes_at_all_end_it_in_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Parser::default().read(&bytes);
        }
    }
}

//! How a browser opens its HTTP/2 connection: the frames up to its first request, read beside the library that answers
//! them. Bounded; unpacks no header compression, changes no byte and concludes nothing.

use octet::fact::AtMost;
use octet::handshake::{Http2Preface, Http2Priority, Http2Setting};

use crate::progress::Progress;

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEAD: usize = 9;
/// How many bytes are looked at; browsers need fewer than 200 up to their first request's headers.
const MAX_BYTES: usize = 4096;

const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const PADDED: u8 = 8;
const WITH_PRIORITY: u8 = 32;

/// Reads what an HTTP/2 connection begins with, from pieces of any size.
#[derive(Debug, Default)]
pub struct Reader {
    /// What has come and is not read yet.
    bytes: Vec<u8>,
    read: usize,
    seen: Option<Http2Preface>,
    settings: Vec<Http2Setting>,
    done: bool,
}

impl Reader {
    /// Takes the next bytes of the connection.
    pub fn feed(&mut self, bytes: &[u8]) -> Progress {
        if !self.done {
            let room = MAX_BYTES - self.read - self.bytes.len();
            self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
            while !self.done && self.step().is_some() {}
            self.done |= self.read + self.bytes.len() == MAX_BYTES;
        }
        if self.done { Progress::Done } else { Progress::More }
    }

    /// What was seen so far; `None` where the connection is no HTTP/2.
    #[must_use]
    pub fn observation(self) -> Option<Http2Preface> {
        let settings = AtMost::first(self.settings);
        self.seen.map(|seen| Http2Preface { settings, ..seen })
    }

    /// Reads the next frame; `None` where it is not whole.
    fn step(&mut self) -> Option<()> {
        let Some(seen) = &mut self.seen else {
            let length = self.bytes.len().min(PREFACE.len());
            if self.bytes[..length] != PREFACE[..length] {
                self.done = true;
            } else if length == PREFACE.len() {
                self.seen = Some(Http2Preface::default());
                self.consume(length);
                return Some(());
            }
            return None;
        };
        let [a, b, c, kind, flags, stream @ ..] = *self.bytes.first_chunk::<FRAME_HEAD>()?;
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?;
        let stream = u32::from_be_bytes(stream) & 0x7fff_ffff;
        let body = &self.bytes[FRAME_HEAD..];
        if kind == HEADERS {
            let skip = usize::from(flags & PADDED != 0);
            if flags & WITH_PRIORITY != 0 {
                seen.headers_priority = Some(priority(body.get(skip..)?.first_chunk()?));
            }
            seen.headers_flags = Some(flags);
            self.done = true;
            return None;
        }
        let body = body.get(..length)?;
        match (kind, stream, body) {
            (SETTINGS, 0, _) if flags & ACK == 0 => self.settings.extend(body.as_chunks().0.iter().map(setting)),
            (WINDOW_UPDATE, 0, [a, b, c, d]) if seen.window_update.is_none() => {
                seen.window_update = Some(u32::from_be_bytes([*a, *b, *c, *d]) & 0x7fff_ffff);
            }
            (PRIORITY, ..) => seen.priorities = seen.priorities.saturating_add(1),
            _ => {}
        }
        self.consume(FRAME_HEAD + length);
        Some(())
    }

    fn consume(&mut self, length: usize) {
        self.bytes.drain(..length);
        self.read += length;
    }
}

fn setting([a, b, value @ ..]: &[u8; 6]) -> Http2Setting {
    Http2Setting { id: u16::from_be_bytes([*a, *b]), value: u32::from_be_bytes(*value) }
}

fn priority([stream @ .., weight]: &[u8; 5]) -> Http2Priority {
    let stream = u32::from_be_bytes(*stream);
    Http2Priority { depends_on: stream & 0x7fff_ffff, share: u16::from(*weight) + 1, exclusive: stream >> 31 == 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), body].concat()
    }

    /// What Chromium sends, and the beginning of its first request's headers.
    fn chromium() -> Vec<u8> {
        let settings = [[0, 1, 0, 1, 0, 0], [0, 2, 0, 0, 0, 0], [0, 4, 0, 0x60, 0, 0], [0, 6, 0, 4, 0, 0]].concat();
        [
            &PREFACE[..],
            &frame(SETTINGS, 0, 0, &settings),
            &frame(WINDOW_UPDATE, 0, 0, &15_663_105_u32.to_be_bytes()),
            &frame(HEADERS, 0x25, 1, &[0x80, 0, 0, 0, 255, 0x82]),
        ]
        .concat()
    }

    fn read(bytes: &[u8]) -> Option<Http2Preface> {
        let mut reader = Reader::default();
        reader.feed(bytes);
        reader.observation()
    }

    #[test]
    fn what_comes_before_the_first_request_is_told_in_its_order() {
        let seen = read(&chromium()).unwrap();
        let settings: Vec<_> = seen.settings.as_slice().iter().map(|setting| (setting.id, setting.value)).collect();
        assert_eq!(settings, [(1, 65_536), (2, 0), (4, 6_291_456), (6, 262_144)]);
        assert_eq!(seen.window_update, Some(15_663_105));
        assert_eq!(seen.headers_flags, Some(0x25));
        assert_eq!(seen.headers_priority, Some(Http2Priority { depends_on: 0, share: 256, exclusive: true }));
        assert_eq!(seen.priorities, 0);
    }

    #[test]
    fn priorities_and_padding_are_read_and_unknown_frames_are_passed_over() {
        let bytes = [
            &PREFACE[..],
            &frame(SETTINGS, 0, 0, &[0, 5, 0, 0, 0x40, 0]),
            &frame(SETTINGS, ACK, 0, &[]),
            &frame(PRIORITY, 0, 3, &[0, 0, 0, 0, 200]),
            &frame(PRIORITY, 0, 5, &[0, 0, 0, 0, 100]),
            &frame(0x10, 0, 0, b"u=1"),
            &frame(HEADERS, PADDED | WITH_PRIORITY, 15, &[1, 0, 0, 0, 13, 41, 0x82, 0]),
            b"not read",
        ]
        .concat();
        let seen = read(&bytes).unwrap();
        assert_eq!((seen.settings.as_slice().len(), seen.priorities, seen.window_update), (1, 2, None));
        assert_eq!(seen.headers_priority, Some(Http2Priority { depends_on: 13, share: 42, exclusive: false }));
    }

    #[test]
    fn what_is_no_http2_is_none_and_what_never_asks_is_bounded() {
        assert_eq!(read(b"GET / HTTP/1.1\r\n"), None);
        assert_eq!(read(&PREFACE[..20]), None);
        let mut reader = Reader::default();
        assert!(!reader.feed(PREFACE).is_done());
        let settings = frame(SETTINGS, 0, 0, &[0; 600]);
        let fed = (0..100).take_while(|_| !reader.feed(&settings).is_done()).count();
        assert!(fed < 10, "{fed}");
        assert_eq!(reader.observation().unwrap().settings.as_slice().len(), 32);
        let mut reader = Reader::default();
        assert!(reader.feed(&[&PREFACE[..], &[0xff, 0xff, 0xff, 9, 9], &[0; 5000]].concat()).is_done());
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_tell_the_same(size in 1_usize..50) {
            let bytes = chromium();
            let mut reader = Reader::default();
            bytes.chunks(size).for_each(|piece| { reader.feed(piece); });
            prop_assert_eq!(reader.observation(), read(&bytes));
        }

        #[test]
        fn no_bytes_make_the_reader_fail(with_preface: bool, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let start = if with_preface { &PREFACE[..] } else { b"" };
            read(&[start, &bytes].concat());
        }
    }
}

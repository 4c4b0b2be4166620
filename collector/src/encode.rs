//! JSON, written compactly by hand: texts, integers, flags, lists and objects are all that a bundle needs. Neither
//! serde_json nor the standard formatter, either of which alone would outweigh everything else that browsers download.

/// The value of a fact that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Texts(Vec<String>),
    Flag(bool),
    Integer(i32),
}

/// Why a fact has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// This browser does not have it.
    Absent,
    /// It could not be read, in one word.
    Blocked(String),
}

/// An object of facts that grows, one fact at a time.
#[derive(Debug)]
pub(crate) struct Object {
    json: String,
}

impl Object {
    pub(crate) fn new() -> Self {
        Self { json: String::from("{") }
    }

    pub(crate) fn fact(&mut self, name: &str, value: &Result<Value, Unread>) {
        if self.json.len() > 1 {
            self.json.push(',');
        }
        text(&mut self.json, name);
        self.json.push(':');
        match value {
            Ok(Value::Text(value)) => text(&mut self.json, value),
            Ok(Value::Texts(values)) => {
                self.json.push('[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        self.json.push(',');
                    }
                    text(&mut self.json, value);
                }
                self.json.push(']');
            }
            Ok(Value::Flag(value)) => self.json.push_str(if *value { "true" } else { "false" }),
            Ok(Value::Integer(value)) => integer(&mut self.json, *value),
            Err(Unread::Absent) => self.json.push_str("null"),
            Err(Unread::Blocked(word)) => {
                self.json.push_str("{\"blocked\":");
                text(&mut self.json, word);
                self.json.push('}');
            }
        }
    }

    pub(crate) fn finish(mut self) -> String {
        self.json.push('}');
        self.json
    }
}

fn text(json: &mut String, text: &str) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                json.push('\\');
                json.push(character);
            }
            '\0'..='\u{1f}' => {
                json.push_str("\\u00");
                json.push(if character < '\u{10}' { '0' } else { '1' });
                json.push(HEX[character as usize & 15]);
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

fn integer(json: &mut String, value: i32) {
    if value < 0 {
        json.push('-');
    }
    let mut rest = value.unsigned_abs();
    let mut digits = [b'0'; 10];
    let mut first = digits.len();
    for (index, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        first = index;
        if rest == 0 {
            break;
        }
    }
    for digit in digits.iter().skip(first) {
        json.push(char::from(*digit));
    }
}

/// The longest beginning of `text` that has at most `limit` bytes and ends between two characters.
pub(crate) fn cut(mut text: String, limit: usize) -> String {
    let end = text.floor_char_boundary(limit);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use octet::fact::{Fact, Text};
    use octet::facts::Facts;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn encoded(value: &Result<Value, Unread>) -> serde_json::Value {
        let mut object = Object::new();
        object.fact("a", value);
        object.fact("b", &Ok(Value::Flag(true)));
        let read: serde_json::Value = serde_json::from_str(&object.finish()).unwrap();
        assert_eq!(read["b"], json!(true));
        read["a"].clone()
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_as_it_was(text in any::<String>()) {
            prop_assert_eq!(encoded(&Ok(Value::Text(text.clone()))), json!(text));
        }

        #[test]
        fn any_list_is_read_back_as_it_was(texts in proptest::collection::vec(any::<String>(), 0..20)) {
            prop_assert_eq!(encoded(&Ok(Value::Texts(texts.clone()))), json!(texts));
        }

        #[test]
        fn any_integer_is_read_back_as_it_was(value in any::<i32>()) {
            prop_assert_eq!(encoded(&Ok(Value::Integer(value))), json!(value));
        }

        #[test]
        fn a_cut_text_is_the_longest_beginning_within_the_limit(text in any::<String>(), limit in 0_usize..40) {
            let short = cut(text.clone(), limit);
            prop_assert!(text.starts_with(&short) && short.len() <= limit);
            let next = text[short.len()..].chars().next().map_or(0, char::len_utf8);
            prop_assert!(next == 0 || short.len() + next > limit);
        }
    }

    #[test]
    fn the_smallest_and_the_largest_integer_are_written_whole() {
        for value in [i32::MIN, -1, 0, 1, 9, 10, i32::MAX] {
            assert_eq!(encoded(&Ok(Value::Integer(value))), json!(value));
        }
    }

    #[test]
    fn a_fact_that_was_not_read_is_null_or_says_why() {
        let mut object = Object::new();
        object.fact("timeZone", &Err(Unread::Absent));
        object.fact("locale", &Err(Unread::Blocked("SecurityError".into())));
        let facts: Facts = serde_json::from_str(&object.finish()).unwrap();
        assert_eq!(facts.time_zone, Fact::Absent);
        assert_eq!(facts.locale, Fact::Blocked(Text::try_from("SecurityError").unwrap()));
        assert_eq!(facts.languages, Fact::Missing);
    }

    #[test]
    fn no_fact_at_all_is_an_empty_object() {
        assert_eq!(Object::new().finish(), "{}");
    }
}

//! Reads facts from a live browser by the table: walks properties, calls, converts. Every exception becomes a blocked
//! fact and everything that does not exist an absent one; nothing here can fail as a whole.

use std::cell::OnceCell;

use js_sys::{Array, Function, JSON, JsString, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::encode::{Object, Unread, Value, cut};
use crate::table::{Kind, Moment, Promised, Source, TABLE};

const TEXT_LIMIT: usize = octet::fact::Text::MAX_LEN;
const LIST_LIMIT: u32 = 16;
const WORD_LIMIT: usize = 32;

#[wasm_bindgen]
extern "C" {
    /// Any value that is not nullish, seen as script sees it: `value[key]`.
    #[wasm_bindgen(js_name = Object)]
    type Any;

    #[wasm_bindgen(method, catch, structural, indexing_getter)]
    fn get(this: &Any, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, structural, indexing_getter)]
    fn at(this: &Any, index: u32) -> Result<JsValue, JsValue>;
}

/// Reads one context.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    root: &'a JsValue,
    prepared: &'a JsValue,
    graphics: OnceCell<JsValue>,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(root: &'a JsValue, prepared: &'a JsValue) -> Self {
        Self { root, prepared, graphics: OnceCell::new() }
    }

    /// The facts of profiles up to `rank`, as JSON.
    pub(crate) fn facts(&self, rank: u8, core_only: bool) -> String {
        let mut facts = Object::new();
        for entry in TABLE.iter().filter(|entry| entry.rank <= rank && (entry.core || !core_only)) {
            facts.fact(entry.wire, &self.read(entry.source));
        }
        if let Some(graphics) = self.graphics.get() {
            // Browsers keep few graphics contexts, and the page may want them. One that is not given back goes later.
            let _ = walk(graphics, r#"getExtension("WEBGL_lose_context").loseContext()"#);
        }
        facts.finish()
    }

    fn read(&self, source: Source) -> Result<Value, Unread> {
        match source {
            Source::Path(kind, path) => convert(kind, &walk(self.root, path)?),
            Source::Promised(kind, what, property) => self.promised(kind, what, property),
            Source::Offset(moment) => self.offset(moment),
            Source::Graphics { unmasked, plain } => self.graphics(unmasked, plain),
        }
    }

    fn promised(&self, kind: Kind, what: Promised, property: &str) -> Result<Value, Unread> {
        let answer = walk(self.prepared, what.name())?;
        match answer.as_string() {
            Some(why) => Err(Unread::Blocked(word(why))),
            None => convert(kind, &walk(&answer, property)?),
        }
    }

    fn offset(&self, moment: Moment) -> Result<Value, Unread> {
        let Ok(date) = walk(self.root, "Date")?.dyn_into::<Function>() else { return Err(Unread::Absent) };
        let mut then = construct(&date, &Array::new())?;
        if let Moment::Month(month) = moment {
            let year = walk(&then, "getFullYear()")?;
            then = construct(&date, &Array::of3(&year, &JsValue::from(month), &JsValue::from(1)))?;
        }
        let behind = walk(&then, "getTimezoneOffset()")?.as_f64().ok_or_else(wrong_type)?;
        whole(-behind)
    }

    fn graphics(&self, unmasked: u16, plain: u16) -> Result<Value, Unread> {
        let context = match self.graphics.get() {
            Some(context) => context,
            None => {
                let context = walk(self.root, r#"document.createElement("canvas").getContext("webgl")"#)?;
                self.graphics.get_or_init(|| context)
            }
        };
        let ask = property(context, "getParameter")?;
        let parameter = match walk(context, r#"getExtension("WEBGL_debug_renderer_info")"#) {
            Ok(_) => unmasked,
            Err(Unread::Absent) => plain,
            Err(blocked) => return Err(blocked),
        };
        convert(Kind::Text, &present(call(&ask, context, &Array::of1(&JsValue::from(parameter)))?)?)
    }
}

/// Follows a path of the table: properties by name, calls with JSON arguments.
fn walk(from: &JsValue, path: &str) -> Result<JsValue, Unread> {
    let mut here = from.clone();
    for step in path.split('.') {
        here = match step.split_once('(') {
            None => property(&here, step)?,
            Some((name, arguments)) => {
                let mut json = String::from("[");
                json.push_str(arguments.strip_suffix(')').unwrap_or(arguments));
                json.push(']');
                let arguments = JSON::parse(&json).map_err(|error| blocked(&error))?;
                let function = property(&here, name)?;
                present(call(&function, &here, arguments.unchecked_ref())?)?
            }
        };
    }
    Ok(here)
}

fn property(of: &JsValue, name: &str) -> Result<JsValue, Unread> {
    present(of.unchecked_ref::<Any>().get(name).map_err(|error| blocked(&error))?)
}

fn present(value: JsValue) -> Result<JsValue, Unread> {
    if value.is_null() || value.is_undefined() { Err(Unread::Absent) } else { Ok(value) }
}

fn call(function: &JsValue, this: &JsValue, arguments: &Array) -> Result<JsValue, Unread> {
    // What is no function throws, as it does in plain script.
    Reflect::apply::<fn() -> JsValue>(function.unchecked_ref(), this, arguments).map_err(|error| blocked(&error))
}

fn construct(class: &Function, arguments: &Array) -> Result<JsValue, Unread> {
    Reflect::construct(class, arguments).map_err(|error| blocked(&error))
}

fn convert(kind: Kind, value: &JsValue) -> Result<Value, Unread> {
    match kind {
        Kind::Text => text(value).map(Value::Text),
        Kind::Texts => list(value, text),
        Kind::Brands => list(value, |entry| {
            let entry = &present(entry.clone()).map_err(mistyped)?;
            let mut brand = text(&property(entry, "brand").map_err(mistyped)?)?;
            brand.push('/');
            brand.push_str(&text(&property(entry, "version").map_err(mistyped)?)?);
            Ok(cut(brand, TEXT_LIMIT))
        }),
        Kind::Flag => value.as_bool().map(Value::Flag).ok_or_else(wrong_type),
        Kind::Integer(factor) => whole(value.as_f64().ok_or_else(wrong_type)? * f64::from(factor)),
    }
}

fn text(value: &JsValue) -> Result<String, Unread> {
    let text: &JsString = value.dyn_ref().ok_or_else(wrong_type)?;
    // Cut before it is copied, so that no page can make this read megabytes; 512 units are at least 512 bytes.
    Ok(cut(String::from(text.slice(0, TEXT_LIMIT as u32)), TEXT_LIMIT))
}

fn list(value: &JsValue, item: impl Fn(&JsValue) -> Result<String, Unread>) -> Result<Value, Unread> {
    if !Array::is_array(value) {
        return Err(wrong_type());
    }
    // What answers to a list's name may still throw at each of its properties.
    let length = property(value, "length")?.as_f64().unwrap_or(0.0) as u32;
    let entry = |index| item(&value.unchecked_ref::<Any>().at(index).map_err(|error| blocked(&error))?);
    (0..length.min(LIST_LIMIT)).map(entry).collect::<Result<_, _>>().map(Value::Texts)
}

/// The nearest whole number, halves upward, as plain script's reader has it.
fn whole(number: f64) -> Result<Value, Unread> {
    if number.is_finite() { Ok(Value::Integer((number + 0.5).floor() as i32)) } else { Err(Unread::Absent) }
}

fn wrong_type() -> Unread {
    Unread::Blocked(String::from("type"))
}

/// Within a list, what does not exist is of the wrong type.
fn mistyped(unread: Unread) -> Unread {
    if unread == Unread::Absent { wrong_type() } else { unread }
}

/// The name of an error, where that is one word.
fn blocked(error: &JsValue) -> Unread {
    let name = present(error.clone()).and_then(|error| property(&error, "name")).ok().and_then(|name| name.as_string());
    Unread::Blocked(word(name.unwrap_or_default()))
}

fn word(text: String) -> String {
    let is_word = !text.is_empty()
        && text.len() <= WORD_LIMIT
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_word { text } else { String::from("error") }
}

//! What a collector posts when a page asks whether the visit is a person's: every fact again, how the visitor's
//! devices moved, and how the browser's own parts look. As the browser gave it; no judgement, and no content ever.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::fact::{AtMost, Fact, Text};
use crate::facts::{Facts, Texts};
use crate::observations::EdgeObservations;
use crate::signals::{Context, PageLife, Part, Runtime};
use crate::{AppKey, ClickToken, SessionRef};

/// The body of `POST /v1/assess` from the browser. It stands by itself: an app's profile may hold more than what the
/// session's first bundle was collected with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssessSignals {
    /// The version of this shape; 1 today.
    pub schema: u32,
    /// The message's own random name, 1 to 128 of `[A-Za-z0-9_-]`: a retry carries the same one.
    pub id: SessionRef,
    /// The session that the page was given.
    pub session_ref: SessionRef,
    /// The app that asks.
    pub app_key: AppKey,
    /// What read the facts.
    pub runtime: Runtime,
    /// The collector's version.
    #[serde(default)]
    pub collector: Text,
    /// Whether the page would show a challenge.
    #[serde(default)]
    pub escalate: bool,
    /// How long the page asked for the visit to be observed, in milliseconds.
    #[serde(default)]
    pub window_ms: u32,
    /// The click that the visit belongs to, from the page's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click_token: Option<ClickToken>,
    /// Whether the session's first bundle had been accepted by then.
    #[serde(default)]
    pub collected: bool,
    /// The page's life while it was read.
    #[serde(default)]
    pub page: PageLife,
    /// The facts of the page itself.
    #[serde(default)]
    pub facts: Facts,
    /// The core facts as a worker reads them.
    #[serde(default, skip_serializing_if = "Part::is_missing")]
    pub worker: Context,
    /// The core facts as an empty frame of the same origin reads them.
    #[serde(default, skip_serializing_if = "Part::is_missing")]
    pub frame: Context,
    /// How the visitor's devices moved.
    #[serde(default, skip_serializing_if = "Part::is_missing")]
    pub behaviour: Part<Behaviour>,
    /// How the browser's own parts look from a page.
    #[serde(default, skip_serializing_if = "Part::is_missing")]
    pub automation: Part<Box<Automation>>,
}

/// The body of `POST /v1/assess` from an edge: the collector's own bytes, and what the edge saw.
#[derive(Debug, Serialize, Deserialize)]
pub struct AssessBundle {
    /// An [`AssessSignals`], as the collector wrote it.
    pub assess: Box<RawValue>,
    /// What the edge adds.
    pub observations: EdgeObservations,
}

/// What was seen of the visitor's devices: timing and geometry, never what was typed, read or clicked on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Behaviour {
    /// How long the page was observed, in milliseconds.
    #[serde(default)]
    pub observed_ms: u32,
    /// What happened, in order.
    #[serde(default)]
    pub events: AtMost<InputEvent, 64>,
    /// How many more events there were than stand in the list.
    #[serde(default)]
    pub unlisted: u32,
}

/// One event of an input device. Times are whole multiples of 8 ms, rounded down; places are CSS pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputEvent {
    /// What happened.
    pub kind: InputKind,
    /// Milliseconds since the page began to be observed.
    pub at_ms: u32,
    /// Whether the browser says that a script made it, and no device.
    #[serde(default, skip_serializing_if = "is_false")]
    pub scripted: bool,
    /// The kind of pointing device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<PointerKind>,
    /// Distance from the left of the visible page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<i32>,
    /// Distance from the top of the visible page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<i32>,
    /// For `up` and `keyUp`: how long the button or key was down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_ms: Option<u32>,
    /// For `keyDown`: the key repeats because it is held.
    #[serde(default, skip_serializing_if = "is_false")]
    pub repeated: bool,
    /// For `move`: how many positions the browser joined to this one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<u32>,
    /// For `down` and `click`: how many moves the page saw since the `click` before, or since it was observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves_before: Option<u32>,
    /// For `down`: the pointer came over what it pressed in that very moment, without a movement to it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub entered: bool,
    /// For `down`, and for `move` while a button is down: pressure in thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure_permille: Option<i32>,
    /// For `down` and `click`: the place on the screen minus that in the page, from the window's left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_x: Option<i32>,
    /// The same from the window's top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_y: Option<i32>,
    /// For `click`: distance from the middle of what was clicked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_middle: Option<u32>,
    /// For `click`: the shorter side of what was clicked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_side: Option<u32>,
    /// For `click`: how many times in a row; 0 where a key or another device than a pointer did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// For `wheel` and `scroll`: how far down, in CSS pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<i32>,
}

/// What an input device did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum InputKind {
    /// A pointer moved; a sample of many.
    Move,
    /// A pointer's button, or a finger, went down.
    Down,
    /// It went up.
    Up,
    /// Something was activated, by whatever device.
    Click,
    /// A key went down. Which one is not known, and none is taken from fields for passwords, codes or payment.
    KeyDown,
    /// It went up.
    KeyUp,
    /// Text was typed with a key that did not go down before.
    Typed,
    /// A wheel turned, or two fingers moved on a touchpad.
    Wheel,
    /// The page scrolled, for whatever reason.
    Scroll,
    /// Something in the page got the focus.
    Focus,
    /// The page lost the focus.
    Blur,
    /// One that this release does not know.
    #[serde(other)]
    Unknown,
}

/// The kind of a pointing device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PointerKind {
    /// A mouse or touchpad.
    Mouse,
    /// A finger.
    Touch,
    /// A pen.
    Pen,
    /// One that this release does not know.
    #[serde(other)]
    Unknown,
}

/// How the browser's own parts look from a page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Automation {
    /// Functions of the browser that do not look like its own, each `Class.name/how`: `how` is `text` (its source text),
    /// `name` (its source text lacks its name), `own` (it has properties of its own), `new` (it can be constructed),
    /// `any` (it takes any object for its own) or `chain` (it can be made its own ancestor).
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub altered: Fact<AtMost<Text, 64>>,
    /// Names of properties that stand on `navigator` itself.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub own_properties: Fact<Texts>,
    /// Names of global variables and of properties of the document that programs are known to leave.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub globals: Fact<AtMost<Text, 32>>,
    /// Where `navigator.webdriver` is defined: `own` or `prototype`, and as `get` or `value`; null where it is not.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub webdriver_property: Fact<Text>,
    /// Whether something formatted an error that was only logged.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub error_formatted: Fact<bool>,
    /// Whether something listed the properties of an object that was only logged.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub object_listed: Fact<bool>,
    /// Names of the members of `window.chrome`; null where it is not.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub chrome: Fact<Texts>,
    /// Whether an empty frame has a `window.chrome` of its own.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub frame_chrome: Fact<bool>,
    /// Whether an empty frame's window names itself and its parent as frames do.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub frame_linked: Fact<bool>,
    /// What kinds of objects the lists of plugins and media types, and their first entries, say that they are.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub plugin_kinds: Fact<Texts>,
    /// The browser's own words for reading a property of nothing.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub error_text: Fact<Text>,
    /// The form of a line in the browser's account of where an error was made: `at` or `@`.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub stack_form: Fact<Text>,
    /// The font in which the system writes captions, and its size.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub caption_font: Fact<Text>,
    /// The colour with which the system marks what is selected.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub highlight: Fact<Text>,
    /// What two keys write on the keyboard's layout, `IntlYen` and `BracketLeft`, where the browser tells pages of it;
    /// empty for a key that writes nothing.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub keys: Fact<Texts>,
    /// Which of a fixed list of abilities this browser has.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub abilities: Fact<AtMost<Text, 96>>,
    /// Whether the same small drawing gives the same picture twice.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub drawing_steady: Fact<bool>,
    /// Whether a plain colour is read back from a drawing as it was put there.
    #[serde(default, skip_serializing_if = "Fact::is_missing")]
    pub drawing_exact: Fact<bool>,
}

// serde's skip_serializing_if hands over a reference.
#[expect(clippy::trivially_copy_pass_by_ref)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

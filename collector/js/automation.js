// Looks at the browser's own parts as a page can see them, through an empty frame where there is one. Names and answers
// only: a fixed list of what is looked at, and nothing about what an answer means.
import { call, own } from "./dom.js";
import { word } from "./read.js";

const LONGEST = 128;
const SLICE_MS = 8;
const KEYS = ["IntlYen", "BracketLeft"];

/** What is asked for when a visit begins, since the answer comes by promise: what two fixed keys write. */
export function promised() {
  const late = { keys: { blocked: "timeout" } };
  const keys = async () => {
    const layout = await navigator.keyboard?.getLayoutMap();
    return layout ? short(KEYS.map((key) => layout.get(key) ?? ""), 2) : null;
  };
  keys().then(
    (found) => (late.keys = found),
    (error) => (late.keys = { blocked: word(error) }),
  );
  return late;
}

/**
 * Everything that is looked at; what cannot be is `{ blocked }`, and what this browser does not have is `null`. Gives the
 * page its turn every few milliseconds, unless it is `left`.
 */
export async function look(frame, late, left) {
  const clean = frame?.contentWindow ?? globalThis;
  const seen = { ...late };
  let since = performance.now();
  for (const [name, get] of Object.entries(LOOKS)) {
    if (performance.now() - since > SLICE_MS) {
      await Promise.race([new Promise((resolve) => setTimeout(resolve)), left]);
      since = performance.now();
    }
    try {
      seen[name] = get(clean, frame) ?? null;
    } catch (error) {
      seen[name] = { blocked: word(error) };
    }
  }
  return seen;
}

const LOOKS = {
  altered,
  ownProperties: () => short(Object.getOwnPropertyNames(navigator), 16),
  globals,
  webdriverProperty() {
    for (const [where, object] of [["own", navigator], ["prototype", Navigator.prototype]]) {
      const property = Object.getOwnPropertyDescriptor(object, "webdriver");
      if (property) return `${where} ${property.get ? "get" : "value"}`;
    }
  },
  errorFormatted({ Error, console }) {
    const before = Error.prepareStackTrace;
    let formatted = false;
    Error.prepareStackTrace = () => String((formatted = true));
    console.debug(new Error(""));
    Error.prepareStackTrace = before;
    return formatted;
  },
  objectListed({ console, Object, Proxy }) {
    let listed = false;
    const trap = new Proxy({}, { ownKeys: () => ((listed = true), []) });
    console.debug(Object.create(trap));
    return listed;
  },
  chrome: () => globalThis.chrome && short(Object.getOwnPropertyNames(globalThis.chrome), 16),
  frameChrome: (clean, frame) => (frame && "chrome" in clean),
  frameLinked: (clean, frame) =>
    frame && clean !== globalThis && clean.self === clean && clean.parent === globalThis && clean.frameElement === frame,
  pluginKinds() {
    const { plugins, mimeTypes } = navigator;
    const kinds = [plugins, plugins?.[0], mimeTypes, mimeTypes?.[0]].filter((part) => part != null);
    return short(kinds.map((part) => Object.prototype.toString.call(part).slice(8, -1)), 4);
  },
  errorText() {
    try {
      return own("nothing of this name")[0];
    } catch (error) {
      return String(error.message).slice(0, LONGEST);
    }
  },
  stackForm: ({ Error }) => /\n +at |@/.exec(new Error("").stack)?.[0].trim(),
  captionFont: () => styled("font", "caption", ({ fontFamily, fontSize }) => `${fontFamily} ${fontSize}`),
  highlight: () => styled("color", "Highlight", ({ color }) => color),
  abilities,
  drawingSteady() {
    const context = canvas();
    const [one, other] = [drawing(context), drawing(context)];
    return one.every((value, index) => value === other[index]);
  },
  drawingExact: () => plain(canvas()).every((value, index) => value === COLOUR[index % 4]),
};

// Functions by their class: those that a page has no reason to replace.
const FUNCTIONS = {
  Function: "toString",
  Object: "hasOwnProperty",
  Navigator:
    "webdriver languages language userAgent appVersion platform vendor plugins mimeTypes hardwareConcurrency " +
    "deviceMemory maxTouchPoints permissions userAgentData connection doNotTrack",
  Screen: "width height availWidth availHeight colorDepth",
  Permissions: "query",
  NavigatorUAData: "getHighEntropyValues brands platform",
  HTMLIFrameElement: "contentWindow contentDocument",
  HTMLCanvasElement: "getContext toDataURL toBlob",
  CanvasRenderingContext2D: "getImageData fillText measureText",
  WebGLRenderingContext: "getParameter getExtension",
  WebGL2RenderingContext: "getParameter getExtension",
  HTMLMediaElement: "canPlayType",
  AudioBuffer: "getChannelData",
  Date: "getTimezoneOffset",
  "Intl.DateTimeFormat": "resolvedOptions",
  Event: "timeStamp",
  MouseEvent: "screenX screenY clientX",
};
const NATIVE = /^\s*(async )?(function|get|set)\b[^{]*\{\s*\[native code\]\s*\}\s*$/;

function altered(clean) {
  const found = [];
  for (const [name, members] of Object.entries(FUNCTIONS)) {
    const prototype = at(globalThis, `${name}.prototype`);
    if (!prototype) continue;
    for (const member of members.split(" ")) {
      const property = Object.getOwnPropertyDescriptor(prototype, member);
      const part = property?.get ?? property?.value;
      if (typeof part !== "function") continue;
      for (const how of oddities(part, member, property.get && prototype, clean)) found.push(`${name}.${member}/${how}`);
    }
  }
  return short(found, 64);
}

/** In which ways a function does not look like the browser's own. */
function oddities(part, member, getterOf, clean) {
  const text = Reflect.apply(clean.Function.prototype.toString, part, []);
  const odd = [];
  if (!NATIVE.test(text)) odd.push("text");
  else if (!text.includes(member)) odd.push("name");
  if (Object.getOwnPropertyNames(part).some((name) => name !== "length" && name !== "name")) odd.push("own");
  if (holds(() => Reflect.construct(Object, [], part))) odd.push("new");
  // A getter of the browser refuses the prototype that it stands on.
  if (getterOf && holds(() => Reflect.apply(part, getterOf, []))) odd.push("any");
  if (closes(part)) odd.push("chain");
  return odd;
}

/** Whether the function can be made its own ancestor, which the language forbids; put back at once. */
function closes(part) {
  const before = Object.getPrototypeOf(part);
  try {
    Object.setPrototypeOf(part, Object.create(part));
  } catch {
    return false;
  }
  Object.setPrototypeOf(part, before);
  return true;
}

function holds(attempt) {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

const GLOBALS = new RegExp(
  "^(\\$?cdc_|\\$chrome_async|__playwright|__pw|_?_?puppeteer|__(\\$)?webdriver|__selenium|__driver|__fxdriver|__lastWatir" +
    "|__nightmare|_?_?phantom|callPhantom|domAutomation|_?_?[sS]elenium|call(ed)?Selenium|_WEBDRIVER|webdriver|driver-evaluate" +
    "|selenium-evaluate|ChromeDriver|__utils__|slimer|awesomium|CefSharp|RunPerfTest|fmget_targets|geb$|spynner_|watin" +
    "|se_exported|ret_nodes$|__stagehand|__browser_use|browserUse|__nodriver|__crawlee|Cypress$|__cypress|__testCafe|%testCafe|%hammerhead|__botasaurus)",
);

function globals() {
  const root = own("documentElement");
  const names = [globalThis, document].flatMap((object) => Object.getOwnPropertyNames(object)).concat(root.getAttributeNames());
  return short(names.filter((name) => GLOBALS.test(name)), 32);
}

const ABILITIES =
  "chrome InstallTrigger safari opr netscape mozInnerScreenX webkitRequestFileSystem webkitURL ApplePaySession " +
  "GestureEvent SharedWorker ontouchstart TouchEvent DeviceMotionEvent Accelerometer BarcodeDetector ContentIndex " +
  "showOpenFilePicker EyeDropper BluetoothUUID PaymentRequest PushManager Notification speechSynthesis " +
  "webkitSpeechRecognition RTCPeerConnection OffscreenCanvas WebGL2RenderingContext MediaSource ManagedMediaSource " +
  "navigator.brave navigator.share navigator.contacts navigator.bluetooth navigator.usb navigator.hid navigator.serial " +
  "navigator.keyboard navigator.connection navigator.getBattery navigator.gpu navigator.userAgentData navigator.buildID " +
  "navigator.mediaDevices navigator.credentials navigator.getGamepads navigator.standalone navigator.globalPrivacyControl " +
  "navigator.connection.type navigator.connection.downlinkMax screen.isExtended document.startViewTransition " +
  "document.mozFullScreenEnabled document.hasStorageAccess Error.captureStackTrace Error.stackTraceLimit Error.isError " +
  "structuredClone Array.fromAsync Array.prototype.at Array.prototype.findLast Object.groupBy Promise.withResolvers " +
  "Promise.try Set.prototype.union Iterator.prototype.map RegExp.escape Float16Array Math.sumPrecise " +
  "Uint8Array.fromBase64 Temporal CSS.highlights scheduler.yield CookieStore Sanitizer Element.prototype.setHTMLUnsafe " +
  "Intl.DurationFormat Atomics.pause Map.prototype.getOrInsert";

function abilities() {
  const has = (path) => {
    const cut = path.lastIndexOf(".");
    const object = cut < 0 ? globalThis : at(globalThis, path.slice(0, cut));
    return object != null && path.slice(cut + 1) in Object(object);
  };
  return short(ABILITIES.split(" ").filter((path) => holds(() => has(path)) && has(path)), 96);
}

/** What a style of the system's comes to, on an element of our own that is never shown. */
function styled(property, value, read) {
  const element = call("createElement", "i");
  element.hidden = true;
  element.style.setProperty(property, value, "important");
  own("documentElement").append(element);
  try {
    return read(getComputedStyle(element)).slice(0, LONGEST);
  } finally {
    element.remove();
  }
}

const SIDE = 32;
const COLOUR = [58, 123, 213, 255];

let context;

/** One small canvas for every drawing: making one costs more than all that is drawn. */
function canvas() {
  if (context) return context;
  const surface = globalThis.OffscreenCanvas ? new OffscreenCanvas(SIDE, SIDE) : call("createElement", "canvas");
  surface.width = surface.height = SIDE;
  return (context = surface.getContext("2d", { willReadFrequently: true }));
}

function plain(context) {
  context.fillStyle = `rgb(${COLOUR.slice(0, 3)})`;
  context.fillRect(0, 0, SIDE, SIDE);
  return context.getImageData(0, 0, SIDE, SIDE).data;
}

function drawing(context) {
  context.clearRect(0, 0, SIDE, SIDE);
  context.beginPath();
  context.fillText("Oc", 4, 20);
  context.arc(16, 16, 9, 0, 4);
  context.stroke();
  return context.getImageData(0, 0, SIDE, SIDE).data;
}

const at = (root, path) => path.split(".").reduce((object, name) => object?.[name], root);

const short = (names, most) => names.slice(0, most).map((name) => String(name).slice(0, LONGEST));

// Windows for the collector to read: an ordinary one, an empty one, one that forbids everything, and any number of odd
// ones, each the same for the same seed.

const MEDIA = { "(hover: hover)": true, "(pointer: fine)": true, "(color-gamut: p3)": false };

const ordinary = () => ({
  devicePixelRatio: 1.25,
  outerWidth: 1600,
  outerHeight: 900,
  innerWidth: 1590.5,
  innerHeight: 800.4,
  screen: { width: 1920, height: 1080, availWidth: 1920, availHeight: 1040, colorDepth: 24 },
  matchMedia: (query) => ({ matches: MEDIA[query] ?? false }),
  Notification: { permission: "denied" },
  navigator: {
    languages: ["de-DE", "de", "en"],
    userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
    platform: "Linux x86_64",
    vendor: "",
    hardwareConcurrency: 8,
    deviceMemory: 0.5,
    maxTouchPoints: 0,
    pdfViewerEnabled: true,
    plugins: { length: 5 },
    webdriver: false,
    permissions: { query: async ({ name }) => ({ state: name === "notifications" ? "prompt" : "granted" }) },
    userAgentData: {
      brands: [{ brand: "Chromium", version: "140" }, { brand: "Not/A)Brand", version: "8" }],
      mobile: false,
      platform: "Linux",
      getHighEntropyValues: async () => ({
        fullVersionList: [{ brand: "Chromium", version: "140.0.1.2" }],
        platformVersion: "6.12",
        architecture: "x86",
        bitness: "64",
        model: "",
      }),
    },
  },
  createElement: () => ({
    getContext: () => ({
      getExtension: (name) => (name === "WEBGL_debug_renderer_info" ? {} : null),
      getParameter: (parameter) => ({ 0x9245: "A vendor", 0x9246: "A renderer" })[parameter] ?? null,
    }),
  }),
});

/** Everything below it throws when it is touched. */
const forbidden = () => {
  const forbid = () => {
    throw new DOMException("forbidden", "SecurityError");
  };
  const wall = new Proxy(() => {}, { get: forbid, apply: forbid, construct: forbid });
  return {
    navigator: wall, screen: wall, matchMedia: wall, Notification: wall, Intl: wall, Date: wall, createElement: forbid,
  };
};

/** Values that a page or an extension could have put anywhere. */
const ODD = [
  undefined, null, true, false, 0, -0, -1.5, 2.5, 0.0004, NaN, Infinity, -Infinity, 1e300, 2 ** 31, -(2 ** 31) - 1,
  "", "text", '"quoted\\"', "line\nbreak\u0000\u001f", "\u2028\u{1F600}", "\ufeffmarked", "\ud800 alone", "\udc00",
  "x".repeat(2000), "\u{1F600}".repeat(300), `${"x".repeat(511)}ä`, `${"x".repeat(511)}\u{1F600}`, `${"€".repeat(171)}`,
  [], ["a", "b"], [1], [null], ["x".repeat(600), "\ud83d"], Array(40).fill("de"), [{ brand: "A", version: "1" }],
  [{ brand: "A" }], [{ brand: 1, version: "1" }], [{ brand: "x".repeat(510), version: "äöü" }], {}, { length: 3 },
  Symbol("odd"), 10n, () => "called", Object.create(null),
  new Proxy({}, { get() { throw new RangeError("odd"); } }),
  new Proxy({}, { get() { throw "no error at all"; } }),
  new Proxy({}, { get() { throw { name: "n".repeat(90) }; } }),
  new Proxy({}, { get() { throw null; } }),
  new Proxy(["a"], { get() { throw new RangeError("list"); } }),
];

function odd(seed) {
  let state = seed >>> 0;
  const random = (below) => {
    // A linear congruential generator: the same seed, the same window.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const value = () => ODD[random(ODD.length)];
  const twist = (object) => {
    for (const key of Object.keys(object)) {
      const chance = random(4);
      if (chance === 0) object[key] = value();
      else if (chance === 1) Object.defineProperty(object, key, { get: () => { throw new EvalError(key); }, enumerable: true });
      else if (chance === 2 && typeof object[key] === "function") {
        const result = value();
        object[key] = () => result;
      } else if (typeof object[key] === "object" && object[key]) twist(object[key]);
    }
    return object;
  };
  const window = ordinary();
  const { navigator, screen, Notification, createElement, ...rest } = window;
  Object.assign(rest, { navigator: twist(navigator), screen: twist(screen), Notification: twist(Notification) });
  for (const key of ["devicePixelRatio", "outerWidth", "innerHeight", "matchMedia"]) if (random(2)) rest[key] = value();
  const graphics = random(3) ? createElement : () => ({ getContext: () => twist(createElement().getContext()) });
  return { ...rest, createElement: graphics };
}

/** The window that a scenario asks for. */
export function windowOf(kind = "ordinary") {
  if (typeof kind === "number") return odd(kind);
  return { ordinary, forbidden, empty: () => ({}) }[kind]();
}

// A page for the collector, in Node: runs the files that are checked in, in a context of their own, over virtual time.
// Reads a list of scenarios from standard input and writes what each of them came to. Timers fire only when nothing
// else can happen, so a scenario takes no longer than its work.
import { readFileSync } from "node:fs";
import vm from "node:vm";
import { windowOf } from "./window.mjs";

const dist = new URL("../../assets/dist/", import.meta.url);
const file = (name) => readFileSync(new URL(name, dist));
const ORIGIN = "https://shop.example";
const HASHED = /^(.*octet-collector)\.[0-9a-f]{16}(\..*)$/;
const QUIET_TURNS = 20;

class Page {
  constructor(scenario) {
    this.scenario = scenario;
    this.outcome = { calls: [], posts: [], assessments: [], loaded: [], beacons: [], fetched: [], sockets: [], frames: 0, workersEnded: 0, console: [] };
    this.now = 0;
    this.timers = [];
    this.busy = 0;
    this.open = 0;
    this.answers = [...(scenario.answers ?? [202])];
    this.verdicts = [...(scenario.verdicts ?? [])];
    this.context = vm.createContext(this.globals());
  }

  globals() {
    const { scenario } = this;
    const page = this;
    const events = new EventTarget();
    this.events = events;
    this.hidden = false;
    this.prerendering = scenario.prerendering ?? false;
    const window = windowOf(scenario.window);
    class HTMLScriptElement {
      src = `${ORIGIN}/octet/octet-collector.js`;
      dataset = scenario.tag ?? {};
    }
    const tag = scenario.tag === null ? null : new HTMLScriptElement();
    class Document extends EventTarget {
      get baseURI() { return `${ORIGIN}/checkout/page.html`; }
      get currentScript() { return tag; }
      get visibilityState() { return page.hidden ? "hidden" : "visible"; }
      get prerendering() { return page.prerendering; }
      get documentElement() { return { append() {} }; }
      querySelector() { return null; }
      createElement(name) {
        if (name !== "iframe") return window.createElement?.(name);
        if (scenario.frame === "forbidden") throw new DOMException("no", "SecurityError");
        page.outcome.frames++;
        const frame = vm.createContext({ ...windowOf(scenario.window) });
        return { contentWindow: vm.runInContext("globalThis", frame), remove: () => page.outcome.frames-- };
      }
    }
    class Element {
      constructor({ localName = "input", type, ...attributes }) {
        Object.assign(this, { localName, type, attributes });
      }
      getAttribute(name) { return this.attributes[name] ?? null; }
      getBoundingClientRect() { return { x: 100, y: 100, width: 80, height: 20 }; }
    }
    this.Element = Element;
    const document = new Document();
    // Elements of the page, by their names: what the document gives in place of its own members.
    for (const [name, value] of Object.entries(scenario.named ?? {})) Object.defineProperty(document, name, { value });
    this.document = document;
    const { createElement: _, ...facts } = window;
    return {
      ...facts,
      document, Document, HTMLScriptElement, Element,
      location: { search: scenario.search ?? "" },
      screenX: 0, screenY: 0, scrollY: 0,
      console: { error: (error) => page.outcome.console.push(String(error)), debug() {} },
      isSecureContext: scenario.secure ?? true,
      addEventListener: events.addEventListener.bind(events),
      setTimeout: (run, ms, ...rest) => page.later(run, ms, rest),
      clearTimeout: (id) => (page.timers = page.timers.filter((timer) => timer.id !== id)),
      performance: { timeOrigin: 1.7e12, now: () => page.now, getEntriesByName: (url) => (scenario.timings ? [timing(url)] : []) },
      crypto, URL, URLSearchParams, Blob, AbortController, DOMException, TextEncoder, TextDecoder,
      Request: scenario.keepalive === false ? class {} : class { get keepalive() { return true; } },
      navigator: Object.assign(Object.create(facts.navigator ?? null), {
        sendBeacon: (url, body) => page.outcome.beacons.push({ url, type: body.type, size: body.size }),
      }),
      fetch: (url, options) => page.fetch(String(url), options ?? {}),
      WebAssembly: this.webAssembly(),
      WebSocket: this.webSocket(),
      Worker: this.worker(),
    };
  }

  later(run, ms, rest = []) {
    const id = {};
    this.timers.push({ id, at: this.now + ms, run: () => run(...rest) });
    return id;
  }

  async fetch(url, options) {
    const { signal } = options;
    if (signal?.aborted) throw new DOMException("aborted", "AbortError");
    if (options.method !== "POST") {
      this.outcome.fetched.push(url);
      if (this.scenario.wasm === "missing") return new Response("", { status: 404 });
      if (this.scenario.wasm === "silent") return new Promise(() => {});
      const [, base, rest] = HASHED.exec(new URL(url).pathname);
      return new Response(file(`octet-collector${rest}`), {
        headers: { "content-type": this.scenario.wasm === "mistyped" ? "text/plain" : "application/wasm" },
      });
    }
    const { body, keepalive, credentials, headers } = options;
    const assessment = new URL(url).pathname.endsWith("/v1/assess");
    const record = { url, body, keepalive: !!keepalive, credentials, headers, atMs: Math.round(this.now) };
    (assessment ? this.outcome.assessments : this.outcome.posts).push(record);
    const answer = (assessment ? this.verdicts.shift() : this.answers.shift()) ?? (assessment ? VERDICT : 202);
    if (answer === "error") throw new TypeError("Failed to fetch");
    if (answer === "silent") {
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))),
      );
    }
    if (typeof answer === "string") return new Response(answer);
    return typeof answer === "number" ? new Response("{}", { status: answer }) : Response.json(answer);
  }

  webAssembly() {
    const page = this;
    const { wasm } = this.scenario;
    const working = async (work) => {
      page.busy++;
      try {
        return await work();
      } finally {
        page.busy--;
      }
    };
    class Module {
      constructor(bytes) {
        if (wasm === "forbidden") throw new WebAssembly.CompileError("policy");
        return new WebAssembly.Module(bytes);
      }
      static [Symbol.hasInstance](value) {
        return value instanceof WebAssembly.Module;
      }
    }
    return {
      Module,
      Instance: WebAssembly.Instance,
      compile: (bytes) => working(() => WebAssembly.compile(bytes)),
      compileStreaming: (response) => working(async () => WebAssembly.compile(await response.arrayBuffer())),
    };
  }

  webSocket() {
    const page = this;
    return class {
      constructor(url) {
        this.url = url;
        const { hostname, search } = new URL(url);
        const { channel = "rounds", siblings = {} } = page.scenario;
        const does = search.includes("role=sibling") ? siblings[hostname] : channel;
        if (does === "throws") throw new DOMException("no", "SecurityError");
        this.record = { url, closed: false, echoes: [], openedAtMs: page.now };
        page.outcome.sockets.push(this.record);
        if (does === "refused") page.later(() => this.onerror?.(), 20);
        if (does === "rounds") page.later(() => this.rounds(), 20);
        if (does === "slow") page.later(() => this.rounds(), 700);
      }
      rounds() {
        this.onmessage?.({ data: JSON.stringify({ type: "hello", ticket: this.ticket(), peers: page.scenario.peers ?? [], more: 1 }) });
        for (let round = 0; round < 4; round++) {
          page.later(() => this.onmessage?.({ data: Uint8Array.of(1, round, ...Array(16).fill(round)).buffer }), 10 * round);
        }
        page.later(() => this.onmessage?.({ data: '{"type":"end"}' }), 100);
      }
      ticket() {
        return this.url.includes("role=sibling") ? `of.${new URL(this.url).hostname}` : "a.ticket";
      }
      send(bytes) {
        this.record.echoes.push([...bytes]);
        const round = bytes[1];
        if (round !== 3) page.later(() => this.onmessage?.({ data: Uint8Array.of(3, round).buffer }), 12.5);
      }
      close() {
        this.record.closed = true;
      }
    };
  }

  worker() {
    const page = this;
    return class {
      constructor(url) {
        if (page.scenario.worker === "forbidden") throw new DOMException("no", "SecurityError");
        this.url = url;
        if (page.scenario.worker === "fails") page.later(() => this.onerror?.({ preventDefault() {} }), 5);
      }
      postMessage(data) {
        const { worker, workerAnswers } = page.scenario;
        if (workerAnswers) page.later(() => this.onmessage?.({ data: workerAnswers[0] }), 5);
        if (worker || workerAnswers) return;
        const { navigator } = windowOf(page.scenario.window);
        const inside = vm.createContext({ navigator, TextEncoder, TextDecoder });
        inside.postMessage = (answer) => page.later(() => this.onmessage?.({ data: answer }), 5);
        vm.runInContext(file("octet-collector.worker.js").toString(), inside);
        inside.onmessage({ data });
      }
      terminate() {
        page.outcome.workersEnded++;
      }
    };
  }

  async run() {
    vm.runInContext(this.scenario.library ?? "", this.context);
    const source = file("octet-collector.js").toString();
    vm.runInContext(source, this.context, { importModuleDynamically: (url) => this.load(url) });
    for (const step of this.scenario.steps ?? []) this.later(() => this.step(step), step.at ?? 0);
    // Nothing more can happen when nothing is due and nothing is under way.
    for (;;) {
      for (let turn = 0; turn < QUIET_TURNS || this.busy; turn++) await new Promise(setImmediate);
      if (!this.timers.length) break;
      this.timers.sort((one, other) => one.at - other.at);
      const { at, run } = this.timers.shift();
      this.now = Math.max(this.now, at);
      run();
    }
    this.outcome.pending = this.open;
    this.outcome.frames = Math.max(this.outcome.frames, 0);
    return this.outcome;
  }

  /** A part of the collector that it loads by itself. */
  async load(url) {
    this.busy++;
    try {
      this.outcome.loaded.push(url);
      if (this.scenario.part === "missing") throw new TypeError("Failed to fetch");
      const [, , rest] = HASHED.exec(new URL(url).pathname);
      const module = new vm.SourceTextModule(file(`octet-collector${rest}`).toString(), { context: this.context });
      await module.link(() => {});
      await module.evaluate();
      return module;
    } finally {
      this.busy--;
    }
  }

  /** An event of an input device, on the virtual clock. */
  input({ type, target, ...properties }) {
    const event = new Event(type);
    const path = [target && new this.Element(target)];
    for (const [name, value] of Object.entries({ ...properties, timeStamp: this.now, composedPath: () => path })) {
      Object.defineProperty(event, name, { value });
    }
    this.events.dispatchEvent(event);
  }

  step({ assess, throws, input, verify, abortsAt, aborted, event, hide, call }) {
    if (hide) this.hidden = true;
    if (event) {
      this.prerendering = false;
      const target = event === "pagehide" ? this.events : this.document;
      EventTarget.prototype.dispatchEvent.call(target, new Event(event));
    }
    if (input) this.input(input);
    if (!call) return;
    const config = (assess ?? verify) && { ...(assess ?? verify) };
    if (abortsAt !== undefined || aborted) {
      const controller = new AbortController();
      config.signal = controller.signal;
      if (aborted) controller.abort();
      else if (abortsAt === 0) queueMicrotask(() => controller.abort());
      else this.later(() => controller.abort(), abortsAt);
    }
    this.open++;
    const result = {};
    this.outcome.calls.push(result);
    if (assess) {
      result.told = [];
      this.tell ??= (...told) => {
        result.told.push(told);
        if (throws) throw new Error("the page's own");
      };
      Object.assign(config, { onVerdict: (verdict) => this.tell("verdict", verdict), ...config });
      if (config.onVerdict === "shared") config.onVerdict = this.shared ??= (verdict) => this.tell("verdict", verdict);
      config.onError = (error) => result.told.push(["error", error.name]);
    }
    this.context.octet[assess ? "assess" : "verify"](config).then(
      (verified) => Object.assign(result, verified),
      (error) => Object.assign(result, { error: error.name, message: error.message }),
    ).finally(() => {
      result.atMs = Math.round(this.now);
      this.open--;
    });
  }
}

const VERDICT = {
  is_bot: false, score: 18, level: "low", action: "record_only", consistency: { ok: true }, degraded: false,
};

function timing(name) {
  return {
    name, nextHopProtocol: "h2", domainLookupStart: 1, domainLookupEnd: 2.5, connectStart: 2.5, connectEnd: 10,
    secureConnectionStart: 5, requestStart: 10, responseStart: 30.0004, responseEnd: 31,
  };
}

const unhandled = [];
process.on("unhandledRejection", (error) => unhandled.push(String(error)));
const scenarios = JSON.parse(readFileSync(0, "utf8"));
const outcomes = [];
for (const scenario of scenarios) outcomes.push(await new Page(scenario).run());
process.stdout.write(JSON.stringify({ outcomes, unhandled }));

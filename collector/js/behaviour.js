// Observes how the visitor's devices move while a visit is assessed: timing and geometry, at most 64 events, times in
// steps of 8 ms. Never which key, what text or what was clicked on; and no keys at all in fields for secrets.
const STEP_MS = 8;
const MOST_EVENTS = 64;
const MOST_MOVES = 32;
const MOVE_EVERY_MS = 24;
const SCROLL_EVERY_MS = 96;
const FAR = 100_000;
const POINTERS = ["mouse", "touch", "pen"];
const SECRET = /pass|pwd|secret|otp|one-?time|2fa|mfa|totp|token|code|\bpin|card|\bcc-|cvc|cvv|csc|iban|expir/i;

const steps = (ms) => Math.max(0, Math.floor(ms / STEP_MS) * STEP_MS);
const pixels = (value) => (Number.isFinite(value) ? Math.max(-FAR, Math.min(FAR, Math.round(value))) : undefined);

/** Begins to observe; `end()` ends that, and gives what was seen. */
export function observe() {
  const began = performance.now();
  const seen = { observedMs: 0, events: [], unlisted: 0 };
  const stop = new AbortController();
  const state = { moves: 0, sampled: 0, movedAt: -Infinity, scrolledAt: -Infinity, scrollTop: scrollY, held: new Map(), secret: new WeakSet() };

  const note = (kind, event, more) => {
    if (seen.events.length === MOST_EVENTS) return void seen.unlisted++;
    seen.events.push({ kind, atMs: steps(event.timeStamp - began), scripted: event.isTrusted ? undefined : true, ...more });
  };
  const on = (type, listener) => {
    const guarded = (event) => {
      try {
        listener(event);
      } catch {
        // An event that is not what it says is not noted.
      }
    };
    addEventListener(type, guarded, { capture: true, passive: true, signal: stop.signal });
  };
  const held = (key, event) => {
    const since = state.held.get(key);
    state.held.delete(key);
    return since === undefined ? undefined : steps(event.timeStamp - since);
  };
  pointers(on, note, held, state);
  keys(on, note, held, state);
  surroundings(on, note, state, seen);
  return {
    end() {
      if (!stop.signal.aborted) seen.observedMs = Math.round(performance.now() - began);
      stop.abort();
      return seen;
    },
  };
}

function pointers(on, note, held, state) {
  const place = ({ pointerType, clientX, clientY }) => ({
    pointer: POINTERS.includes(pointerType) ? pointerType : undefined,
    x: pixels(clientX),
    y: pixels(clientY),
  });
  const press = (event) => ({
    ...place(event),
    movesBefore: state.moves,
    offsetX: pixels(event.screenX - event.clientX - screenX),
    offsetY: pixels(event.screenY - event.clientY - screenY),
  });
  on("pointermove", (event) => {
    state.moves++;
    state.moveAt = event.timeStamp;
    if (event.timeStamp - state.movedAt < MOVE_EVERY_MS || state.sampled === MOST_MOVES) return;
    state.movedAt = event.timeStamp;
    state.sampled++;
    note("move", event, {
      ...place(event),
      joined: event.getCoalescedEvents?.().length,
      pressurePermille: event.buttons ? pixels(event.pressure * 1000) : undefined,
    });
  });
  on("pointerover", (event) => (state.over = event));
  on("pointerdown", (event) => {
    const { over, moveAt } = state;
    const same = ["timeStamp", "pointerId", "clientX", "clientY"].every((part) => over?.[part] === event[part]);
    const entered = same && moveAt !== event.timeStamp;
    state.held.set(event.pointerId, event.timeStamp);
    note("down", event, { ...press(event), entered: entered || undefined, pressurePermille: pixels(event.pressure * 1000) });
  });
  on("pointerup", (event) => note("up", event, { ...place(event), heldMs: held(event.pointerId, event) }));
  on("pointercancel", (event) => state.held.delete(event.pointerId));
  on("click", (event) => {
    const box = innermost(event)?.getBoundingClientRect?.();
    const middle = box && Math.hypot(event.clientX - box.x - box.width / 2, event.clientY - box.y - box.height / 2);
    note("click", event, {
      ...press(event),
      fromMiddle: pixels(middle),
      targetSide: box && pixels(Math.min(box.width, box.height)),
      count: Math.min(event.detail, 255),
    });
    state.moves = 0;
  });
}

function keys(on, note, held, state) {
  const allowed = (event) => {
    const field = innermost(event);
    // A field that has shown a password once stays one, and a component may hide one inside.
    if (field?.type === "password") state.secret.add(field);
    if (!(field instanceof Element)) return true;
    const named = ["autocomplete", "name", "id"].map((name) => field.getAttribute(name)).join(" ");
    return !state.secret.has(field) && !field.localName.includes("-") && !SECRET.test(named);
  };
  on("focusin", allowed);
  on("keydown", (event) => {
    if (!allowed(event)) return;
    if (!event.repeat) state.held.set(event.code, event.timeStamp);
    note("keyDown", event, { repeated: event.repeat || undefined });
  });
  on("keypress", (event) => {
    if (!state.held.has(event.code) && allowed(event)) note("typed", event);
  });
  on("keyup", (event) => {
    // The hold ends even where the focus has gone on to a field for a secret.
    const heldMs = held(event.code, event);
    if (allowed(event)) note("keyUp", event, { heldMs });
  });
}

function surroundings(on, note, state, seen) {
  on("wheel", (event) => {
    if (event.timeStamp - state.scrolledAt < SCROLL_EVERY_MS) return void seen.unlisted++;
    state.scrolledAt = event.timeStamp;
    note("wheel", event, { delta: pixels(event.deltaY) });
  });
  let scrolled = -Infinity;
  on("scroll", (event) => {
    if (event.target !== document) return;
    if (event.timeStamp - scrolled < SCROLL_EVERY_MS) return void seen.unlisted++;
    scrolled = event.timeStamp;
    note("scroll", event, { delta: pixels(scrollY - state.scrollTop) });
    state.scrollTop = scrollY;
  });
  on("focusin", (event) => note("focus", event));
  on("blur", (event) => {
    if (event.target !== globalThis) return;
    state.held.clear();
    note("blur", event);
  });
}

const innermost = (event) => event.composedPath?.()[0] ?? event.target;

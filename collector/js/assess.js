// `assess()`: one assessment for one session reference, joined by every later call for it. What it does stands in a part
// that is loaded when it is first called. It never rejects and never throws into the page: what fails is degraded.
import { callbacks, locations, parseAssess } from "./config.js";
import { collect } from "./contexts.js";
import { aborted, begin, within } from "./life.js";
import { ownTag } from "./own.js";
import { send } from "./post.js";
import { verify } from "./verify.js";

const LOAD_LIMIT_MS = 4000;

/** What is said of a visit of which nothing is known. */
const DEGRADED = Object.freeze({
  is_bot: false,
  score: 0,
  level: "low",
  action: "record_only",
  consistency: Object.freeze({ ok: true }),
  degraded: true,
});

/** See octet-collector.d.ts. */
export async function assess(config) {
  let asked;
  try {
    asked = parseAssess(config);
  } catch (error) {
    return tell(new Set(), told(config), { verdict: DEGRADED, error });
  }
  const { ref, signal } = asked;
  if (signal?.aborted) return abandoned(asked);
  // Both builds of the collector in one page share their runs.
  const runs = (globalThis[Symbol.for("octet.assessments")] ??= new Map());
  let run = runs.get(ref);
  if (!run) {
    runs.set(ref, (run = { callers: 0, gone: new AbortController(), told: new Set(), escalated: new Set() }));
    run.outcome = start(asked, run).then(
      (verdict) => ({ verdict, error: verdict.degraded ? new Error("octet: the visit could not be assessed") : undefined }),
      (error) => ({ verdict: DEGRADED, error }),
    );
  }
  if (asked.onEscalate) run.escalated.add(asked.onEscalate);
  run.callers++;
  const outcome = await new Promise((resolve) => {
    const abandon = () => {
      resolve();
      run.escalated.delete(asked.onEscalate);
      // What another call still waits for goes on.
      if (--run.callers) return;
      run.gone.abort();
      if (runs.get(ref) === run) runs.delete(ref);
    };
    signal?.addEventListener("abort", abandon, { once: true });
    run.outcome.then((outcome) => {
      signal?.removeEventListener("abort", abandon);
      resolve(outcome);
    });
  });
  return outcome ? tell(run.told, asked, outcome) : abandoned(asked);
}

/** The callbacks of a configuration that is malformed, where they are not what is. */
function told(config) {
  try {
    return callbacks(config);
  } catch {
    return {};
  }
}

function abandoned({ onError }) {
  notify(onError, aborted());
  return DEGRADED;
}

/** Tells a caller what it asked to be told; one function hears of one run once, in however many calls it is named. */
function tell(before, { onVerdict, onError }, { verdict, error }) {
  const once = (callback, value) => {
    if (before.has(callback)) return;
    before.add(callback);
    notify(callback, value);
  };
  if (error) once(onError, error);
  once(onVerdict, verdict);
  return verdict;
}

/** Calls the page's function; what it throws is the page's own matter, and only shown. */
async function notify(callback, value) {
  try {
    await callback?.(value);
  } catch (error) {
    console.error(error);
  }
}

/** One run, to its verdict. */
async function start(asked, { gone: { signal: gone }, escalated }) {
  const life = await begin(gone);
  if (!life) throw gone.aborted ? aborted() : new Error("octet: needs a secure context");
  try {
    const collected = verify({ ...asked.first, signal: gone }).then(({ completed }) => completed, () => false);
    const at = locations(asked);
    const { visit } = await within(LOAD_LIMIT_MS, import(at.assess)).catch(() => {
      throw new Error("octet: a part of the collector could not be loaded");
    });
    const escalate = (kind) => escalated.forEach((callback) => notify(callback, kind));
    return await visit({ asked, at, life, gone, collected, escalate, collect, ownTag, send });
  } finally {
    life.end();
  }
}

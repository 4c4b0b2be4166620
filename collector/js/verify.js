// `verify()`: one collection for one session reference, joined by every later call for it. Knows the page's life and
// the order of things; never what a fact means. Nothing here runs before it is called, and nothing throws into the page.
import { open, skipped } from "./channel.js";
import { locations, parse } from "./config.js";
import { collect } from "./contexts.js";
import { json } from "./json.js";
import { aborted, begin, randomId } from "./life.js";
import { post } from "./post.js";
import { ownTag } from "./own.js";
import { PROFILES, rankOf } from "./profiles.js";
import { resources } from "./resources.js";

const LIMIT_MS = 3000;
const STANDARD = 1;

/** See octet-collector.d.ts. */
export async function verify(config) {
  const asked = parse(config);
  if (asked.signal?.aborted) throw aborted();
  // Both builds of the collector in one page share their runs.
  const runs = (globalThis[Symbol.for("octet.runs")] ??= new Map());
  const { ref, signal } = asked;
  let run = runs.get(ref);
  if (!run) {
    const gone = new AbortController();
    const result = start(asked, gone.signal).then(
      (completed) => ({ ref, completed }),
      () => ({ ref, completed: false }),
    );
    runs.set(ref, (run = { callers: 0, gone, result }));
  }
  return new Promise((resolve, reject) => {
    run.callers++;
    const abandon = () => {
      reject(aborted());
      // What another call still waits for goes on.
      if (--run.callers) return;
      run.gone.abort();
      if (runs.get(ref) === run) runs.delete(ref);
    };
    signal?.addEventListener("abort", abandon, { once: true });
    run.result.then((verified) => {
      signal?.removeEventListener("abort", abandon);
      resolve(verified);
    });
  });
}

/** One run, to its end. Resolves with whether Octet accepted the bundle. */
async function start(asked, gone) {
  const life = await begin(gone);
  if (!life) return false;
  const { page, left } = life;
  const began = performance.now();
  const at = locations(asked);
  const channel = asked.passiveOnly ? skipped() : open(at.channel);
  const rank = rankOf(ownTag(asked.ref)?.octetProfile, STANDARD);
  const collection = collect(at, rank, channel.done);
  try {
    await Promise.race([
      Promise.all([channel.done, collection.done]),
      new Promise((resolve) => setTimeout(resolve, LIMIT_MS)),
      left,
    ]);
    channel.close();
    if (gone.aborted) return false;
    const { runtime, facts, worker, frame } = collection.finish();
    const head = {
      schema: 1,
      id: randomId(),
      sessionRef: asked.ref,
      collector: OCTET_VERSION,
      runtime,
      profile: PROFILES[rank],
      passiveOnly: asked.passiveOnly,
      startedAtMs: Math.round(performance.timeOrigin + began),
      durationMs: Math.round(performance.now() - began),
      page,
      channel: channel.report,
      siblings: channel.siblings,
      resources: rank ? resources(at) : [],
    };
    const contexts = rank ? `,"worker":${worker},"frame":${frame}` : "";
    const body = `${json(head).slice(0, -1)},"facts":${facts}${contexts}}`;
    return await post(at.signals, body, gone, page, left);
  } finally {
    channel.close();
    collection.end();
    life.end();
  }
}

// Reads the facts in the page, in an empty frame and in a worker: by WebAssembly, or by plain script where a policy
// forbids that or it does not come in time. What cannot be read is said to be blocked, in one word.
import { call, own } from "./dom.js";
import { initSync, facts as readByWasm } from "./glue.js";
import { core, rest, HINTS } from "./facts.js";
import { isObject, json } from "./json.js";
import { within } from "./life.js";
import { blocked, readFacts, word } from "./read.js";

const WASM_LIMIT_MS = 2000;
const PREPARE_LIMIT_MS = 300;
// What a worker may take once all else is done.
const WORKER_GRACE_MS = 300;
const FULL = 2;

const readByScript = (root, prepared, rank, coreOnly) =>
  json(readFacts(coreOnly ? core : [...core, ...rest], root, prepared, rank));

/**
 * Starts to read. `done` resolves when everything has been read, `finish()` gives what there is at any time, as JSON
 * texts, and `end()` lets go of what is still open. A frame that is kept is in `element` until then: making one is dear.
 */
export function collect(at, rank, channelDone, keepsFrame) {
  const read = { runtime: "script", facts: undefined, worker: undefined, frame: undefined };
  let frame;
  if (!rank) return { done: Promise.resolve(), finish: () => ({ ...read, facts: "{}" }), end() {} };

  const stop = new AbortController();
  const late = { hints: "timeout", permission: "timeout" };
  const take = (runtime, reader) => {
    read.facts = reader(globalThis, { ...late }, rank, false);
    [read.frame, frame] = inFrame((root) => reader(root, {}, rank, true), keepsFrame);
    read.runtime = runtime;
  };
  const worker = inWorker(at.worker, rank);
  const page = async () => {
    const [wasm] = await Promise.all([within(WASM_LIMIT_MS, load(at.wasm, stop.signal)).catch(() => false), prepare(late, rank)]);
    if (read.facts || stop.signal.aborted) return;
    if (wasm) {
      try {
        return take("wasm", readByWasm);
      } catch {
        // Plain script reads the same.
      }
    }
    take("script", readByScript);
  };
  const all = async () => {
    await Promise.all([page(), channelDone]);
    await within(WORKER_GRACE_MS, worker.done).catch(() => {});
  };
  return {
    done: all(),
    finish() {
      if (!read.facts) take("script", readByScript);
      return { ...read, worker: worker.facts, element: frame };
    },
    end() {
      stop.abort();
      worker.end();
      frame?.remove();
    },
  };
}

let loaded = false;

/** Compiles the module while it arrives, once a page. Throws where a policy forbids WebAssembly, before anything is fetched. */
async function load(url, signal) {
  if (loaded) return true;
  new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  const response = await fetch(url, { integrity: OCTET_WASM.integrity, credentials: "same-origin", signal });
  if (!response.ok) return false;
  const streams = WebAssembly.compileStreaming && response.headers.get("content-type") === "application/wasm";
  const module = await (streams
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer()));
  initSync({ module });
  return (loaded = true);
}

/** Asks for what comes by promise: values, `null` where the browser has none, or the word for why not. */
async function prepare(late, rank) {
  const ask = async (name, question) => {
    try {
      late[name] = (await within(PREPARE_LIMIT_MS, question())) ?? null;
    } catch (error) {
      late[name] = word(error);
    }
  };
  await Promise.all([
    ask("hints", async () => navigator.userAgentData?.getHighEntropyValues(HINTS)),
    rank === FULL && ask("permission", async () => navigator.permissions?.query({ name: "notifications" })),
  ]);
}

function inFrame(read, keep) {
  let frame;
  try {
    frame = call("createElement", "iframe");
    frame.hidden = true;
    own("documentElement").append(frame);
    return [read(frame.contentWindow), keep ? frame : undefined];
  } catch (error) {
    return [blocked(error)];
  } finally {
    if (!keep) frame?.remove();
  }
}

function inWorker(url, rank) {
  const worker = { facts: blocked({ name: "timeout" }), end() {} };
  worker.done = new Promise((resolve) => {
    const failed = (error) => resolve((worker.facts = blocked(error)));
    try {
      const thread = new Worker(url);
      worker.end = () => thread.terminate();
      thread.onmessage = ({ data }) => resolve((worker.facts = isObject(data) ? data : blocked({ name: "type" })));
      thread.onerror = (event) => {
        event.preventDefault();
        failed({ name: "error" });
      };
      thread.postMessage(rank);
    } catch (error) {
      failed(error);
    }
  });
  return worker;
}

// The worker of a challenge: tries one number after the other until one fits. What makes that dear is memory, and the
// WebAssembly module that fills it.
import { initSync, Work } from "./challenge-glue.js";

onmessage = async ({ data: { beside, challenge } }) => {
  try {
    postMessage(beside ? await load(beside) : solve(challenge));
  } catch {
    postMessage({ failed: true });
  }
};

async function load(beside) {
  const { hash, integrity } = OCTET_CHALLENGE_WASM;
  const response = await fetch(`${beside}.${hash}.challenge.wasm`, { integrity, credentials: "same-origin" });
  if (!response.ok) throw response.status;
  initSync({ module: await WebAssembly.compile(await response.arrayBuffer()) });
  return { ready: true };
}

function solve({ algorithm, memoryKib, iterations, difficulty, salt, target }) {
  if (algorithm !== "argon2id") throw algorithm;
  const work = Work.of(memoryKib, iterations, bytes(salt), bytes(target));
  for (let number = 0; number < difficulty; number++) {
    const proof = work.attempt(number);
    if (proof) return { solution: { number, proof: text(proof) } };
    postMessage({ share: (number + 1) / difficulty });
  }
  throw difficulty;
}

const bytes = (base64url) => Uint8Array.from(atob(base64url.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

const text = (proof) => btoa(String.fromCharCode(...proof)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

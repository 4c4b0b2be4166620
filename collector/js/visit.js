// The part of the collector that `assess()` loads: observes the visit for a while, reads the facts once more, asks the
// edge for the verdict and, where the page wants it, shows a challenge. Knows no more of a verdict than its shape.
import { look, promised } from "./automation.js";
import { observe } from "./behaviour.js";
import { json } from "./json.js";
import { aborted, randomId, within } from "./life.js";
import { PROFILES, rankOf } from "./profiles.js";

const FULL = PROFILES.indexOf("full");
// What the first collection and the second reading may take beyond the window.
const WAIT_MS = 3500;
const ANSWER_LIMIT_MS = 2500;
const LOAD_LIMIT_MS = 8000;

/** One visit, to its verdict; rejects with what went wrong. */
export async function visit({ asked, at, life, gone, collected, escalate, collect, ownTag, send }) {
  const { page, left } = life;
  const rank = rankOf(ownTag(asked.ref)?.assessProfile, FULL);
  const behaviour = rank === FULL ? observe() : undefined;
  const late = rank === FULL ? promised() : undefined;
  const collection = collect(at, rank, null, rank === FULL);
  const post = (path, message, limit) =>
    send(at.api + path, message, gone, page, limit, (answer) => (answer.ok ? answer.json() : answer.status));
  let accepted = false;
  try {
    const first = collected.then((completed) => (accepted = completed));
    await Promise.race([
      Promise.all([
        new Promise((resolve) => setTimeout(resolve, asked.windowMs)),
        within(Math.max(asked.windowMs, WAIT_MS), Promise.all([first, collection.done])).catch(() => {}),
      ]),
      left,
    ]);
    if (gone.aborted) throw aborted();
    const { runtime, facts, worker, frame, element } = collection.finish();
    const head = {
      schema: 1,
      id: randomId(),
      sessionRef: asked.ref,
      appKey: asked.appKey,
      runtime,
      collector: OCTET_VERSION,
      escalate: asked.escalate,
      windowMs: asked.windowMs,
      clickToken: asked.clickToken,
      collected: accepted,
      page,
      behaviour: behaviour?.end(),
      // Last: what drives a browser may leave its traces while the page is in use.
      automation: rank === FULL ? await look(element, late, left) : undefined,
    };
    const contexts = rank ? `,"worker":${worker},"frame":${frame}` : "";
    const verdict = await ask(post, `${json(head).slice(0, -1)},"facts":${facts}${contexts}}`, gone);
    const wanted = asked.escalate && verdict.action === "challenge" && !page.leftEarly;
    return wanted ? await challenged(asked, verdict, { at, gone, escalate, post }) : verdict;
  } finally {
    behaviour?.end();
    collection.end();
  }
}

/** The verdict on what was read; the very same bytes are sent once more where no answer came. */
async function ask(post, body, gone) {
  const answer = (await post("/assess", body, ANSWER_LIMIT_MS)) || (!gone.aborted && (await post("/assess", body, ANSWER_LIMIT_MS)));
  if (gone.aborted) throw aborted();
  return verdictOf(answer);
}

/** The answer as a verdict, which it may not be. */
function verdictOf(answer) {
  const { is_bot, score, level, action, consistency, degraded } = answer || {};
  const holds =
    [is_bot, consistency?.ok, degraded].every((flag) => typeof flag === "boolean") &&
    [level, action].every((text) => typeof text === "string") &&
    typeof score === "number";
  if (!holds) throw new Error(typeof answer === "number" && answer > 0 ? `octet: the edge answered ${answer}` : "octet: the edge did not answer");
  Object.freeze(consistency);
  return Object.freeze(answer);
}

/** The verdict after a challenge; where none can be shown or solved, the service is told, and the page. */
async function challenged(asked, verdict, { at, gone, escalate, post }) {
  const call = async (path, message) => {
    const body = json({ sessionRef: asked.ref, appKey: asked.appKey, ...message });
    const answer = await post(`/challenge${path}`, body);
    if (answer === null || typeof answer !== "object") throw new Error("octet: the challenge was not answered");
    return answer;
  };
  const answered = async (id, message) => verdictOf(await call(`/${encodeURIComponent(id)}`, message));
  try {
    const { challenge } = await within(LOAD_LIMIT_MS, import(`${at.beside}.${OCTET_CHALLENGE.hash}.challenge.mjs`));
    const shown = () => escalate("challenge");
    return await challenge({ config: asked.challengeConfig, onError: asked.onError, verdict, call, answered, gone, shown, beside: at.beside });
  } catch {
    if (gone.aborted) throw aborted();
    escalate("unavailable");
    try {
      return await answered((await call("", {})).id, { unavailable: true });
    } catch {
      return Object.freeze({ ...verdict, challenge: "unavailable" });
    }
  }
}

// The zoo's page: asks Octet, and beside it BotD, what it thinks of the visit, and says when both are done.

import { assess } from "/octet/octet-collector.mjs";

const { visit, app, ref } = document.querySelector("main").dataset;
const tell = (what, body) => fetch(`/${what}?v=${visit}`, { method: "POST", body });
const other = async () => {
  const { load } = await import("/botd.js");
  const found = await (await load()).detect();
  await tell("botd", found.bot ? found.botKind : "no");
};
await tell("here", "");
const verdict = assess({ apiUrl: "/octet", sessionRef: ref, appKey: app });
await Promise.allSettled([other(), verdict]);
await tell("done", JSON.stringify(await verdict));

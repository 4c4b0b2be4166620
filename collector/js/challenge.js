// The challenge, a part that is loaded when a visit is to be verified once more: a button, and work that a worker does.
// Never a dead end: what cannot be shown or solved throws, and a visitor can always leave it.
import { dialog } from "./dialog.js";
import { solver } from "./solver.js";

const MOST_ATTEMPTS = 3;

/** Shows the challenge until it is passed, left or given up; resolves with the verdict then. */
export async function challenge({ config, onError, verdict, call, answered, gone, shown, beside }) {
  const work = await solver(beside);
  let box;
  try {
    box = dialog(config, onError, gone);
    shown();
    let latest = verdict;
    for (let attempt = 0; attempt < MOST_ATTEMPTS && (await box.pressed()); attempt++) {
      box.working();
      const given = await call("", {}).catch((error) => {
        // After a first attempt, there may be no more: what came of that stands.
        if (!attempt) throw error;
      });
      if (!given) break;
      const solution = await Promise.race([work.solve(given, box.progress), box.left]);
      if (!solution) break;
      latest = await answered(given.id, { solution });
      if (latest.challenge !== "failed" && latest.challenge !== "expired") break;
      box.again(latest.challenge);
    }
    return latest;
  } finally {
    box?.close();
    work.end();
  }
}

// What a challenge looks like: a modal dialog of the browser's own kind, in a shadow tree with a constructed style sheet,
// so that neither the page's styles nor a strict policy reach it. Knows nothing of the work.
import { colours } from "./colours.js";
import { call, own } from "./dom.js";
import { textsFor } from "./texts.js";

const STEP = 0.25;

/**
 * Shows the dialog. `pressed()` resolves with whether the visitor wants it done, and `left` once they have left it, or the
 * page has abandoned the call.
 */
export function dialog(config, onError, gone) {
  const { texts, language, direction } = textsFor(config);
  const host = call("createElement", "octet-challenge");
  const root = host.attachShadow({ mode: "open" });
  style(root, colours(config, onError), config);
  const { box, status, start, leave } = parts(texts, language, direction);
  root.append(box);
  (own("body") ?? own("documentElement")).append(host);
  const busy = (is) => start.setAttribute("aria-disabled", is);

  let press = () => {};
  start.addEventListener("click", () => start.getAttribute("aria-disabled") !== "true" && press(true));
  const left = new Promise((resolve) => {
    const end = () => resolve();
    leave.addEventListener("click", end);
    // Escape, and whatever else the browser closes a dialog with.
    box.addEventListener("cancel", end);
    box.addEventListener("close", end);
    gone.addEventListener("abort", end, { once: true });
  });
  const before = own("activeElement");
  box.showModal();
  start.focus();

  let told = 0;
  return {
    left,
    pressed: () => Promise.race([new Promise((resolve) => (press = resolve)), left]),
    working() {
      told = 0;
      busy(true);
      status.textContent = texts.working;
    },
    /** The share of the work at most that is done; told a few times only, so that it can be read out. */
    progress(share) {
      if (share < told + STEP) return;
      told = share;
      status.textContent = `${texts.working} ${new Intl.NumberFormat(language, { style: "percent" }).format(share)}`;
    },
    again(outcome) {
      busy(false);
      start.textContent = texts.retry;
      status.textContent = texts[outcome];
      start.focus();
    },
    close() {
      box.close();
      host.remove();
      before?.focus?.();
    },
  };
}

function parts(texts, lang, dir) {
  const make = (name, properties, ...children) => {
    const element = Object.assign(call("createElement", name), properties);
    element.append(...children);
    return element;
  };
  const title = make("h2", { id: "title" }, texts.title);
  const text = make("p", { id: "text" }, texts.text);
  const status = make("p", { id: "status" });
  const start = make("button", { type: "button", id: "start" }, texts.start);
  const leave = make("button", { type: "button", id: "leave" }, texts.leave);
  const box = make("dialog", { lang, dir }, title, text, status, make("div", {}, start, leave));
  box.setAttribute("aria-labelledby", "title");
  box.setAttribute("aria-describedby", "text");
  status.setAttribute("role", "status");
  return { box, status, start, leave };
}

const FONT = /^[\w\s,'"-]{1,200}$/;

function style(root, { light, dark }, config) {
  const font = FONT.test(config?.font ?? "") ? config.font : "system-ui, sans-serif";
  const radius = Math.max(0, Math.min(32, Number(config?.radius ?? 8) || 0));
  const scheme = ({ background, text, button, buttonText }) =>
    `--background:${background};--text:${text};--button:${button};--button-text:${buttonText}`;
  const sheets = { light: scheme(light), dark: scheme(dark) };
  const chosen = sheets[config?.scheme];
  const rules = `
    :host { all: initial }
    dialog { ${chosen ?? sheets.light}; box-sizing: border-box; width: min(26rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem);
      overflow: auto; margin: auto; padding: 1.5rem; border: 1px solid var(--text); border-radius: ${radius}px;
      background: var(--background); color: var(--text); font: 1rem/1.5 ${font}; text-align: start }
    dialog::backdrop { background: rgb(0 0 0 / .5) }
    h2 { margin: 0 0 .5rem; font-size: 1.25rem; line-height: 1.3 }
    p { margin: 0 0 1rem }
    #status { min-height: 1.5em }
    div { display: flex; flex-wrap: wrap; gap: .75rem }
    button { min-width: 44px; min-height: 44px; padding: .5rem 1rem; border: 2px solid var(--text); border-radius: ${radius}px;
      background: var(--background); color: var(--text); font: inherit; cursor: pointer }
    #start { background: var(--button); color: var(--button-text) }
    #start[aria-disabled=true] { cursor: progress }
    button:focus-visible { outline: 3px solid var(--text); outline-offset: 2px }
    @media (forced-colors: active) { button, dialog { border-color: ButtonText } }
    ${chosen ? "" : `@media (prefers-color-scheme: dark) { dialog { ${sheets.dark} } }`}`;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // Without a style sheet the browser's own look serves.
  }
}

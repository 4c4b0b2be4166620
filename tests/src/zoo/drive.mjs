// The zoo's drivers: one visit, by the library and in the form that the first argument names, to the URL of the second.
// Ends when its standard input does. Knows how programs drive browsers, and nothing of how that is noticed.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [name, url, profile] = process.argv.slice(2);
const kind = name.replace(/-silent$/, "");
const silent = kind !== name;
const require = createRequire(`${process.env.ZOO_TOOLS}/package.json`);
const CHROMIUM = "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--no-first-run"];
const AGENT =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const ended = new Promise((resolve) => process.stdin.resume().on("end", resolve).on("close", resolve));

/** What a program does on a page, unless it is a silent one: it clicks and types. */
async function act(page) {
  if (silent) return;
  await page.click("button");
  await page.type("input", "octet");
}

async function playwright(options, context = {}, { chromium } = require("playwright-core"), script = undefined) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS, ...options });
  const page = await (await browser.newContext({ ignoreHTTPSErrors: true, ...context })).newPage();
  if (script) await page.addInitScript(script);
  await page.goto(url);
  await act(page);
  return () => browser.close();
}

async function puppeteer(options, before = async () => {}, library = require("puppeteer-core")) {
  const browser = await library.launch({ executablePath: CHROMIUM, args: FLAGS, acceptInsecureCerts: true, ...options });
  const page = await browser.newPage();
  await before(page);
  await page.goto(url);
  await act(page);
  return () => browser.close();
}

function stealth(headless) {
  const { addExtra } = require("puppeteer-extra");
  const library = addExtra(require("puppeteer-core"));
  library.use(require("puppeteer-extra-plugin-stealth")());
  return puppeteer({ headless }, undefined, library);
}

/** Playwright with the plugin that hides Puppeteer. */
function extra(headless) {
  const library = require("playwright-extra");
  library.chromium.use(require("puppeteer-extra-plugin-stealth")());
  return playwright({ headless }, {}, library);
}

/** A headless shell that comes by npm. */
async function sparticuz() {
  const { default: chromium } = await import(require.resolve("@sparticuz/chromium"));
  return puppeteer({ executablePath: await chromium.executablePath(), args: chromium.args, headless: "shell" });
}

async function realBrowser() {
  const { connect } = require("puppeteer-real-browser");
  const customConfig = { chromePath: CHROMIUM };
  const { browser, page } = await connect({ headless: false, customConfig, args: FLAGS, disableXvfb: true, turnstile: false });
  await page.goto(url);
  await act(page);
  return () => browser.close();
}

async function selenium(browser, flags, excluded = []) {
  const { Builder, By } = require("selenium-webdriver");
  const chrome = require("selenium-webdriver/chrome.js");
  const firefox = require("selenium-webdriver/firefox.js");
  const builder = new Builder().forBrowser(browser);
  if (browser === "chrome") {
    builder.setChromeService(new chrome.ServiceBuilder("/usr/bin/chromedriver"));
    builder.setChromeOptions(new chrome.Options().setChromeBinaryPath(CHROMIUM).addArguments(...FLAGS, ...flags).excludeSwitches(...excluded));
  } else {
    builder.setFirefoxService(new firefox.ServiceBuilder(`${process.env.ZOO_TOOLS}/cargo/bin/geckodriver`));
    builder.setFirefoxOptions(new firefox.Options().setBinary("/usr/bin/firefox-esr").setAcceptInsecureCerts(true).addArguments(...flags));
  }
  const driver = await builder.build();
  await driver.get(url);
  await driver.findElement(By.css("button")).click();
  await driver.findElement(By.css("input")).sendKeys("octet");
  return () => driver.quit();
}

/** A browser that was started by hand, with a port that a library attaches to. */
async function attached(attach) {
  const browser = spawn(CHROMIUM, [...FLAGS, `--user-data-dir=${profile}`, "--remote-debugging-port=9347", "about:blank"], { stdio: "ignore" });
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch("http://127.0.0.1:9347/json/version").then((answer) => answer.ok, () => false)) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const page = await attach("http://127.0.0.1:9347");
  await page.goto(url);
  await act(page);
  return () => browser.kill();
}

/** Puppeteer with its stealth plugin, and a pointer that moves in curves. */
async function cursor() {
  const { addExtra } = require("puppeteer-extra");
  const { createCursor } = require("ghost-cursor");
  const library = addExtra(require("puppeteer-core"));
  library.use(require("puppeteer-extra-plugin-stealth")());
  const browser = await library.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...hidden], acceptInsecureCerts: true, headless: false, defaultViewport: null, ignoreDefaultArgs: ["--enable-automation"] });
  const page = await browser.newPage();
  await page.goto(url);
  const pointer = createCursor(page);
  await pointer.click("button");
  await pointer.click("input");
  await page.keyboard.type("octet", { delay: 110 });
  return () => browser.close();
}

async function webdriverio(flags) {
  const { remote } = await import(require.resolve("webdriverio"));
  const browser = await remote({
    logLevel: "silent",
    capabilities: {
      browserName: "chrome",
      acceptInsecureCerts: true,
      "goog:chromeOptions": { binary: CHROMIUM, args: [...FLAGS, ...flags] },
      "wdio:chromedriverOptions": { binary: "/usr/bin/chromedriver" },
    },
  });
  await browser.url(url);
  await (await browser.$("button")).click();
  await (await browser.$("input")).addValue("octet");
  return () => browser.deleteSession();
}

async function taiko(headless) {
  process.env.TAIKO_BROWSER_PATH = CHROMIUM;
  const { openBrowser, goto, click, write, button, closeBrowser } = require("taiko");
  await openBrowser({ headless, ignoreCertificateErrors: true, args: FLAGS });
  await goto(url);
  await click(button("Go"));
  await write("octet");
  return closeBrowser;
}

/** The devtools protocol without a library: with the runtime's events on, or off as those do who hide. */
async function protocol(flags, { runtime, force, silent }) {
  const browser = spawn(
    CHROMIUM,
    [...FLAGS, `--user-data-dir=${profile}`, "--remote-debugging-port=0", ...flags, "about:blank"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let address;
  for await (const line of createInterface({ input: browser.stderr })) {
    address = /listening on (ws:\S+)/.exec(line)?.[1];
    if (address) break;
  }
  const socket = new (require("ws"))(address);
  await new Promise((resolve) => socket.on("open", resolve));
  let last = 0;
  const waiting = new Map();
  socket.on("message", (data) => {
    const { id, result } = JSON.parse(data);
    waiting.get(id)?.(result);
  });
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
    });
  const { targetInfos } = await send("Target.getTargets");
  const { targetId } = targetInfos.find(({ type }) => type === "page");
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  if (runtime) await send("Runtime.enable", {}, sessionId);
  await send("Page.navigate", { url }, sessionId);
  if (silent) return () => browser.kill();
  const at = { x: 550, y: 400, button: "left", clickCount: 1, force };
  for (let click = 0; click < 6; click++) {
    await new Promise((resolve) => setTimeout(resolve, 600));
    await send("Input.dispatchMouseEvent", { type: "mousePressed", ...at }, sessionId);
    await send("Input.dispatchMouseEvent", { type: "mouseReleased", ...at }, sessionId);
  }
  return () => browser.kill();
}

const hidden = ["--disable-blink-features=AutomationControlled"];
const disguise = (page) => page.setUserAgent(AGENT);
const kinds = {
  "patchright-headless": () => playwright({ headless: true }, {}, require("patchright-core")),
  "patchright-window": () => playwright({ headless: false }, {}, require("patchright-core")),
  "rebrowser-headless": () => puppeteer({ headless: true, args: [...FLAGS, ...hidden] }, disguise, require("rebrowser-puppeteer-core")),
  "rebrowser-window": () => puppeteer({ headless: false, args: [...FLAGS, ...hidden] }, undefined, require("rebrowser-puppeteer-core")),
  "rebrowser-playwright-window": () => playwright({ headless: false }, {}, require("rebrowser-playwright-core")),
  "extra-headless": () => extra(true),
  "extra-window": () => extra(false),
  "real-browser": realBrowser,
  sparticuz,
  playwright: () => playwright({ headless: true }),
  "playwright-window": () => playwright({ headless: false }),
  "playwright-hidden-window": () => playwright({ headless: false, args: [...FLAGS, ...hidden], ignoreDefaultArgs: ["--enable-automation"] }, { viewport: null }),
  "playwright-undefined-window": () => playwright({ headless: false }, {}, undefined, () => Object.defineProperty(navigator, "webdriver", { get: () => undefined })),
  "playwright-deleted-window": () => playwright({ headless: false }, {}, undefined, () => delete Object.getPrototypeOf(navigator).webdriver),
  "playwright-phone": () => playwright({ headless: true }, require("playwright-core").devices["Pixel 7"]),
  "playwright-iphone-hidden-window": () => playwright({ headless: false, args: [...FLAGS, ...hidden], ignoreDefaultArgs: ["--enable-automation"] }, require("playwright-core").devices["iPhone 15"]),
  "playwright-attached-window": () => attached(async (at) => (await require("playwright-core").chromium.connectOverCDP(at)).contexts()[0].newPage()),
  "puppeteer-attached-window": () => attached(async (browserURL) => (await require("puppeteer-core").connect({ browserURL, defaultViewport: null })).newPage()),
  "cursor-window": cursor,
  webdriverio: () => webdriverio(["--headless=new"]),
  "webdriverio-hidden-window": () => webdriverio(hidden),
  taiko: () => taiko(true),
  "taiko-window": () => taiko(false),
  puppeteer: () => puppeteer({ headless: true }),
  "puppeteer-window": () => puppeteer({ headless: false }),
  "puppeteer-disguised": () => puppeteer({ headless: true, args: [...FLAGS, ...hidden] }, disguise),
  "puppeteer-disguised-window": () => puppeteer({ headless: false, args: [...FLAGS, ...hidden] }, disguise),
  "puppeteer-plain-window": () => puppeteer({ headless: false, ignoreDefaultArgs: ["--enable-automation"], defaultViewport: null }),
  "puppeteer-bidi": () => puppeteer({ headless: true, protocol: "webDriverBiDi" }),
  "puppeteer-bidi-window": () => puppeteer({ headless: false, protocol: "webDriverBiDi" }),
  "puppeteer-firefox-window": () => puppeteer({ browser: "firefox", headless: false, executablePath: "/usr/bin/firefox-esr", args: [] }),
  "puppeteer-firefox": () => puppeteer({ browser: "firefox", headless: true, executablePath: "/usr/bin/firefox-esr", args: [] }),
  stealth: () => stealth(true),
  "stealth-window": () => stealth(false),
  "selenium-chromium": () => selenium("chrome", ["--headless=new"]),
  "selenium-chromium-window": () => selenium("chrome", []),
  "selenium-hidden-window": () => selenium("chrome", hidden),
  "selenium-excluded": () => selenium("chrome", ["--headless=new", `--user-agent=${AGENT}`, ...hidden], ["enable-automation"]),
  "selenium-excluded-window": () => selenium("chrome", hidden, ["enable-automation"]),
  "selenium-firefox": () => selenium("firefox", ["-headless"]),
  "selenium-firefox-window": () => selenium("firefox", []),
  protocol: () => protocol(["--headless=new"], { runtime: true }),
  "protocol-window": () => protocol([], { runtime: true }),
  "protocol-hidden": () => protocol(["--headless=new", `--user-agent=${AGENT.replace("Windows NT 10.0; Win64; x64", "X11; Linux x86_64")}`, ...hidden], { runtime: false }),
  "protocol-hidden-window": () => protocol(hidden, { runtime: false }),
  "protocol-forceful-window": () => protocol(hidden, { runtime: false, force: 0.5 }),
  "protocol-silent-window": () => protocol(hidden, { runtime: false, silent: true }),
};

const close = await kinds[kind]();
await ended;
await close();
process.exit(0);

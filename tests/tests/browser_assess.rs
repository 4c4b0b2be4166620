//! `octet.assess` in a real Chromium, with a real edge and a real service behind it: the verdict that a page gets, an Octet
//! that is down, and the challenge, by keyboard alone, answered rightly, wrongly, late, twice and not at all.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use octet::{BotAction, SessionRef};
use octet_server::clock::ManualClock;
use octet_server::{AppSettings, Config};
use octet_tests::browser::{self, Browser, Visitor};
use octet_tests::stack::{self, Setup, Stack};
use serde_json::{Value, json};
use thirtyfour::Key;

/// A shop whose app asks for a challenge, and a browser on its bare page.
struct World {
    stack: Stack,
    browser: Browser,
    clock: Arc<ManualClock>,
    app: String,
}

/// A policy without a word for workers of any kind.
const NO_WORKERS: &str = "default-src 'self' 'wasm-unsafe-eval'; worker-src 'none'";

async fn world() -> Option<World> {
    let browser = browser::open(Visitor::BERLIN).await?;
    let clock = Arc::new(ManualClock::at(jiff::Timestamp::now()));
    let stack = stack::start_on(Config::in_memory().clock(clock.clone()), Setup::default()).await;
    let settings = AppSettings { action: BotAction::Challenge, challenge_numbers: 2, ..AppSettings::default() };
    let app = stack.service.apps().add("shop", "landing", settings).await.unwrap().key.to_string();
    Some(World { stack, browser, clock, app })
}

impl World {
    /// Opens the bare page, under a policy of its own if one is given, and follows what goes wrong in it.
    async fn open(&self, policy: Option<&str>, query: &str) {
        let policy = policy.map(|policy| format!("csp={}&", policy.replace(' ', "%20").replace(';', "%3B")));
        let url = format!("http://{}/bare?{}{query}", self.stack.shop, policy.unwrap_or_default());
        self.browser.goto(url).await.unwrap();
        self.browser
            .run(
                "globalThis.wrong = [];
                 addEventListener('error', event => wrong.push(event.message));
                 addEventListener('unhandledrejection', event => wrong.push(String(event.reason)));",
            )
            .await;
    }

    /// Begins an assessment with `extra` in its configuration; the page keeps what it is told.
    async fn begin(&self, session: &SessionRef, extra: &str) {
        let (session, app) = (session.as_str(), &self.app);
        self.browser
            .run(&format!(
                "globalThis.told = [];
                 globalThis.shown = new Promise(resolve => globalThis.show = resolve);
                 globalThis.verdict = octet.assess({{
                     apiUrl: '/octet', sessionRef: '{session}', appKey: '{app}',
                     onVerdict: verdict => told.push(verdict), onError: error => told.push(error.name),
                     onEscalate: kind => show(kind), {extra}
                 }});"
            ))
            .await;
    }

    /// The verdict of the assessment, which the page must have been told once, with nothing gone wrong in it.
    async fn verdict(&self) -> Value {
        let ended = self.browser.run("return { verdict: await verdict, told, wrong };").await;
        assert_eq!(ended["wrong"], json!([]), "{ended}");
        let told = ended["told"].as_array().unwrap();
        assert_eq!(told.iter().filter(|told| told.is_object()).collect::<Vec<_>>(), [&ended["verdict"]], "{ended}");
        ended["verdict"].clone()
    }

    async fn press(&self, key: Key) {
        self.browser.action_chain().send_keys(key).perform().await.unwrap();
    }

    /// Begins an assessment whose challenge is shown; `meddle` is a script that runs before.
    async fn challenged(&self, extra: &str, meddle: &str) -> SessionRef {
        self.open(None, "").await;
        let session = SessionRef::mint();
        self.browser.run(meddle).await;
        self.begin(&session, &format!("escalate: true, {extra}")).await;
        assert_eq!(self.browser.run("return shown;").await, "challenge");
        session
    }

    /// Waits until the challenge's status says something other than that it works.
    async fn again(&self) -> Value {
        self.browser
            .run(
                "const root = document.querySelector('octet-challenge').shadowRoot;
                 const start = root.querySelector('#start');
                 const ready = () => start.getAttribute('aria-disabled') === 'false';
                 await new Promise(resolve => ready() ? resolve() : new MutationObserver(() => ready() && resolve())
                     .observe(start, { attributes: true }));
                 return root.querySelector('#status').textContent;",
            )
            .await
    }
}

/// In the page: each answer to a challenge goes through `change(body)`, which may hold it.
const MEDDLE: &str = "globalThis.answers = []; globalThis.real = fetch;
    globalThis.fetch = async (url, options) => {
        if (!/challenge\\/./.test(url)) return real(url, options);
        answers.push([url, options]);
        return real(url, { ...options, body: JSON.stringify(await change(JSON.parse(options.body))) });
    };";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_told_its_verdict_once_and_every_option_reaches_the_service() {
    let Some(world) = world().await else { return };
    world.open(None, "click_token=click.7~a").await;
    let session = SessionRef::mint();
    world.begin(&session, "tokenParam: 'click_token', collectWindowMs: 300, passiveOnly: true").await;
    let verdict = world.verdict().await;
    assert_eq!(
        (&verdict["is_bot"], &verdict["degraded"]),
        (&json!(true), &json!(false)),
        "a program drives it: {verdict}"
    );
    assert_eq!(verdict["action"], "challenge", "and without `escalate` nothing is shown");
    assert_eq!(world.browser.run("return document.querySelector('octet-challenge');").await, Value::Null);
    let assessment = world.stack.assessments().remove(0);
    let signals = &assessment["assess"];
    assert_eq!((&signals["clickToken"], &signals["windowMs"]), (&json!("click.7~a"), &json!(300)));
    assert_eq!((&signals["collected"], &signals["runtime"]), (&json!(true), &json!("wasm")));
    assert_eq!(signals["facts"]["webdriver"], true);
    assert_eq!(signals["automation"]["altered"], json!([]), "this browser's own functions are its own");
    let bundles = world.stack.bundles();
    assert_eq!((bundles.len(), &bundles[0]["signals"]["passiveOnly"]), (1, &json!(true)));

    // A second call joins the first, and is told the same.
    world.begin(&session, "").await;
    assert_eq!(world.verdict().await, verdict);
    assert_eq!((world.stack.assessments().len(), world.stack.bundles().len()), (1, 1));
    let contacted: Vec<_> = world.browser.quit().await.into_iter().collect();
    assert_eq!(contacted, [world.stack.shop.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_a_degraded_verdict_and_never_an_exception() {
    let Some(world) = world().await else { return };
    world.open(Some("default-src 'self'"), "").await;
    world.begin(&SessionRef::mint(), "collectWindowMs: 100").await;
    assert_eq!(world.verdict().await["degraded"], false, "plain script reads where WebAssembly may not");
    assert_eq!(world.stack.assessments()[0]["assess"]["runtime"], "script");

    let degraded = |verdict: &Value| verdict["degraded"] == true && verdict["score"] == 0 && verdict["is_bot"] == false;
    let session = SessionRef::mint();
    world.begin(&session, "appKey: 'app_of_nobody', collectWindowMs: 100").await;
    assert!(degraded(&world.verdict().await));
    world.begin(&SessionRef::mint(), "sessionRef: 'a b'").await;
    assert!(degraded(&world.verdict().await));
    assert_eq!(world.browser.run("return told[0];").await, "TypeError");
    world.browser.run("globalThis.stop = new AbortController();").await;
    world.begin(&SessionRef::mint(), "signal: stop.signal").await;
    let ended = world.browser.run("stop.abort(); return { verdict: await verdict, told, wrong };").await;
    assert_eq!((&ended["told"], &ended["wrong"]), (&json!(["AbortError"]), &json!([])));
    assert!(degraded(&ended["verdict"]));

    world.stack.octet_goes_down();
    world.begin(&SessionRef::mint(), "").await;
    assert!(degraded(&world.verdict().await), "within the time that a script may take here");
    assert_eq!(world.browser.run("return told[0];").await, "Error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_passed_by_keyboard_alone_and_focus_goes_back() {
    let Some(world) = world().await else { return };
    world.open(None, "").await;
    world
        .browser
        .run("const field = document.createElement('input'); document.body.append(field); field.focus();")
        .await;
    world.begin(&SessionRef::mint(), "escalate: true, collectWindowMs: 100").await;
    assert_eq!(world.browser.run("return shown;").await, "challenge");
    let looks = world
        .browser
        .run(
            "const root = document.querySelector('octet-challenge').shadowRoot;
             const box = root.querySelector('dialog');
             const sizes = [...root.querySelectorAll('button')].map(button => button.getBoundingClientRect());
             return { modal: box.matches(':modal'), lang: box.lang, dir: box.dir, focused: root.activeElement.id,
                 smallest: Math.min(...sizes.flatMap(size => [size.width, size.height])),
                 status: root.querySelector('#status').getAttribute('role'),
                 styled: getComputedStyle(root.querySelector('#start')).backgroundColor };",
        )
        .await;
    assert_eq!(
        (&looks["modal"], &looks["focused"], &looks["status"]),
        (&json!(true), &json!("start"), &json!("status"))
    );
    assert_eq!(
        (&looks["lang"], &looks["dir"]),
        (&json!("de"), &json!("ltr")),
        "the visitor's, where the page has none"
    );
    assert!(looks["smallest"].as_f64().unwrap() >= 24.0, "{looks}");
    assert_eq!(looks["styled"], "rgb(29, 78, 216)", "under a policy without inline styles");
    // There and back again, and nowhere else.
    world.press(Key::Tab).await;
    let back = world.browser.action_chain().key_down(Key::Shift).send_keys(Key::Tab).key_up(Key::Shift);
    back.perform().await.unwrap();
    world.press(Key::Enter).await;
    let verdict = world.verdict().await;
    assert_eq!((&verdict["challenge"], &verdict["action"]), (&json!("passed"), &json!("record_only")), "{verdict}");
    assert_eq!(verdict["is_bot"], true, "score and is_bot stand");
    let after = "return [document.querySelector('octet-challenge'), document.activeElement.localName];";
    assert_eq!(world.browser.run(after).await, json!([null, "input"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_is_left_or_cannot_be_shown_is_no_dead_end() {
    let Some(world) = world().await else { return };
    world.challenged("collectWindowMs: 100", "").await;
    world.press(Key::Escape).await;
    let verdict = world.verdict().await;
    assert_eq!((verdict.get("challenge"), &verdict["action"]), (None, &json!("challenge")), "{verdict}");

    world.open(Some(NO_WORKERS), "").await;
    world.begin(&SessionRef::mint(), "escalate: true, collectWindowMs: 100").await;
    let verdict = world.verdict().await;
    assert_eq!(verdict["challenge"], "unavailable", "{verdict}");
    assert_eq!(world.browser.run("return shown;").await, "unavailable");
    assert_eq!(world.browser.run("return document.querySelector('octet-challenge');").await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_tampered_with_late_or_repeated_does_not_pass() {
    let Some(world) = world().await else { return };
    let wrong = "globalThis.change = body => { body.solution.proof = 'A'.repeat(43); return body; };";
    world.challenged("collectWindowMs: 100", &format!("{MEDDLE} {wrong}")).await;
    world.press(Key::Enter).await;
    assert_eq!(world.again().await, "Das hat nicht geklappt.");
    world.browser.run("globalThis.change = body => body;").await;
    world.press(Key::Enter).await;
    let verdict = world.verdict().await;
    assert_eq!(verdict["challenge"], "passed", "the second attempt is right: {verdict}");
    let first = world.browser.run("const [url, options] = answers.at(-1); return [url, options.body];").await;

    // The same answer for another session, which has its own challenge, passes nothing.
    let other = world.challenged("collectWindowMs: 100", "").await;
    let replay = format!(
        "const [url, body] = {first};
         const answer = await fetch(url, {{ method: 'POST', headers: {{ 'content-type': 'application/json' }},
             body: JSON.stringify({{ ...JSON.parse(body), sessionRef: '{}' }}) }});
         return answer.json();",
        other.as_str()
    );
    let replayed = world.browser.run(&replay).await;
    assert_ne!(replayed["challenge"], "passed", "{replayed}");
    world.press(Key::Escape).await;
    assert_eq!(world.verdict().await.get("challenge"), None);

    // Held until the clock has moved on.
    let held = "globalThis.arrived = new Promise(resolve => globalThis.arrive = resolve);
        globalThis.change = async body => { arrive(); await new Promise(resolve => globalThis.release = resolve); return body; };";
    world.challenged("collectWindowMs: 100", &format!("{MEDDLE} {held}")).await;
    world.press(Key::Enter).await;
    world.browser.run("await arrived;").await;
    world.clock.advance(Duration::from_secs(601));
    world.browser.run("release();").await;
    assert_eq!(world.again().await, "Das hat zu lange gedauert.");
    world.press(Key::Escape).await;
    assert_eq!(world.verdict().await["challenge"], "expired");
}

/// axe-core, which the collector's build installs with its tools; nothing of it is shipped.
fn axe() -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |told| root.join(told));
    let script = std::fs::read_to_string(target.join("collector-tools/node_modules/axe-core/axe.min.js")).ok();
    if script.is_none() {
        println!("skipped: axe-core is not installed; `cargo xtask collector --check` installs it");
    }
    script
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_finds_nothing_against_the_challenge_in_any_of_its_looks() {
    let Some(axe) = axe() else { return };
    let Some(world) = world().await else { return };
    for look in [
        "{}",
        "{ scheme: 'dark', locale: 'ar' }",
        "{ colors: { background: '#fffbe6', text: '#222222', button: '#7a1f1f', buttonText: '#ffffff' }, radius: 20 }",
        "{ colors: { text: '#bbbbbb' } }",
    ] {
        world.challenged(&format!("collectWindowMs: 100, challengeConfig: {look}"), "").await;
        let refused = world.browser.run("return told.includes('RangeError');").await;
        assert_eq!(refused, look.contains("bbbbbb"), "{look}: colours that cannot be read are refused");
        let audit = format!(
            "{axe};
             const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
             const found = await axe.run({{ include: ['octet-challenge'] }}, {{ runOnly: {{ type: 'tag', values: tags }} }});
             return {{ passes: found.passes.length, violations: found.violations.map(one => [one.id, one.nodes.map(node => node.html)]) }};"
        );
        let found = world.browser.run(&audit).await;
        assert_eq!(found["violations"], json!([]), "{look}");
        assert!(found["passes"].as_u64().unwrap() >= 8, "{look}: {found}");
        world.press(Key::Escape).await;
        assert_eq!(world.browser.run("return (await verdict).action;").await, "challenge");
    }
}

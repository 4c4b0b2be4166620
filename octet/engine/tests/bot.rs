//! What the engine makes of visits: people with and without their protections, machines with and without disguise, and
//! anything that a hostile browser may say.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use octet::Profile;
use octet::assess::{Automation, Behaviour};
use octet::facts::{FACTS, Facts};
use octet_engine::bot::{
    BotAssessment, BotEvidence, Connection, Family, Http2Preface, Sign, TlsHello, Weights, assess, assess_connection,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const CHROME: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";

/// `base` with `changes` written over it.
fn with(base: &Value, changes: Value) -> Value {
    let (mut base, Value::Object(changes)) = (base.clone(), changes) else { panic!("changes are an object") };
    base.as_object_mut().unwrap().extend(changes);
    base
}

fn facts(value: &Value) -> Facts {
    serde_json::from_value(value.clone()).unwrap()
}

fn chrome_facts() -> Value {
    json!({
        "timeZone": "Europe/Berlin", "utcOffset": 60, "languages": ["de-DE", "de"], "locale": "de-DE",
        "userAgent": CHROME, "platform": "Linux x86_64", "vendor": "Google Inc.",
        "brands": ["Chromium/156", "Not)A;Brand/8"], "mobile": false, "hintPlatform": "Linux",
        "screenWidth": 1920, "screenHeight": 1080, "availableWidth": 1920, "availableHeight": 1040, "colorDepth": 24,
        "pixelRatioPermille": 1000, "outerWidth": 1400, "outerHeight": 1000, "innerWidth": 1400, "innerHeight": 913,
        "hardwareConcurrency": 8, "deviceMemoryMb": 8192, "maxTouchPoints": 0, "hover": true, "finePointer": true,
        "webglRenderer": "ANGLE (Intel, Mesa Intel(R) UHD Graphics 620 (KBL GT2), OpenGL 4.6)", "pdfViewer": true, "plugins": 5,
        "notificationPermission": "default", "notificationQuery": "prompt", "webdriver": false, "evalLength": 33,
    })
}

fn firefox_facts() -> Value {
    with(
        &chrome_facts(),
        json!({ "userAgent": FIREFOX, "vendor": "", "brands": null, "mobile": null, "hintPlatform": null,
            "deviceMemoryMb": null, "evalLength": 37, "oscpu": "Linux x86_64", "webglRenderer": "Mesa Intel(R) UHD Graphics" }),
    )
}

fn plain_automation() -> Value {
    json!({ "altered": [], "ownProperties": [], "globals": [], "webdriverProperty": "prototype get", "errorFormatted": false,
        "objectListed": false, "chrome": ["loadTimes", "csi", "app"], "frameLinked": true, "stackForm": "at",
        "drawingSteady": true, "drawingExact": true })
}

/// A mouse on its way to a click.
fn hand() -> Value {
    let mut events: Vec<Value> = (0..12)
        .map(|step| json!({ "kind": "move", "atMs": 200 + step * 24, "pointer": "mouse", "x": 100 + step * 13, "y": 80 + step * step }))
        .collect();
    events.push(json!({ "kind": "down", "atMs": 560, "pointer": "mouse", "x": 243, "y": 201, "movesBefore": 30, "offsetX": 8, "offsetY": 87 }));
    events.push(json!({ "kind": "up", "atMs": 640, "pointer": "mouse", "x": 243, "y": 201, "heldMs": 80 }));
    events.push(json!({ "kind": "click", "atMs": 640, "pointer": "mouse", "count": 1, "fromMiddle": 9, "targetSide": 32, "movesBefore": 30 }));
    json!({ "observedMs": 1200, "events": events })
}

/// Nobody at the devices.
fn idle() -> Value {
    json!({ "observedMs": 1200, "events": [] })
}

fn chrome_connection() -> Connection {
    Connection {
        user_agent: Some(CHROME.into()),
        accept_language: Some("de-DE,de;q=0.9".into()),
        brands: Some("\"Chromium\";v=\"156\", \"Not)A;Brand\";v=\"8\"".into()),
        hint_platform: Some("\"Linux\"".into()),
        hint_mobile: Some("?0".into()),
        fetch_site: Some("same-origin".into()),
        http_version: "2".into(),
        tls: Some(TlsHello {
            grease: true,
            extensions: vec![0, 10, 13, 16, 17613, 43, 51],
            protocols: vec!["h2".into()],
        }),
        http2: Some(Http2Preface {
            settings: vec![(1, 65536), (2, 0), (4, 6_291_456), (6, 262_144)],
            window_update: Some(15_663_105),
        }),
        ..Connection::default()
    }
}

fn firefox_connection() -> Connection {
    Connection {
        user_agent: Some(FIREFOX.into()),
        brands: None,
        hint_platform: None,
        hint_mobile: None,
        tls: Some(TlsHello {
            grease: false,
            extensions: vec![0, 10, 13, 16, 28, 34, 43, 51],
            protocols: vec!["h2".into()],
        }),
        http2: Some(Http2Preface {
            settings: vec![(1, 65536), (2, 0), (4, 131_072), (5, 16384)],
            window_update: Some(12_517_377),
        }),
        ..chrome_connection()
    }
}

/// A visit; its worker and frame read what its page reads.
fn visit(page: &Value, automation: &Value, behaviour: &Value, connection: Connection) -> BotEvidence {
    let automation: Automation = serde_json::from_value(automation.clone()).unwrap();
    let behaviour: Behaviour = serde_json::from_value(behaviour.clone()).unwrap();
    BotEvidence {
        expected: Profile::Full,
        page: facts(page),
        worker: Some(facts(page)),
        frame: Some(facts(page)),
        automation: Some(automation),
        behaviour: Some(behaviour),
        connection,
        ..BotEvidence::default()
    }
}

fn chrome(changes: Value) -> BotEvidence {
    visit(&with(&chrome_facts(), changes), &plain_automation(), &hand(), chrome_connection())
}

fn firefox(changes: Value) -> BotEvidence {
    let automation = with(&plain_automation(), json!({ "chrome": null, "stackForm": "@" }));
    visit(&with(&firefox_facts(), changes), &automation, &hand(), firefox_connection())
}

fn judged(evidence: &BotEvidence) -> BotAssessment {
    assess(evidence, &Weights::embedded())
}

#[test]
fn people_and_their_protections_cost_nothing() {
    let resisting = json!({ "timeZone": "Atlantic/Reykjavik", "utcOffset": 0, "languages": ["en-US", "en"],
        "screenWidth": 1400, "screenHeight": 900, "availableHeight": 900, "outerWidth": 1400, "outerHeight": 900,
        "innerWidth": 1400, "innerHeight": 900, "hardwareConcurrency": 4, "webglRenderer": "Mozilla" });
    let mut brave = chrome(
        json!({ "brands": ["Brave/156", "Chromium/156"], "plugins": 0, "webglRenderer": "x8fhs", "deviceMemoryMb": 512 }),
    );
    brave.worker = Some(facts(&with(
        &chrome_facts(),
        json!({ "brands": ["Brave/156", "Chromium/156"], "hardwareConcurrency": 3, "deviceMemoryMb": 1024 }),
    )));
    // It tells a common screen, and the way of the one that there is.
    let upright = chrome(json!({ "brands": ["Brave/156", "Chromium/156"], "orientation": "portrait-primary" }));
    let ipad = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15";
    let tablet = with(
        &firefox_facts(),
        json!({ "userAgent": ipad, "platform": "MacIntel", "vendor": "Apple Computer, Inc.", "maxTouchPoints": 5, "hover": false,
            "finePointer": false, "anyHover": false, "anyFinePointer": false, "oscpu": null, "webglRenderer": "Apple GPU" }),
    );
    let safari = Connection {
        user_agent: Some(ipad.into()),
        tls: Some(TlsHello { grease: true, extensions: vec![0, 10, 13, 16, 27, 43, 51], protocols: vec!["h2".into()] }),
        http2: Some(Http2Preface { settings: vec![(2, 0), (3, 100), (4, 2_097_152)], window_update: Some(10_420_225) }),
        ..firefox_connection()
    };
    let safari_parts = with(&plain_automation(), json!({ "chrome": null, "stackForm": "@" }));
    // In an app its user agent names no browser, and a tablet is held upright.
    let in_app = ipad.split(" Version/").next().unwrap();
    let held = json!({ "userAgent": in_app, "orientation": "portrait-primary" });
    let mut in_app = visit(&with(&tablet, held), &safari_parts, &json!({ "events": [] }), safari.clone());
    in_app.connection.user_agent = in_app.page.user_agent.read().map(|agent| agent.as_str().to_owned());
    let people = [
        ("Chromium", chrome(json!({}))),
        ("Chromium in UTC", chrome(json!({ "timeZone": "UTC", "utcOffset": 0 }))),
        ("no WebGL", chrome(json!({ "webglRenderer": null }))),
        ("notifications denied", chrome(json!({ "notificationPermission": "denied", "notificationQuery": "denied" }))),
        ("Brave", brave),
        ("Brave on a screen that stands upright", upright),
        ("Firefox", firefox(json!({}))),
        ("Firefox that resists fingerprinting", firefox(resisting)),
        ("an iPad that asks for the desktop's page", visit(&tablet, &safari_parts, &json!({ "events": [] }), safari)),
        ("an iPad in an app", in_app),
    ];
    for (person, evidence) in people {
        let judged = judged(&evidence);
        assert_eq!((judged.score, judged.consistent, judged.degraded), (0, true, false), "{person}: {judged:?}");
    }
}

#[test]
fn software_graphics_keyboards_and_switches_stay_low() {
    let keyboard = json!({ "events": [
        { "kind": "keyDown", "atMs": 80 }, { "kind": "keyUp", "atMs": 160, "heldMs": 80 }, { "kind": "focus", "atMs": 160 },
        { "kind": "click", "atMs": 400, "count": 0 }] });
    let switch = json!({ "events": [
        { "kind": "down", "atMs": 400, "pointer": "mouse", "movesBefore": 0, "offsetX": 8, "offsetY": 87 },
        { "kind": "up", "atMs": 400, "pointer": "mouse", "heldMs": 0 },
        { "kind": "click", "atMs": 400, "pointer": "mouse", "count": 1, "fromMiddle": 0, "targetSide": 40 }] });
    let with_input = |input: &Value| visit(&chrome_facts(), &plain_automation(), input, chrome_connection());
    let swiftshader = chrome(
        json!({ "webglRenderer": "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)" }),
    );
    for evidence in [with_input(&keyboard), with_input(&switch), swiftshader] {
        let judged = judged(&evidence);
        assert!(judged.score < 30 && judged.consistent, "{judged:?}");
    }
    assert_eq!(judged(&with_input(&keyboard)).score, 0);
}

#[test]
fn open_developer_tools_and_a_changed_user_agent_are_at_most_medium() {
    let read = with(&plain_automation(), json!({ "errorFormatted": true }));
    let tools = visit(&chrome_facts(), &read, &hand(), chrome_connection());

    let windows = CHROME.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64");
    let altered = ["userAgent", "appVersion", "platform", "vendor"].map(|name| format!("Navigator.{name}/text"));
    let worn = with(&plain_automation(), json!({ "altered": altered, "ownProperties": ["userAgentData", "oscpu"] }));
    let mut changed =
        visit(&with(&chrome_facts(), json!({ "userAgent": windows })), &worn, &hand(), chrome_connection());
    changed.worker = Some(facts(&chrome_facts()));
    assert!(!judged(&changed).consistent);

    // Nor with a click out of nowhere, of no length, in the very middle, before graphics that are drawn in software.
    let at = |kind: &str| {
        json!({ "kind": kind, "atMs": 400, "pointer": "mouse", "x": 90, "y": 90, "movesBefore": 1,
        "pressurePermille": 500, "heldMs": 0, "count": 1, "fromMiddle": 0, "targetSide": 40 })
    };
    let odd = json!({ "events": [at("down"), at("up"), at("click")] });
    for mut visit in [tools, changed] {
        assert!((30..60).contains(&judged(&visit).score), "{:?}", judged(&visit));
        visit.page.webgl_renderer = facts(&json!({ "webglRenderer": "llvmpipe" })).webgl_renderer;
        visit.behaviour = Some(serde_json::from_value(odd.clone()).unwrap());
        let judged = judged(&visit);
        assert!((50..60).contains(&judged.score), "{judged:?}");
    }
}

#[test]
fn a_debugging_port_that_a_person_left_open_is_no_bot_and_a_driven_browser_is() {
    let by_hand = judged(&chrome(json!({ "webdriver": true })));
    assert!((30..60).contains(&by_hand.score), "{by_hand:?}");
    let idle = visit(
        &with(&chrome_facts(), json!({ "webdriver": true })),
        &plain_automation(),
        &json!({ "events": [] }),
        chrome_connection(),
    );
    assert!(judged(&idle).score >= 60);
    let read = with(&plain_automation(), json!({ "errorFormatted": true }));
    let driven = visit(&with(&chrome_facts(), json!({ "webdriver": true })), &read, &hand(), chrome_connection());
    assert!(judged(&driven).score >= 90);
    assert!(judged(&firefox(json!({ "webdriver": true }))).score >= 60);
}

#[test]
fn headless_browsers_are_bots_and_at_least_medium_in_disguise() {
    let surroundings = json!({ "screenWidth": 800, "screenHeight": 600, "availableHeight": 600, "hover": false, "finePointer": false,
        "webglRenderer": "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)" });
    let bare = with(
        &surroundings,
        json!({ "userAgent": CHROME.replace("Chrome/", "HeadlessChrome/"),
        "brands": ["HeadlessChrome/156", "Chromium/156"] }),
    );
    let of = |page: &Value, input: &Value| {
        judged(&visit(&with(&chrome_facts(), page.clone()), &plain_automation(), input, chrome_connection()))
    };
    assert!(of(&bare, &idle()).score >= 60);
    let disguised = with(&surroundings, json!({ "screenWidth": 1920, "screenHeight": 1080 }));
    let nobody = of(&disguised, &idle());
    assert!((30..60).contains(&nobody.score), "{nobody:?}");
    assert!(of(&disguised, &hand()).score < 30, "on a remote desktop a hand moves what the browser does not know");
}

#[test]
fn a_headless_browser_is_a_bot_by_the_keyboard_or_the_theme_that_it_makes_up() {
    let nobody = json!({ "hover": false, "finePointer": false });
    let chromium = |keys: Value, page: Value| {
        let parts = with(&plain_automation(), json!({ "keys": keys }));
        judged(&visit(&with(&chrome_facts(), page), &parts, &idle(), chrome_connection())).score
    };
    let own = json!(["\u{a5}", "["]);
    assert!(chromium(own.clone(), nobody.clone()) >= 60);
    assert!((30..60).contains(&chromium(own, json!({}))), "a keyboard alone");
    for keys in
        [json!(["", "["]), json!(["\u{a5}", "@"]), json!(["\\", "@"]), Value::Null, json!({ "blocked": "policy" })]
    {
        assert_eq!(chromium(keys.clone(), json!({})), 0, "{keys}");
    }
    let firefox = |font: &str, page: Value| {
        let theme = json!({ "chrome": null, "stackForm": "@", "captionFont": font, "highlight": "rgb(51, 153, 255)" });
        let parts = with(&plain_automation(), theme);
        judged(&visit(&with(&firefox_facts(), page), &parts, &idle(), firefox_connection())).score
    };
    assert!(firefox("sans-serif 14px", nobody) >= 60);
    assert_eq!(firefox("Cantarell 14.6667px", json!({})), 0);
}

#[test]
fn a_press_that_only_the_devtools_protocol_makes_is_a_bots_and_one_of_a_hand_is_nothing() {
    let pressed = |pressure: u32| {
        let mut input = hand();
        input["events"][12]["pressurePermille"] = json!(pressure);
        judged(&visit(&chrome_facts(), &plain_automation(), &input, chrome_connection())).score
    };
    assert_eq!(pressed(500), 0);
    assert!(pressed(0) >= 60);
}

#[test]
fn a_press_that_assistive_technology_asks_the_browser_for_is_no_bots() {
    let mut asked = vec![
        json!({ "kind": "down", "atMs": 400, "pointer": "mouse", "x": 550, "y": 340, "movesBefore": 0, "pressurePermille": 0 }),
        json!({ "kind": "up", "atMs": 400, "pointer": "mouse", "x": 550, "y": 340, "heldMs": 0 }),
        json!({ "kind": "click", "atMs": 400, "pointer": "mouse", "x": 550, "y": 340, "count": 1, "fromMiddle": 0, "targetSide": 40 }),
    ];
    let score = |events: &[Value]| {
        judged(&visit(&chrome_facts(), &plain_automation(), &json!({ "events": events }), chrome_connection())).score
    };
    assert!(score(&asked) < 30);
    // The page's own listener takes its time; a screen reader moves the focus first.
    asked[1]["heldMs"] = json!(24);
    assert!(score(&asked) < 30);
    asked.insert(0, json!({ "kind": "focus", "atMs": 240 }));
    assert!(score(&asked) < 30);
    asked[1]["entered"] = json!(true);
    assert!(score(&asked) >= 60, "only a protocol's mouse comes over what it presses, and has no pressure");
    asked[1]["pressurePermille"] = json!(500);
    assert!(score(&asked) >= 60, "no mouse that rests lies in the very middle of what a page puts under it");
    asked[3]["fromMiddle"] = json!(9);
    assert!(score(&asked) < 30, "but somewhere in it");
    asked[3]["fromMiddle"] = json!(0);
    asked[1]["pressurePermille"] = json!(0);
    asked[1]["entered"] = json!(false);
    // The mouse rests elsewhere, or came there: then it was moved by the protocol too.
    let moved = |x: i32| json!({ "kind": "move", "atMs": 160, "pointer": "mouse", "x": x, "y": 340, "joined": 1 });
    asked.insert(0, moved(90));
    assert!(score(&asked) < 30);
    asked[0] = moved(548);
    assert!(score(&asked) >= 60);
}

#[test]
fn a_made_up_screen_is_at_least_medium_and_a_full_screen_or_a_turned_one_is_nothing() {
    let page = |inner: (i32, i32), outer: (i32, i32), screen: (i32, i32), way: &str| {
        judged(&chrome(
            json!({ "innerWidth": inner.0, "innerHeight": inner.1, "outerWidth": outer.0, "outerHeight": outer.1,
            "screenWidth": screen.0, "screenHeight": screen.1, "availableHeight": screen.1 - 40, "orientation": way }),
        ))
        .score
    };
    assert!(page((1280, 720), (1280, 807), (1280, 720), "landscape-primary") >= 60, "a window around a page");
    assert!((30..60).contains(&page((1280, 720), (1600, 1040), (1280, 720), "landscape-primary")));
    assert!(page((800, 600), (945, 1060), (1920, 1080), "portrait-primary") >= 60);
    assert_eq!(page((1920, 1080), (1920, 1080), (1920, 1080), "landscape-primary"), 0);
    assert_eq!(page((1080, 1790), (1080, 1880), (1080, 1920), "portrait-primary"), 0);
}

#[test]
fn developer_tools_that_emulate_a_screen_are_at_most_medium() {
    let read = with(&plain_automation(), json!({ "errorFormatted": true }));
    let score = |outer: (i32, i32)| {
        let page = json!({ "innerWidth": 1280, "innerHeight": 720, "outerWidth": outer.0, "outerHeight": outer.1,
            "screenWidth": 1280, "screenHeight": 720, "availableHeight": 720, "orientation": "landscape-primary" });
        judged(&visit(&with(&chrome_facts(), page), &read, &hand(), chrome_connection())).score
    };
    assert!((30..60).contains(&score((1920, 1040))), "there is room for the tools");
    assert!(score((1288, 805)) >= 60);
}

#[test]
fn a_device_that_developer_tools_put_in_the_pages_place_is_at_most_medium() {
    let read = with(&plain_automation(), json!({ "errorFormatted": true }));
    let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
    let windows = CHROME.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64");
    let size = json!({ "innerWidth": 393, "innerHeight": 852, "outerWidth": 393, "outerHeight": 852, "screenWidth": 393,
        "screenHeight": 852, "availableHeight": 852, "maxTouchPoints": 1, "webglRenderer": "llvmpipe" });
    for changes in [
        json!({ "userAgent": phone, "mobile": true, "hintPlatform": "iOS" }),
        json!({ "userAgent": windows, "brands": [], "hintPlatform": "" }),
    ] {
        let page = with(&with(&chrome_facts(), size.clone()), changes.clone());
        let mut visit = visit(&page, &read, &hand(), chrome_connection());
        visit.connection.user_agent = Some(changes["userAgent"].as_str().unwrap().into());
        visit.connection.brands = None;
        visit.worker = Some(facts(&with(&chrome_facts(), json!({ "brands": [] }))));
        let judged = judged(&visit);
        assert!((30..60).contains(&judged.score) && !judged.consistent, "{judged:?}");
    }
}

#[test]
fn words_that_no_key_typed_are_medium_and_a_scanners_are_low() {
    let of = |kind: &str, held: Value| {
        let events: Vec<Value> = (0..5).map(|n| json!({ "kind": kind, "atMs": 400 + n * 8, "heldMs": held })).collect();
        judged(&visit(&chrome_facts(), &plain_automation(), &json!({ "events": events }), chrome_connection())).score
    };
    assert!((30..60).contains(&of("typed", Value::Null)));
    assert!((1..30).contains(&of("keyUp", json!(0))));
    assert_eq!(of("keyUp", json!(64)), 0);
}

#[test]
fn wrapped_natives_and_a_read_console_are_a_bot_together_and_medium_alone() {
    let wrapped = json!([
        "Permissions.query/any",
        "WebGLRenderingContext.getParameter/any",
        "Navigator.plugins/new",
        "Function.toString/text"
    ]);
    let alone = with(&plain_automation(), json!({ "altered": wrapped }));
    let alone = judged(&visit(&chrome_facts(), &alone, &hand(), chrome_connection()));
    assert!((30..60).contains(&alone.score), "{alone:?}");
    let both = with(&plain_automation(), json!({ "altered": wrapped, "errorFormatted": true }));
    assert!(judged(&visit(&chrome_facts(), &both, &hand(), chrome_connection())).score >= 60);
    for hidden in [
        json!({ "altered": ["Navigator.webdriver/text"] }),
        json!({ "ownProperties": ["webdriver"], "webdriverProperty": "own get" }),
    ] {
        let parts = with(&plain_automation(), hidden);
        assert!(judged(&visit(&chrome_facts(), &parts, &hand(), chrome_connection())).score >= 60, "{parts}");
    }
    assert!(judged(&chrome(json!({ "webdriver": null }))).score >= 60, "taken away");
    let old = FIREFOX.replace("153", "78");
    let mut old_firefox = firefox(json!({ "webdriver": null, "userAgent": old }));
    old_firefox.connection.user_agent = Some(old);
    assert_eq!(judged(&old_firefox).score, 0, "a setting took it away then");
    let split = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0 SeaMonkey/2.53.23";
    let mut sea_monkey = firefox(json!({ "webdriver": null, "userAgent": split }));
    sea_monkey.connection.user_agent = Some(split.to_owned());
    assert!(judged(&sea_monkey).score < 60, "it never had any");
    let driver = with(&plain_automation(), json!({ "globals": ["cdc_adoQpoasnfa76pfcZLmcfl_Array"] }));
    assert!(judged(&visit(&chrome_facts(), &driver, &hand(), chrome_connection())).score >= 60);
}

#[test]
fn an_extension_that_makes_pictures_random_is_not_a_driver() {
    let wrapped = json!({ "altered": ["HTMLCanvasElement.toDataURL/text", "CanvasRenderingContext2D.getImageData/text",
        "AudioBuffer.getChannelData/text"], "drawingExact": false });
    let evidence = visit(&chrome_facts(), &with(&plain_automation(), wrapped), &hand(), chrome_connection());
    assert!(judged(&evidence).score < 30);
}

#[test]
fn tools_are_known_by_their_name_and_by_their_connection_when_they_take_a_browsers() {
    let weights = Weights::embedded();
    let names = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
    let tool = |agent: &str, order: &[&str]| Connection {
        user_agent: Some(agent.into()),
        header_names: names(order),
        http_version: "1.1".into(),
        ..Connection::default()
    };
    let curl = ["Host", "User-Agent", "Accept"];
    let python = ["Host", "User-Agent", "Accept-Encoding", "Accept", "Connection"];
    for (agent, order) in [
        ("curl/8.5.0", &curl[..]),
        ("python-requests/2.32.3", &python),
        ("", &[]),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", &python),
        (CHROME, &curl),
        (CHROME, &python),
        (FIREFOX, &python),
        ("Mozilla/5.0", &python),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", &python),
    ] {
        let judged = assess_connection(&tool(agent, order), &weights);
        assert!(judged.score >= 60 && judged.degraded, "{agent}: {judged:?}");
    }
    let person = Connection {
        header_names: names(&[
            "host",
            "sec-ch-ua",
            "upgrade-insecure-requests",
            "user-agent",
            "accept",
            "sec-fetch-site",
            "sec-fetch-mode",
            "sec-fetch-dest",
            "accept-encoding",
            "accept-language",
        ]),
        ..chrome_connection()
    };
    assert_eq!(assess_connection(&person, &weights).score, 0);
    let phone = "Mozilla/5.0 (Linux; Android 9; CUBOT X18 Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36";
    let phone = Connection { user_agent: Some(phone.into()), hint_platform: Some("\"Android\"".into()), ..person };
    assert_eq!(assess_connection(&phone, &weights).score, 0);
}

#[test]
fn a_person_whose_page_was_never_read_is_no_bot_whatever_stands_between() {
    let weights = Weights::embedded();
    let order = |order: &[&str]| Some(order.iter().map(|&name| name.to_owned()).collect());
    let chromium = Connection {
        header_names: order(&[
            "host",
            "sec-ch-ua",
            "sec-ch-ua-mobile",
            "sec-ch-ua-platform",
            "upgrade-insecure-requests",
            "user-agent",
            "accept",
            "sec-fetch-site",
            "sec-fetch-mode",
            "sec-fetch-user",
            "sec-fetch-dest",
            "accept-encoding",
            "accept-language",
        ]),
        fetch_site: Some("none".into()),
        ..chrome_connection()
    };
    let firefox = Connection {
        header_names: order(&[
            "user-agent",
            "accept",
            "accept-language",
            "accept-encoding",
            "upgrade-insecure-requests",
            "sec-fetch-dest",
            "sec-fetch-mode",
            "sec-fetch-site",
        ]),
        ..firefox_connection()
    };
    let named =
        |connection: &Connection, agent: &str| Connection { user_agent: Some(agent.into()), ..connection.clone() };
    // OpenSSL's hello, and a preface of nobody's.
    let opened = |connection: &Connection, http2: bool| Connection {
        tls: Some(TlsHello { extensions: vec![0, 10, 11, 13, 16, 22, 23, 43, 45, 51], ..TlsHello::default() }),
        http2: http2.then(|| Http2Preface { settings: vec![(3, 100), (4, 65_535)], window_update: Some(1) }),
        ..connection.clone()
    };
    let without_hints = |connection: &Connection| Connection { brands: None, ..connection.clone() };
    let people = [
        ("a Chromium", 0, chromium.clone()),
        ("a Firefox", 0, firefox.clone()),
        ("one behind a proxy", 0, Connection { proxied: true, ..opened(&chromium, false) }),
        ("one behind a virus scanner", 59, opened(&chromium, true)),
        ("one behind an office's gateway", 59, opened(&firefox, false)),
        ("a Chromium that calls itself Firefox", 59, named(&chromium, FIREFOX)),
        ("a Firefox that calls itself Chromium", 59, named(&firefox, CHROME)),
        (
            "a Chromium under another system's name",
            29,
            named(&chromium, &CHROME.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64")),
        ),
        ("a Chromium whose hints are filtered", 29, without_hints(&chromium)),
        ("a Chromium of before hints", 0, without_hints(&named(&chromium, &CHROME.replace("156", "88")))),
        ("an app's view of before hints", 29, without_hints(&named(&chromium, &CHROME.replace("156", "110")))),
        (
            "a page without encryption",
            59,
            Connection { tls: None, http2: None, fetch_site: None, ..without_hints(&chromium) },
        ),
        (
            "a Lynx",
            0,
            Connection {
                user_agent: Some("Lynx/2.9.0dev.12 libwww-FM/2.14 SSL-MM/1.4.1".into()),
                ..Connection::default()
            },
        ),
        (
            "an Internet Explorer",
            0,
            Connection {
                user_agent: Some("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko".into()),
                ..Connection::default()
            },
        ),
        (
            "a console",
            0,
            Connection { user_agent: Some("Mozilla/5.0 (PLAYSTATION 3; 1.00)".into()), ..Connection::default() },
        ),
    ];
    for (who, most, connection) in people {
        let judged = assess_connection(&connection, &weights);
        assert!(judged.score <= most && judged.degraded, "{who}: {judged:?}");
    }
}

#[test]
fn what_the_profile_does_not_hold_is_held_against_nobody_and_what_it_expects_degrades() {
    let driven = json!({ "webdriver": true, "webglRenderer": "SwiftShader" });
    let small =
        BotEvidence { expected: Profile::Standard, automation: None, behaviour: None, ..chrome(driven.clone()) };
    let judged_small = judged(&small);
    assert_eq!((judged_small.score, judged_small.degraded), (0, false), "{judged_small:?}");
    assert!(judged(&BotEvidence { expected: Profile::Full, ..small }).degraded);
    assert!(judged(&BotEvidence { omitted: true, ..chrome(json!({})) }).degraded);
    let address_only = BotEvidence { expected: Profile::Essential, ..chrome(json!({ "outerWidth": 9000 })) };
    assert_eq!(judged(&address_only).score, 0);
}

/// Any value that some fact could have.
fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just(CHROME.to_owned()),
        Just(FIREFOX.to_owned()),
        Just("Linux x86_64".to_owned()),
        Just(String::new()),
        Just("Google Inc.".to_owned()),
        Just("curl/8".to_owned()),
        Just("UTC".to_owned()),
        ".{0,24}",
    ];
    prop_oneof![
        Just(Value::Null),
        Just(json!({ "blocked": "policy" })),
        text.clone().prop_map(Value::from),
        proptest::collection::vec(text, 0..4).prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (0_i32..3000).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

/// Facts of which each that came has a type that it can have.
fn any_facts() -> impl Strategy<Value = Facts> {
    proptest::collection::vec(any_value(), FACTS.len()).prop_map(|values| {
        let mut map = Map::new();
        for (fact, value) in FACTS.iter().zip(values) {
            let one = json!({ fact.name.wire(): value });
            if serde_json::from_value::<Facts>(one).is_ok() {
                map.insert(fact.name.wire().into(), value);
            }
        }
        serde_json::from_value(Value::Object(map)).unwrap()
    })
}

fn any_event() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        Just("move"),
        Just("down"),
        Just("up"),
        Just("click"),
        Just("keyDown"),
        Just("keyUp"),
        Just("typed"),
        Just("focus"),
        Just("what")
    ];
    let pointer = prop_oneof![Just("mouse"), Just("touch"), Just("other")];
    (kind, pointer, any::<u32>(), any::<i32>(), any::<(bool, bool)>(), any::<u32>()).prop_map(
        |(kind, pointer, at, place, (scripted, entered), count)| {
            json!({ "kind": kind, "pointer": pointer, "atMs": at, "x": place, "y": place, "scripted": scripted,
                "heldMs": count, "movesBefore": count, "entered": entered, "offsetY": place, "fromMiddle": count, "targetSide": count,
                "pressurePermille": place.rem_euclid(3) })
        },
    )
}

fn any_connection() -> impl Strategy<Value = Connection> {
    let text = || proptest::option::of(prop_oneof![Just(CHROME.to_owned()), Just("\"Linux\"".to_owned()), ".{0,32}"]);
    let names = proptest::option::of(proptest::collection::vec("[a-zA-Z-]{1,12}", 0..8));
    let hello = (any::<bool>(), proptest::collection::vec(any::<u16>(), 0..8));
    let preface = (proptest::collection::vec((any::<u16>(), any::<u32>()), 0..5), proptest::option::of(any::<u32>()));
    (text(), text(), text(), text(), names, hello, preface, any::<bool>()).prop_map(
        |(user_agent, accept_language, brands, hint_platform, header_names, hello, preface, proxied)| Connection {
            user_agent,
            accept_language,
            brands,
            hint_platform,
            header_names,
            proxied,
            tls: Some(TlsHello { grease: hello.0, extensions: hello.1, protocols: Vec::new() }),
            http2: Some(Http2Preface { settings: preface.0, window_update: preface.1 }),
            ..Connection::default()
        },
    )
}

proptest! {
    #[test]
    fn any_visit_is_assessed_within_bounds_and_no_contradiction_or_behaviour_alone_makes_a_bot(
        page in any_facts(),
        worker in any_facts(),
        events in proptest::collection::vec(any_event(), 0..64),
        connection in any_connection(),
    ) {
        let evidence = BotEvidence {
            worker: Some(worker),
            ..visit(&json!({}), &json!({}), &json!({ "events": events }), connection.clone())
        };
        let evidence = BotEvidence { page, ..evidence };
        for judged in [judged(&evidence), assess_connection(&connection, &Weights::embedded())] {
            prop_assert!(judged.score <= 100);
            prop_assert_eq!(judged.score == 0, judged.signs.is_empty());
            let only = |families: &[Family]| judged.signs.iter().all(|sign: &Sign| families.contains(&sign.family()));
            if !judged.degraded && only(&[Family::Connection, Family::Identity, Family::Contexts]) {
                prop_assert!(judged.score < 60, "{:?}", judged);
            }
            if only(&[Family::Behaviour]) {
                prop_assert!(judged.score < 60, "{:?}", judged);
            }
        }
    }
}

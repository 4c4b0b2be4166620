//! Visitors that say themselves what they are: driven browsers, headless ones, tools, crawlers. It knows their names.

use octet::fact::Text;
use octet::facts::Facts;

use super::browser::{Claim, Engine};
use super::evidence::Connection;
use super::signs::{Sign, found};
use super::{Seen, behaviour, traces};

/// Products that call themselves `Mozilla` and are no browsers, in lower case. All others that do not are tools anyway.
const TOOLS: &[&str] = &[
    "cypress",
    "happydom",
    "htmlunit",
    "jsdom",
    "nightmare",
    "phantomjs",
    "playwright",
    "puppeteer",
    "selenium",
    "slimerjs",
    "splash",
    "windowspowershell",
    "zombie",
];

/// How the user agents of people's browsers begin that do not call themselves `Mozilla`: browsers of text, old phones.
const BROWSERS: &[&str] = &[
    "Mozilla/",
    "Opera/",
    "BlackBerry",
    "Dillo/",
    "ELinks/",
    "Links (",
    "Lynx/",
    "NetSurf/",
    "Nokia",
    "UCWEB/",
    "w3m/",
];

/// What a desktop's browser names beside its system, in lower case.
const ENGINES: &[&str] =
    &["applewebkit", "gecko", "goanna", "khtml", "konqueror", "msie", "netsurf", "presto", "servo", "trident"];

/// Crawlers whose names do not end in `bot`, `crawler` or `spider`, in lower case.
const CRAWLERS: &[&str] = &[
    "bingpreview",
    "chatgpt-user",
    "chrome-lighthouse",
    "claude-user",
    "claude-web",
    "facebookexternalhit",
    "google-inspectiontool",
    "google-read-aloud",
    "googleother",
    "heritrix",
    "ia_archiver",
    "lighthouse",
    "mediapartners-google",
    "meta-externalagent",
    "meta-externalfetcher",
    "perplexity-user",
    "slurp",
    "storebot-google",
];

/// Makers of phones whose names end as those of crawlers do.
const PHONES: &[&str] = &["cubot"];

pub(super) fn of_visit(seen: &Seen<'_>) -> Vec<Sign> {
    let evidence = seen.evidence;
    let full = evidence.expected >= octet::Profile::Full;
    let contexts = [Some(&evidence.page), evidence.worker.as_ref(), evidence.frame.as_ref()];
    let mut contexts = contexts.into_iter().flatten();
    let driven = full && contexts.any(says_driven);
    let by_hand = driven && is_moved_by_hand(seen);
    let mut signs = of_connection(&evidence.connection);
    signs.extend(of_agent(seen.agent));
    signs.extend(found([
        (driven && !by_hand, Sign::Driven),
        (by_hand, Sign::DrivenByHand),
        (names_headless(&evidence.page), Sign::Headless),
    ]));
    signs
}

pub(super) fn of_connection(connection: &Connection) -> Vec<Sign> {
    let mut signs = of_agent(connection.user_agent.as_deref().unwrap_or_default());
    if connection.brands.as_deref().is_some_and(|brands| brands.contains("HeadlessChrome")) {
        signs.push(Sign::Headless);
    }
    signs
}

/// A user agent that begins as a browser's and names none: `Mozilla/5.0`, or that and a desktop's system.
pub(super) fn of_nameless(connection: &Connection, claim: &Claim) -> Vec<Sign> {
    let agent = connection.user_agent.as_deref().unwrap_or_default();
    let lower = agent.to_ascii_lowercase();
    let nameless = !ENGINES.iter().any(|engine| lower.contains(engine)) && (!agent.contains('(') || claim.is_desktop());
    found([(agent.starts_with("Mozilla/") && nameless, Sign::Tool)])
}

fn of_agent(agent: &str) -> Vec<Sign> {
    let browser = BROWSERS.iter().any(|name| agent.starts_with(name));
    let lower = agent.to_ascii_lowercase();
    let mut tool = !browser;
    // A crawler names a page about itself.
    let mut crawler = lower.contains("+http");
    for word in lower.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/'))) {
        let (name, product) = word.split_once('/').map_or((word, false), |(name, _)| (name, true));
        tool |= product && TOOLS.contains(&name);
        let named = ["bot", "crawler", "spider"].iter().any(|end| name.ends_with(end)) && !PHONES.contains(&name);
        crawler |= named || CRAWLERS.contains(&name);
    }
    found([(tool && !crawler, Sign::Tool), (crawler, Sign::Crawler), (agent.contains("Headless"), Sign::Headless)])
}

fn says_driven(facts: &Facts) -> bool {
    facts.webdriver.read() == Some(&true)
}

fn names_headless(page: &Facts) -> bool {
    let lists = [&page.brands, &page.full_versions];
    lists
        .into_iter()
        .filter_map(|list| list.read())
        .any(|list| list.as_slice().iter().any(|brand: &Text| brand.as_str().contains("Headless")))
}

/// A Chromium started with a debugging port of the system's choice says that it is driven, whoever uses it. With a
/// hand's movements, and nothing that a driver leaves, it is a person's more often than not.
fn is_moved_by_hand(seen: &Seen<'_>) -> bool {
    let moved = seen.evidence.behaviour.as_ref().is_some_and(behaviour::is_by_hand);
    seen.claim.engine == Some(Engine::Chromium)
        && moved
        && traces::of_page(seen).is_empty()
        && !seen.agent.contains("Headless")
}

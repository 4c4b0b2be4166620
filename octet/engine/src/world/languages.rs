//! Languages: which share of each country's people uses each, by CLDR. Reads BCP 47 tags as browsers send them; it
//! knows no visitor.

use octet::CountryCode;

use super::codec::{Unpacked, Writer};
use super::error::TableError;
use super::{World, codes};

pub(crate) const TABLE: &str = "languages";

/// One language in one script, and who uses it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Language {
    /// Its subtag, and its script's where the language is written in several: `de`, `zh-Hant`, `sr-Latn`.
    pub tag: String,
    /// The country where most people use it, by CLDR.
    pub likely_country: Option<CountryCode>,
    /// Who uses it, in the order of the countries.
    pub shares: Vec<LanguageShare>,
}

/// How much of a country uses a language.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LanguageShare {
    /// The country.
    pub country: CountryCode,
    /// The share of its people who use it, 0 to 1. People use several: a country's shares sum to more than 1.
    pub share: f32,
    /// The probability of this language given the country, were each person to report one of theirs: that share of all
    /// shares of the country, where one that is not official counts a tenth.
    pub likelihood: f32,
    /// Whether the country made it official.
    pub official: bool,
}

/// What the tables say about one language tag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LanguageFacts<'a> {
    /// The language and who uses it.
    pub language: &'a Language,
    /// The countries that the tag's own region names: one for `en-GB`, several for `es-419`, none for `de`.
    pub regions: &'a [CountryCode],
}

/// Languages, and what tags call them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Languages {
    /// In the order of their tags.
    pub all: Vec<Language>,
    /// Other tags, in order, and the language that each means: `iw` is `he`, `zh-TW` is `zh-Hant`.
    pub aliases: Vec<(String, u16)>,
    /// Regions, in order, and their countries: `DE` itself, all of Latin America for `419`.
    pub regions: Vec<(String, Vec<CountryCode>)>,
}

/// BCP 47 asks software to carry 35 characters at least; what comes longer is read to here.
const MAX_TAG: usize = 35;

impl World {
    /// Every language with who uses it, in the order of their tags.
    #[must_use]
    pub fn languages(&self) -> &[Language] {
        &self.languages.all
    }

    /// What is known of this BCP 47 tag, as browsers report it; none for a language that CLDR counts nowhere.
    ///
    /// ```
    /// let world = octet_engine::World::embedded();
    /// let german = world.language("de-AT").unwrap();
    /// assert_eq!(german.regions[0], "AT");
    /// assert_eq!(german.language.likely_country.unwrap(), "DE");
    /// let austria = german.language.shares.iter().find(|share| share.country == *"AT").unwrap();
    /// assert!(austria.official && austria.share > 0.9);
    /// ```
    #[must_use]
    pub fn language(&self, tag: &str) -> Option<LanguageFacts<'_>> {
        let languages = &*self.languages;
        let tag = tag.get(..MAX_TAG).unwrap_or(tag);
        // A system's locale has more behind its tag: `en_US.UTF-8`, `sr_RS@latin`.
        let mut subtags = tag.split(['.', '@']).next()?.split(['-', '_']).peekable();
        let primary = subtags.next().filter(|subtag| is_alphabetic(subtag))?.to_ascii_lowercase();
        // `zh-yue` is `yue`, `zh-cmn-Hans` is `zh-Hans`.
        let extended = subtags.next_if(|subtag| subtag.len() == 3 && is_alphabetic(subtag));
        let language = extended.and_then(|subtag| languages.find(&subtag.to_ascii_lowercase()));
        let language = language.map_or(primary.as_str(), |language| &language.tag);
        let script = subtags.next_if(|subtag| subtag.len() == 4 && is_alphabetic(subtag)).map(capitalised);
        let region = subtags.next_if(|subtag| matches!(subtag.len(), 2 | 3)).map(str::to_ascii_uppercase);
        let with = |subtag: &Option<String>| languages.find(&format!("{language}-{}", subtag.as_deref()?));
        let known = with(&script).or_else(|| with(&region).filter(|_| script.is_none()));
        let language = known.or_else(|| languages.find(language)).or_else(|| languages.find(&primary))?;
        Some(LanguageFacts { language, regions: region.map_or(&[], |region| languages.region(&region)) })
    }
}

fn is_alphabetic(subtag: &str) -> bool {
    subtag.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// A script's subtag as CLDR writes it: `hant` is `Hant`.
fn capitalised(script: &str) -> String {
    let mut script = script.to_ascii_lowercase();
    script[..1].make_ascii_uppercase();
    script
}

impl Languages {
    fn find(&self, tag: &str) -> Option<&Language> {
        let own = self.all.binary_search_by(|language| language.tag.as_str().cmp(tag)).ok();
        let aliased = || {
            let index = self.aliases.binary_search_by(|(alias, _)| alias.as_str().cmp(tag)).ok()?;
            Some(usize::from(self.aliases.get(index)?.1))
        };
        self.all.get(own.or_else(aliased)?)
    }

    fn region(&self, region: &str) -> &[CountryCode] {
        let code = codes::country_code(region).map(|code| code.to_string());
        let region = code.as_deref().unwrap_or(region);
        let index = self.regions.binary_search_by(|(known, _)| known.as_str().cmp(region)).ok();
        index.and_then(|index| self.regions.get(index)).map_or(&[], |(_, countries)| countries)
    }

    /// How many bytes they hold on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let language =
            |language: &Language| size_of::<Language>() + language.tag.len() + size_of_val(language.shares.as_slice());
        let alias = |(alias, _): &(String, u16)| size_of::<(String, u16)>() + alias.len();
        let region = |(name, countries): &(String, Vec<CountryCode>)| {
            size_of::<(String, Vec<CountryCode>)>() + name.len() + size_of_val(countries.as_slice())
        };
        self.all.iter().map(language).sum::<usize>()
            + self.aliases.iter().map(alias).sum::<usize>()
            + self.regions.iter().map(region).sum::<usize>()
    }
}

/// Shares stand in the table in parts of a million.
const MILLION: f32 = 1_000_000.0;

/// The table of these languages. The likelihoods are not in it: reading makes them of the shares.
///
/// # Errors
///
/// When the compressor fails.
pub fn encode(languages: &Languages) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new(TABLE);
    writer.count(languages.all.len());
    for language in &languages.all {
        writer.text(&language.tag);
        writer.count(usize::from(language.likely_country.is_some()));
        if let Some(country) = language.likely_country {
            writer.country(country);
        }
        writer.count(language.shares.len());
        for share in &language.shares {
            writer.country(share.country);
            writer.unsigned(((share.share * MILLION).round() as u64) << 1 | u64::from(share.official));
        }
    }
    writer.count(languages.aliases.len());
    for (alias, language) in &languages.aliases {
        writer.text(alias);
        writer.unsigned((*language).into());
    }
    writer.count(languages.regions.len());
    for (region, countries) in &languages.regions {
        writer.text(region);
        writer.count(countries.len());
        for &country in countries {
            writer.country(country);
        }
    }
    writer.finish()
}

pub(crate) fn read(unpacked: &Unpacked) -> Result<Languages, TableError> {
    let mut reader = unpacked.reader(TABLE)?;
    let mut all = reader.list(|reader| {
        let tag = reader.text()?.to_owned();
        let likely_country = reader.list(|reader| reader.country())?.pop();
        let shares = reader.list(|reader| {
            let country = reader.country()?;
            let packed: u32 = reader.number("share")?;
            let share = (packed >> 1) as f32 / MILLION;
            Ok(LanguageShare { country, share, likelihood: 0.0, official: packed & 1 == 1 })
        })?;
        Ok(Language { tag, likely_country, shares })
    })?;
    let aliases = reader.list(|reader| Ok((reader.text()?.to_owned(), reader.number("language")?)))?;
    let regions = reader.list(|reader| Ok((reader.text()?.to_owned(), reader.list(|reader| reader.country())?)))?;
    reader.finish()?;
    let sorted = all.is_sorted_by(|a, b| a.tag < b.tag) && aliases.is_sorted() && regions.is_sorted();
    if !sorted || aliases.iter().any(|&(_, language)| usize::from(language) >= all.len()) {
        return Err(TableError::Malformed { what: "order of languages" });
    }
    normalise(&mut all);
    Ok(Languages { all, aliases, regions })
}

/// CLDR counts who can use a language: most of the Netherlands can use German, and few browsers there ask for it. A
/// language that the country did not make official is so much less often the one that a person reports: chosen.
const UNOFFICIAL: f32 = 0.1;

/// Makes each country's likelihoods, which sum to 1.
fn normalise(languages: &mut [Language]) {
    let weight = |share: &LanguageShare| share.share * if share.official { 1.0 } else { UNOFFICIAL };
    let mut sums = std::collections::BTreeMap::new();
    for share in languages.iter().flat_map(|language| &language.shares) {
        *sums.entry(share.country).or_insert(0.0) += weight(share);
    }
    for share in languages.iter_mut().flat_map(|language| &mut language.shares) {
        let sum = sums.get(&share.country).copied().unwrap_or_default();
        share.likelihood = if sum > 0.0 { weight(share) / sum } else { 0.0 };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_find_their_language_through_aliases_scripts_and_regions() {
        let world = World::embedded();
        let expected = [
            ("de", "de"),
            ("DE-de", "de"),
            ("en-US-u-hc-h12", "en"),
            ("iw-IL", "he"),
            ("no", "no"),
            ("nb-NO", "no"),
            ("tl-PH", "fil"),
            ("zh-CN", "zh"),
            ("zh-Hans-SG", "zh"),
            ("zh-TW", "zh-Hant"),
            ("zh-hant", "zh-Hant"),
            ("zh_HK", "zh-Hant"),
            ("sr-Latn-RS", "sr-Latn"),
            ("sr-Cyrl", "sr"),
            ("pt-BR", "pt"),
            ("de-CH-1901", "de"),
            ("zh-yue-HK", "yue"),
            ("zh-cmn-Hans-CN", "zh"),
            ("zh-cmn-TW", "zh-Hant"),
            ("en_US.UTF-8", "en"),
        ];
        for (tag, language) in expected {
            assert_eq!(world.language(tag).expect(tag).language.tag, language, "{tag}");
        }
        for tag in ["", "-", "x-private", "q", "zz", "123", "deutschland"] {
            assert_eq!(world.language(tag), None, "{tag}");
        }
    }

    #[test]
    fn a_region_is_a_country_or_several_or_none() {
        let world = World::embedded();
        let regions = |tag| world.language(tag).unwrap().regions;
        assert_eq!(regions("en-GB")[0], "GB");
        for (tag, country) in
            [("zh-yue-HK", "HK"), ("zh-cmn-Hans-CN", "CN"), ("en_US.UTF-8", "US"), ("sr_RS@latin", "RS")]
        {
            assert_eq!(regions(tag)[0], *country, "{tag}");
        }
        assert!(regions("es-419").iter().any(|country| *country == *"MX"));
        assert!(!regions("es-419").iter().any(|country| *country == *"ES"));
        assert!(regions("de").is_empty() && regions("en-ZZ").is_empty() && regions("en-001").is_empty());
    }

    #[test]
    fn the_likelihoods_of_a_country_sum_to_one() {
        let world = World::embedded();
        let belgium = world.languages().iter().flat_map(|language| &language.shares);
        let belgium: Vec<_> = belgium.filter(|share| share.country == *"BE").collect();
        assert!(belgium.iter().map(|share| share.share).sum::<f32>() > 1.0);
        assert!((belgium.iter().map(|share| share.likelihood).sum::<f32>() - 1.0).abs() < 1e-4);
    }

    #[test]
    fn what_a_country_did_not_make_official_is_rarely_asked_for_there() {
        let world = World::embedded();
        let of = |tag: &str, country: &str| {
            let shares = &world.language(tag).unwrap().language.shares;
            *shares.iter().find(|share| share.country == *country).unwrap()
        };
        let (dutch, german) = (of("nl", "NL"), of("de", "NL"));
        assert!(german.share > 0.5 && german.likelihood < 0.1 && dutch.likelihood > 0.7, "{dutch:?} {german:?}");
        // Official in four languages, each by who uses it.
        assert!(of("fr", "CH").likelihood > 0.1 && of("de", "CH").likelihood > 0.3);
    }

    proptest! {
        #[test]
        fn a_table_gives_back_its_languages(
            tags in prop::collection::btree_set("[a-z]{2,3}", 1..8),
            parts in prop::collection::vec((0..=1_000_000_u32, any::<bool>()), 0..3),
        ) {
            let country = |index: usize| ["AT", "BE", "DE"][index].parse().unwrap();
            let share = |(index, &(parts, official)): (usize, &(u32, bool))| LanguageShare {
                country: country(index),
                share: parts as f32 / MILLION,
                likelihood: 0.0,
                official,
            };
            let shares: Vec<_> = parts.iter().enumerate().map(share).collect();
            let language =
                |tag: &String| Language { tag: tag.clone(), likely_country: Some(country(2)), shares: shares.clone() };
            let mut languages = Languages {
                all: tags.iter().map(language).collect(),
                aliases: vec![("alias".into(), 0)],
                regions: vec![("419".into(), vec![country(0), country(1)])],
            };
            let table = encode(&languages).unwrap();
            normalise(&mut languages.all);
            prop_assert_eq!(read(&Unpacked::new(&table).unwrap()).unwrap(), languages);
        }

        #[test]
        fn any_content_is_refused_or_read_without_panic(content: Vec<u8>) {
            let mut writer = Writer::new(TABLE);
            writer.raw(&content);
            let _ = read(&Unpacked::new(&writer.finish().unwrap()).unwrap());
        }

        #[test]
        fn any_tag_is_read_without_panic(tag: String, plausible in "[a-zA-Z0-9_-]{0,50}") {
            let world = World::embedded();
            let _ = (world.language(&tag), world.language(&plausible));
        }
    }
}

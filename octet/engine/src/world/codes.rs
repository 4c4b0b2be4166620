//! Codes of territories as databases write them, brought to the one code that Octet uses for each. It knows no
//! territory's land or people.

use octet::CountryCode;

/// The country that a database means by this code, or none when it means no country.
///
/// Octet's codes are those of ISO 3166-1 and `XK` for Kosovo. Former, reserved and colloquial codes become the
/// country that they are part of; regions (`EU`, `AP`), "unknown" (`ZZ`) and proxies (`A1`) are no country.
///
/// ```
/// use octet_engine::world::country_code;
/// assert_eq!(country_code("uk").unwrap(), "GB");
/// assert_eq!(country_code("XK").unwrap(), "XK");
/// assert_eq!(country_code("EU"), None);
/// ```
#[must_use]
pub fn country_code(code: &str) -> Option<CountryCode> {
    let code = code.to_ascii_uppercase();
    let code = match code.as_str() {
        "AP" | "EU" | "QO" | "UN" | "XX" | "ZZ" | "AN" | "CS" | "SU" | "YU" | "NT" => return None,
        "UK" => "GB",
        "EL" => "GR",
        "KV" | "KS" => "XK",
        "FX" | "CP" => "FR",
        "AC" | "TA" => "SH",
        "IC" | "EA" => "ES",
        "DG" => "IO",
        "CQ" => "GG",
        "BU" => "MM",
        "DD" => "DE",
        "DY" => "BJ",
        "HV" => "BF",
        "NH" => "VU",
        "RH" => "ZW",
        "TP" => "TL",
        "VD" => "VN",
        "YD" => "YE",
        "ZR" => "CD",
        code => code,
    };
    code.parse().ok()
}

/// A code as the address tables hold it: two letters in one number, 0 for no country.
pub(crate) fn to_number(code: Option<CountryCode>) -> u16 {
    code.map_or(0, |code| u16::from_be_bytes(code.to_bytes()))
}

/// The code in such a number; none for anything that is not one.
pub(crate) fn from_number(number: u16) -> Option<CountryCode> {
    CountryCode::from_bytes(number.to_be_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_survives_its_number_and_no_country_is_zero() {
        let germany = country_code("DE");
        assert_eq!(from_number(to_number(germany)), germany);
        assert_eq!(to_number(None), 0);
        assert_eq!(from_number(0), None);
    }

    #[test]
    fn what_is_not_two_letters_is_no_country() {
        for code in ["", "D", "DEU", "A1", "é", "--", "001"] {
            assert_eq!(country_code(code), None, "{code}");
        }
    }
}

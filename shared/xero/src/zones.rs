//! Xero's words for time zones, which are those of Windows without spaces, as IANA names.

/// Words of Xero's list that stand for one zone each; of the others a person has to say which zone is meant.
const ZONES: [(&str, &str); 44] = [
    ("ARABIANSTANDARDTIME", "Asia/Dubai"),
    ("ATLANTICSTANDARDTIME", "America/Halifax"),
    ("AUSCENTRALSTANDARDTIME", "Australia/Darwin"),
    ("AUSCENTRALWSTANDARDTIME", "Australia/Eucla"),
    ("AUSEASTERNSTANDARDTIME", "Australia/Sydney"),
    ("CANADACENTRALSTANDARDTIME", "America/Regina"),
    ("CENAUSTRALIASTANDARDTIME", "Australia/Adelaide"),
    ("CENTRALEUROPEANSTANDARDTIME", "Europe/Warsaw"),
    ("CENTRALEUROPESTANDARDTIME", "Europe/Budapest"),
    ("CENTRALSTANDARDTIME", "America/Chicago"),
    ("CHATHAMISLANDSSTANDARDTIME", "Pacific/Chatham"),
    ("CHINASTANDARDTIME", "Asia/Shanghai"),
    ("EAFRICASTANDARDTIME", "Africa/Nairobi"),
    ("EASTERNSTANDARDTIME", "America/New_York"),
    ("EAUSTRALIASTANDARDTIME", "Australia/Brisbane"),
    ("EGYPTSTANDARDTIME", "Africa/Cairo"),
    ("ESOUTHAMERICASTANDARDTIME", "America/Sao_Paulo"),
    ("FIJISTANDARDTIME", "Pacific/Fiji"),
    ("FLESTANDARDTIME", "Europe/Kyiv"),
    ("GMTSTANDARDTIME", "Europe/London"),
    ("GTBSTANDARDTIME", "Europe/Bucharest"),
    ("HAWAIIANSTANDARDTIME", "Pacific/Honolulu"),
    ("INDIASTANDARDTIME", "Asia/Kolkata"),
    ("ISRAELSTANDARDTIME", "Asia/Jerusalem"),
    ("KOREASTANDARDTIME", "Asia/Seoul"),
    ("LORDHOWESTANDARDTIME", "Australia/Lord_Howe"),
    ("MOUNTAINSTANDARDTIME", "America/Denver"),
    ("NEWFOUNDLANDSTANDARDTIME", "America/St_Johns"),
    ("NEWZEALANDSTANDARDTIME", "Pacific/Auckland"),
    ("NORFOLKSTANDARDTIME", "Pacific/Norfolk"),
    ("PACIFICSTANDARDTIME", "America/Los_Angeles"),
    ("ROMANCESTANDARDTIME", "Europe/Paris"),
    ("SEASIASTANDARDTIME", "Asia/Bangkok"),
    ("SINGAPORESTANDARDTIME", "Asia/Singapore"),
    ("SOUTHAFRICASTANDARDTIME", "Africa/Johannesburg"),
    ("SRILANKASTANDARDTIME", "Asia/Colombo"),
    ("TASMANIASTANDARDTIME", "Australia/Hobart"),
    ("TOKYOSTANDARDTIME", "Asia/Tokyo"),
    ("USEASTERNSTANDARDTIME", "America/Indiana/Indianapolis"),
    ("USMOUNTAINSTANDARDTIME", "America/Phoenix"),
    ("UTC", "Etc/UTC"),
    ("WAUSTRALIASTANDARDTIME", "Australia/Perth"),
    ("WESTPACIFICSTANDARDTIME", "Pacific/Port_Moresby"),
    ("WEUROPESTANDARDTIME", "Europe/Berlin"),
];

/// The IANA name of a zone of Xero's; `None` if the word is not known here.
pub fn iana_zone(of_xero: &str) -> Option<&'static str> {
    ZONES.iter().find(|(word, _)| *word == of_xero).map(|(_, zone)| *zone)
}

/// The IANA names that can be chosen from.
pub fn iana_zones() -> impl Iterator<Item = &'static str> {
    ZONES.iter().map(|(_, zone)| *zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_zone_exists_and_stands_there_once() {
        for (word, zone) in ZONES {
            assert!(jiff::tz::TimeZone::get(zone).is_ok(), "{zone}");
            assert_eq!(iana_zone(word), Some(zone));
        }
        assert_eq!(iana_zone("MOONSTANDARDTIME"), None);
    }
}

//! A point in time that the caller gives; the library has no clock.
// Every number here comes from at most 18 digits, or from 2^64 seconds divided down to days.
#![allow(clippy::arithmetic_side_effects)]

use crate::error::{Error, ErrorKind};

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// The time given by a date and time of RFC 3339 §5.6, such as `2026-11-23T09:30:00Z` or with
    /// an offset such as `+01:00`. Fractions of a second are dropped. A date without a time means
    /// midnight UTC.
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] for any other text, and for times before 1970.
    pub fn from_rfc3339(text: &str) -> Result<Self, Error> {
        parse(text).map(Self).ok_or_else(|| {
            Error::because(
                ErrorKind::BadArgument,
                "a time like 2026-11-23T09:30:00Z expected",
            )
        })
    }
}

impl core::fmt::Display for UnixTime {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (year, month, day) = civil_from_days(self.0 / 86_400);
        let second = self.0 % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

fn parse(text: &str) -> Option<u64> {
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let mut date = date
        .splitn(3, '-')
        .zip([4, 2, 2])
        .map(|(part, digits)| number(part, digits));
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1970 || !(1..=month_days).contains(&day) {
        return None;
    }
    let midnight = days_from_civil(year, month, day).checked_mul(86_400)?;
    let Some(clock) = clock else {
        return Some(midnight);
    };
    let zone_at = clock.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = clock.split_at_checked(zone_at)?;
    let clock = clock
        .split_once('.')
        .map_or(Some(clock), |(whole, fraction)| {
            number(fraction, fraction.len()).map(|_| whole)
        })?;
    let mut parts = clock.splitn(3, ':').map(|part| number(part, 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let local = midnight.checked_add(hour * 3600 + minute * 60 + second.min(59))?;
    if zone.eq_ignore_ascii_case("z") {
        return Some(local);
    }
    let (sign, offset) = zone.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let offset = hours * 3600 + minutes * 60;
    if sign == "+" {
        local.checked_sub(offset)
    } else {
        local.checked_add(offset)
    }
}

/// Exactly `digits` decimal digits, at most 18 of them.
fn number(text: &str, digits: usize) -> Option<u64> {
    let plain = (1..=18).contains(&digits)
        && text.len() == digits
        && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Days since 1970-01-01 in the Gregorian calendar, counted in years that start in March.
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = if month <= 2 { month + 9 } else { month - 3 };
    let leaps = year / 4 - year / 100 + year / 400;
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    365 * year + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(719_468);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    /// Expected numbers from `date -u -d TEXT +%s`.
    #[test]
    fn reads_and_prints_rfc_3339() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-11-23T09:30:00Z", 1_795_426_200),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(
                UnixTime::from_rfc3339(text).unwrap(),
                UnixTime(seconds),
                "{text}"
            );
            assert_eq!(UnixTime(seconds).to_string(), text);
        }
        let hour_earlier = UnixTime::from_rfc3339("2026-11-23T09:30:00.25+01:00").unwrap();
        assert_eq!(hour_earlier, UnixTime(1_795_426_200 - 3600));
        assert_eq!(
            UnixTime::from_rfc3339("2026-11-23").unwrap(),
            UnixTime(1_795_392_000)
        );
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-0011-23",
            "2025-02-29",
            "1969-12-31",
            "2026-11-23T25:00:00Z",
            "2026-11-23T09:30:00",
            "2026-11-23T09:30:00+1",
            "+2026-11-23",
            "2026-11-2é",
        ] {
            assert!(UnixTime::from_rfc3339(text).is_err(), "{text}");
        }
    }
}

//! A point in time that the caller gives; the library has no clock.
//!
//! The calendar is that of the crate `der`, which is here for certificates. Offsets, fractions and
//! dates without a time are read here: a crate for all of RFC 3339 would bring twenty thousand lines
//! into every device for them.

use core::time::Duration;

use der::DateTime;

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

#[cfg(feature = "std")]
impl TryFrom<std::time::SystemTime> for UnixTime {
    type Error = Error;

    /// Fractions of a second are dropped.
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] for a time before 1970.
    ///
    /// ```
    /// use ownership_voucher::UnixTime;
    /// use std::time::SystemTime;
    /// # fn main() -> Result<(), ownership_voucher::Error> {
    /// let now = UnixTime::try_from(SystemTime::now())?;
    /// assert!(SystemTime::try_from(now)? <= SystemTime::now());
    /// # Ok(())
    /// # }
    /// ```
    fn try_from(time: std::time::SystemTime) -> Result<Self, Error> {
        time.duration_since(std::time::UNIX_EPOCH)
            .map(|since| Self(since.as_secs()))
            .map_err(|_| Error::because(ErrorKind::BadArgument, "a time since 1970 expected"))
    }
}

#[cfg(feature = "std")]
impl TryFrom<UnixTime> for std::time::SystemTime {
    type Error = Error;

    /// # Errors
    /// [`ErrorKind::BadArgument`] for a time that the system cannot express.
    fn try_from(time: UnixTime) -> Result<Self, Error> {
        Self::UNIX_EPOCH
            .checked_add(Duration::from_secs(time.0))
            .ok_or_else(|| Error::because(ErrorKind::BadArgument, "an earlier time expected"))
    }
}

impl core::fmt::Display for UnixTime {
    /// RFC 3339 in UTC. Times after the year 9999, which it cannot express, are given in seconds.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match DateTime::from_unix_duration(Duration::from_secs(self.0)) {
            Ok(time) => time.fmt(f),
            Err(_) => write!(f, "{} seconds after 1970", self.0),
        }
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
    let (year, month, day) = (year.try_into().ok()?, short(month)?, short(day)?);
    let at = |hour, minute, second| {
        let time = DateTime::new(
            year,
            month,
            day,
            short(hour)?,
            short(minute)?,
            short(second)?,
        );
        Some(time.ok()?.unix_duration().as_secs())
    };
    let Some(clock) = clock else {
        return at(0, 0, 0);
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
    // A leap second is the one before it.
    let second = if second == 60 { 59 } else { second };
    let local = at(hour, minute, second)?;
    if zone.eq_ignore_ascii_case("z") {
        return Some(local);
    }
    let (sign, offset) = zone.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let offset = hours
        .checked_mul(3600)?
        .checked_add(minutes.checked_mul(60)?)?;
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

fn short(number: u64) -> Option<u8> {
    number.try_into().ok()
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
        let last = UnixTime(253_402_300_799);
        assert_eq!(last.to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(
            UnixTime(u64::MAX).to_string(),
            "18446744073709551615 seconds after 1970"
        );
        let leap_second = UnixTime::from_rfc3339("2016-12-31T23:59:60Z").unwrap();
        assert_eq!(leap_second, UnixTime(1_483_228_799));
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
            "2026-11-23T24:00:00Z",
            "2026-11-23T09:60:00Z",
            "2026-11-23T09:30:61Z",
            "2100-02-29",
            "2026-04-31",
            "2026-00-01",
            "2026-11-00",
            "2026-11-23T09:30:00",
            "2026-11-23T09:30:00+1",
            "+2026-11-23",
            "2026-11-2é",
        ] {
            assert!(UnixTime::from_rfc3339(text).is_err(), "{text}");
        }
    }
}

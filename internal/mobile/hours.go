package mobile

import "time"

// Business hours are 8 to 17 h from Monday to Friday (47 CFR 52.35(a): "the traditional work week
// of Monday through Friday … and 8 a.m. to 5 p.m. represents minimum business hours"), less the
// holidays of holiday. No clock is changed between 8 and 17 h, so a business day always has nine.
const (
	businessOpens  = 8
	businessCloses = 17
)

// BusinessDay is a business day in business hours: nine.
const BusinessDay = (businessCloses - businessOpens) * time.Hour

// InBusinessHours tells whether t lies in business hours of a zone: from the opening, and before
// the close.
func InBusinessHours(t time.Time, zone *time.Location) bool {
	return NextBusinessOpening(t, zone).Equal(t)
}

// NextBusinessOpening gives t when it lies in business hours of a zone, and otherwise the next
// moment at which they begin. It is in UTC.
func NextBusinessOpening(t time.Time, zone *time.Location) time.Time {
	for day := 0; ; day++ {
		opens := onClock(t, day, businessOpens*time.Hour, zone)
		switch closes := onClock(t, day, businessCloses*time.Hour, zone); {
		case !businessDay(opens) || !t.Before(closes):
		case t.Before(opens):
			return opens.UTC()
		default:
			return t.UTC()
		}
	}
}

// AddBusinessHours gives the moment when d of business hours have passed since start; those of a
// whole day end at the close, not at the next opening. A start outside business hours counts from
// the next opening, and a negative d as none. It is in UTC.
func AddBusinessHours(start time.Time, d time.Duration, zone *time.Location) time.Time {
	t := NextBusinessOpening(start, zone)
	for {
		closes := onClock(t, 0, businessCloses*time.Hour, zone)
		left := closes.Sub(t)
		if d <= left {
			return t.Add(max(d, 0))
		}
		d -= left
		t = NextBusinessOpening(closes, zone)
	}
}

// AddBusinessDays gives the same time of day n business days after start. A start outside
// business hours counts from the next opening, and a negative n as none. It is in UTC.
func AddBusinessDays(start time.Time, n int, zone *time.Location) time.Time {
	t := NextBusinessOpening(start, zone).In(zone)
	for n > 0 {
		t = t.AddDate(0, 0, 1)
		if businessDay(t) {
			n--
		}
	}
	return t.UTC()
}

// onClock gives the moment at which the clocks of a zone show a time of day, some days after the
// day of t. The time of day is whole seconds since midnight by the clock, whether or not a clock
// was changed meanwhile.
func onClock(t time.Time, days int, timeOfDay time.Duration, zone *time.Location) time.Time {
	year, month, day := t.In(zone).Date()
	return time.Date(year, month, day+days, 0, 0, int(timeOfDay/time.Second), 0, zone)
}

// businessDay tells whether carriers work on the date of t, in its own zone.
func businessDay(t time.Time) bool {
	weekday := t.Weekday()
	return weekday != time.Saturday && weekday != time.Sunday && !holiday(t)
}

// holiday tells whether carriers rest on the date of t, in its own zone. The rule excludes each
// provider's own holidays (47 CFR 52.35(a)), which are in no public list. We take those six of 5
// U.S.C. 6103(a) on which offices in the whole country are closed. One on a Saturday is kept on the
// Friday before (its (b)), one on a Sunday on the Monday after (Executive Order 11582, section 3). A
// day that a provider takes off besides makes us ask an operator early, never late.
func holiday(t time.Time) bool {
	switch weekday := t.Weekday(); {
	case fixedHoliday(t):
		return true
	case weekday == time.Friday && fixedHoliday(t.AddDate(0, 0, 1)):
		return true
	case weekday == time.Monday && fixedHoliday(t.AddDate(0, 0, -1)):
		return true
	}
	return movingHoliday(t)
}

// fixedHoliday: New Year's Day, Independence Day and Christmas Day.
func fixedHoliday(t time.Time) bool {
	_, month, day := t.Date()
	return month == time.January && day == 1 || month == time.July && day == 4 || month == time.December && day == 25
}

// movingHoliday: Memorial Day, the last Monday of May; Labor Day, the first Monday of September;
// Thanksgiving Day, the fourth Thursday of November.
func movingHoliday(t time.Time) bool {
	_, month, day := t.Date()
	switch t.Weekday() {
	case time.Monday:
		return month == time.May && day > 31-7 || month == time.September && day <= 7
	case time.Thursday:
		return month == time.November && day > 3*7 && day <= 4*7
	default:
		return false
	}
}

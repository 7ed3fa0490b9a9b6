package mobile_test

import (
	"testing"
	"time"
	_ "time/tzdata" // What the zones of the domain are compared with, on any machine.

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"github.com/dialtone/dialtone/internal/mobile"
)

// chicago is the zone of most cases.
var chicago = mobile.ZoneOfZIP("60601")

// clock reads "2026-11-24 08:00" by the clocks of a zone.
func clock(t *testing.T, zone *time.Location, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// shown is a moment as the clocks of a zone show it.
func shown(at time.Time, zone *time.Location) string { return at.In(zone).Format("2006-01-02 15:04") }

// The rules of the zones are our own; here they meet the time zone database of Go.
func TestZones_KeepTheLaw(t *testing.T) {
	t.Parallel()
	for name, number := range map[string]string{
		"America/New_York":    "+12125550123",
		"America/Chicago":     "+13125550123",
		"America/Denver":      "+13035550123",
		"America/Phoenix":     "+16025550123",
		"America/Los_Angeles": "+12135550123",
		"America/Anchorage":   "+19075550123",
		"Pacific/Honolulu":    "+18085550123",
		"America/Puerto_Rico": "+17875550123",
		"Pacific/Guam":        "+16715550123",
		"Pacific/Pago_Pago":   "+16845550123",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			law, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			zone := mobile.ZoneOfNumber(number)

			if zone.String() != name {
				t.Errorf("%s is in %s", number, zone)
			}
			if mobile.ZoneNamed(name) != zone {
				t.Errorf("%s by its name is %s", name, mobile.ZoneNamed(name))
			}
			for at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2038; at = at.Add(time.Hour) {
				if got, want := at.In(zone).Format(time.RFC1123Z+" MST"), at.In(law).Format(time.RFC1123Z+" MST"); got != want {
					t.Fatalf("got %s, want %s", got, want)
				}
			}
		})
	}
}

func TestZoneNamed_Unknown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "UTC", "Local", "Europe/Paris"} {
		if got := mobile.ZoneNamed(name).String(); got != "America/Chicago" {
			t.Errorf("%q: got %s", name, got)
		}
	}
}

func TestZoneOfNumber(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ number, want string }{
		"NewYork":            {"+12125550123", "America/New_York"},
		"Orlando/Overlay":    {"+16895550123", "America/New_York"},
		"Detroit/NewOverlay": {"+16795550123", "America/New_York"},
		"Houston/NewOverlay": {"+16215550123", "America/Chicago"},
		"Chattanooga":        {"+14235550123", "America/New_York"},
		"Gary":               {"+12195550123", "America/Chicago"},
		"Pensacola":          {"+18505550123", "America/Chicago"},
		"SiouxFalls":         {"+16055550123", "America/Chicago"},
		"ElPaso":             {"+19155550123", "America/Denver"},
		"Boise":              {"+12085550123", "America/Denver"},
		"Phoenix":            {"+14805550123", "America/Phoenix"},
		"Reno":               {"+17755550123", "America/Los_Angeles"},
		"SanJuan":            {"+19395550123", "America/Puerto_Rico"},
		"AreaCodeUnknown":    {"+19995550123", "America/Chicago"},
		"Toronto":            {"+14165550123", "America/Chicago"},
		"Empty":              {"", "America/Chicago"},
		"Short":              {"+1212", "America/Chicago"},
		"NotAmerican":        {"+44207946000", "America/Chicago"},
		"NotDigits":          {"+12 55550123", "America/Chicago"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := mobile.ZoneOfNumber(c.number).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A new release of the library that knows another area code fails here, and the table is to
// follow.
func TestZoneOfNumber_AgreesWithTheLibrary(t *testing.T) {
	t.Parallel()
	for area := 200; area < 1000; area++ {
		number := &phonenumbers.PhoneNumber{CountryCode: new(int32(1)), NationalNumber: new(uint64(area)*1e7 + 234_5678)}
		geographic := phonenumbers.GetNumberType(number) == phonenumbers.FIXED_LINE_OR_MOBILE
		region := phonenumbers.GetRegionCodeForNumber(number)
		if region != "US" && region != "PR" || !geographic {
			continue
		}
		if area == 364 || area == 448 || area == 689 { // Overlays in which the library errs, or knows one of two zones.
			continue
		}
		e164 := phonenumbers.Format(number, phonenumbers.E164)

		zone := mobile.ZoneOfNumber(e164)

		if !amongZones(t, zone, e164[:5]) {
			t.Errorf("the library has no exchange of %d in %s", area, zone)
		}
	}
}

// amongZones tells whether the library has a zone with the same clocks for some exchange of an
// area code, as in "+1212".
func amongZones(t *testing.T, zone *time.Location, prefix string) bool {
	t.Helper()
	for exchange := range 1000 {
		names, err := phonenumbers.GetTimezonesForPrefix(prefix + string([]byte{byte('0' + exchange/100), byte('0' + exchange/10%10), byte('0' + exchange%10)}))
		if err != nil {
			t.Fatal(err)
		}
		if len(names) > 2 { // All of the numbering plan's: the library knows nothing.
			continue
		}
		for _, name := range names {
			other, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			winter, summer := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC), time.Date(2026, 7, 5, 12, 0, 0, 0, time.UTC)
			if shown(winter, zone) == shown(winter, other) && shown(summer, zone) == shown(summer, other) {
				return true
			}
		}
	}
	return false
}

func TestZoneOfZIP(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		zip  mobile.ZIP
		want string
	}{
		"NewYork":        {"10001", "America/New_York"},
		"NewYork/Nine":   {"10001-1234", "America/New_York"},
		"Boston":         {"02108", "America/New_York"},
		"FishersIsland":  {"06390", "America/New_York"},
		"Detroit":        {"48201", "America/New_York"},
		"Miami":          {"33101", "America/New_York"},
		"Tallahassee":    {"32301", "America/New_York"},
		"PanamaCity":     {"32401", "America/Chicago"},
		"Pensacola":      {"32501", "America/Chicago"},
		"Nashville":      {"37201", "America/Chicago"},
		"Memphis":        {"38103", "America/Chicago"},
		"Clarksville":    {"37040", "America/Chicago"},
		"Chattanooga":    {"37402", "America/New_York"},
		"Knoxville":      {"37902", "America/New_York"},
		"JohnsonCity":    {"37601", "America/New_York"},
		"JacksonTN":      {"38301", "America/Chicago"},
		"Louisville":     {"40202", "America/New_York"},
		"Lexington":      {"40507", "America/New_York"},
		"BowlingGreen":   {"42101", "America/Chicago"},
		"SomersetKY":     {"42501", "America/New_York"},
		"Indianapolis":   {"46204", "America/New_York"},
		"SouthBend":      {"46601", "America/New_York"},
		"Gary":           {"46402", "America/Chicago"},
		"Evansville":     {"47708", "America/Chicago"},
		"SiouxFalls":     {"57104", "America/Chicago"},
		"RapidCity":      {"57701", "America/Denver"},
		"Fargo":          {"58102", "America/Chicago"},
		"Dickinson":      {"58601", "America/Denver"},
		"Omaha":          {"68102", "America/Chicago"},
		"NorthPlatte":    {"69201", "America/Chicago"},
		"Scottsbluff":    {"69361", "America/Denver"},
		"Wichita":        {"67202", "America/Chicago"},
		"Dallas":         {"75201", "America/Chicago"},
		"ElPaso":         {"79901", "America/Denver"},
		"ElPaso/Boxes":   {"88510", "America/Denver"},
		"Denver":         {"80202", "America/Denver"},
		"Boise":          {"83702", "America/Denver"},
		"Lewiston":       {"83501", "America/Los_Angeles"},
		"CoeurdAlene":    {"83814", "America/Los_Angeles"},
		"Phoenix":        {"85001", "America/Phoenix"},
		"Chinle":         {"86503", "America/Denver"},
		"LasVegas":       {"89101", "America/Los_Angeles"},
		"LosAngeles":     {"90012", "America/Los_Angeles"},
		"OntarioOR":      {"97914", "America/Denver"},
		"Portland":       {"97201", "America/Los_Angeles"},
		"Anchorage":      {"99501", "America/Anchorage"},
		"Honolulu":       {"96813", "Pacific/Honolulu"},
		"PagoPago":       {"96799", "Pacific/Pago_Pago"},
		"PagoPago/Nine":  {"96799-0001", "Pacific/Pago_Pago"},
		"Guam":           {"96910", "Pacific/Guam"},
		"SanJuan":        {"00901", "America/Puerto_Rico"},
		"CharlotteAm":    {"00802", "America/Puerto_Rico"},
		"PrefixUnused":   {"42801", "America/Chicago"},
		"MilitaryEurope": {"09012", "America/Chicago"},
		"Empty":          {"", "America/Chicago"},
		"NotAZIP":        {"abcde", "America/Chicago"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := mobile.ZoneOfZIP(c.zip).String(); got != c.want {
				t.Errorf("%q: got %s, want %s", c.zip, got, c.want)
			}
		})
	}
}

func TestNextBusinessOpening(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ at, want string }{
		"Within":                         {"2026-11-24 11:23", "2026-11-24 11:23"},
		"AtTheOpening":                   {"2026-11-24 08:00", "2026-11-24 08:00"},
		"LastMinute":                     {"2026-11-24 16:59", "2026-11-24 16:59"},
		"AtTheClose":                     {"2026-11-24 17:00", "2026-11-25 08:00"},
		"Midnight":                       {"2026-11-24 00:00", "2026-11-24 08:00"},
		"FridayEvening":                  {"2026-10-23 18:00", "2026-10-26 08:00"},
		"Saturday":                       {"2026-10-24 10:00", "2026-10-26 08:00"},
		"Sunday":                         {"2026-10-25 23:59", "2026-10-26 08:00"},
		"ClocksGoBack":                   {"2026-10-30 17:00", "2026-11-02 08:00"},
		"ClocksGoForward":                {"2027-03-12 17:00", "2027-03-15 08:00"},
		"Holiday/NewYear":                {"2026-01-01 10:00", "2026-01-02 08:00"},
		"Holiday/NewYearOnSaturday":      {"2027-12-31 10:00", "2028-01-03 08:00"},
		"Holiday/NewYearOnSunday":        {"2022-12-30 17:00", "2023-01-03 08:00"},
		"Holiday/Memorial":               {"2026-05-22 17:00", "2026-05-26 08:00"},
		"Holiday/July4OnSaturday":        {"2026-07-02 17:00", "2026-07-06 08:00"},
		"Holiday/July4OnSunday":          {"2027-07-02 17:00", "2027-07-06 08:00"},
		"Holiday/Labor":                  {"2026-09-04 17:00", "2026-09-08 08:00"},
		"Holiday/Thanksgiving":           {"2026-11-25 17:00", "2026-11-27 08:00"},
		"Holiday/Christmas":              {"2026-12-24 17:00", "2026-12-28 08:00"},
		"NoHoliday/MondayBeforeMemorial": {"2026-05-18 10:00", "2026-05-18 10:00"},
		"NoHoliday/SecondMonday":         {"2026-09-14 10:00", "2026-09-14 10:00"},
		"NoHoliday/Columbus":             {"2026-10-12 10:00", "2026-10-12 10:00"},
		"NoHoliday/FifthThursday":        {"2029-11-29 10:00", "2029-11-29 10:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := clock(t, chicago, c.at)

			got := mobile.NextBusinessOpening(at, chicago)

			if shown(got, chicago) != c.want || got.Location() != time.UTC {
				t.Errorf("got %s (%s), want %s", shown(got, chicago), got.Location(), c.want)
			}
			if in := mobile.InBusinessHours(at, chicago); in != (c.at == c.want) {
				t.Errorf("InBusinessHours = %v", in)
			}
		})
	}
}

// The same moment is within hours in New York and before them in Honolulu.
func TestInBusinessHours_OfTheZone(t *testing.T) {
	t.Parallel()
	at := clock(t, mobile.ZoneOfZIP("10001"), "2026-11-24 09:00")

	if !mobile.InBusinessHours(at, mobile.ZoneOfZIP("10001")) || mobile.InBusinessHours(at, mobile.ZoneOfZIP("96813")) {
		t.Error("business hours are not those of the zone")
	}
}

func TestAddBusinessHours(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start string
		add   time.Duration
		want  string
	}{
		"SameDay":         {"2026-11-24 09:30", 4 * time.Hour, "2026-11-24 13:30"},
		"UntilTheClose":   {"2026-11-24 13:00", 4 * time.Hour, "2026-11-24 17:00"},
		"OverNight":       {"2026-11-24 15:00", 4 * time.Hour, "2026-11-25 10:00"},
		"OverWeekend":     {"2026-10-23 15:30", 4 * time.Hour, "2026-10-26 10:30"},
		"FromTheNight":    {"2026-11-24 03:00", 4 * time.Hour, "2026-11-24 12:00"},
		"FromTheEvening":  {"2026-11-24 20:00", 4 * time.Hour, "2026-11-25 12:00"},
		"FromSaturday":    {"2026-10-24 15:00", 4 * time.Hour, "2026-10-26 12:00"},
		"OverHoliday":     {"2026-11-25 15:00", 4 * time.Hour, "2026-11-27 10:00"},
		"ClocksGoBack":    {"2026-10-30 16:00", 2 * time.Hour, "2026-11-02 09:00"},
		"ClocksGoForward": {"2027-03-12 16:00", 2 * time.Hour, "2027-03-15 09:00"},
		"OneDay":          {"2026-11-24 10:00", mobile.BusinessDay, "2026-11-25 10:00"},
		"FourDays":        {"2026-10-22 10:00", 4 * mobile.BusinessDay, "2026-10-28 10:00"},
		"Nothing/Within":  {"2026-11-24 10:00", 0, "2026-11-24 10:00"},
		"Nothing/Outside": {"2026-11-24 18:00", 0, "2026-11-25 08:00"},
		"Negative":        {"2026-11-24 10:00", -time.Hour, "2026-11-24 10:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := mobile.AddBusinessHours(clock(t, chicago, c.start), c.add, chicago)

			if shown(got, chicago) != c.want {
				t.Errorf("got %s, want %s", shown(got, chicago), c.want)
			}
		})
	}
}

func TestAddBusinessDays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start string
		days  int
		want  string
	}{
		"Next":           {"2026-11-24 10:15", 1, "2026-11-25 10:15"},
		"OverWeekend":    {"2026-10-23 10:15", 1, "2026-10-26 10:15"},
		"Four":           {"2026-10-22 08:00", 4, "2026-10-28 08:00"},
		"OverHoliday":    {"2026-11-24 16:00", 2, "2026-11-27 16:00"},
		"ClocksGoBack":   {"2026-10-30 09:00", 1, "2026-11-02 09:00"},
		"FromSunday":     {"2026-10-25 12:00", 1, "2026-10-27 08:00"},
		"None/Within":    {"2026-11-24 10:15", 0, "2026-11-24 10:15"},
		"None/AtTheEnd":  {"2026-11-24 17:00", 0, "2026-11-25 08:00"},
		"Negative":       {"2026-11-24 10:15", -3, "2026-11-24 10:15"},
		"ChristmasToNew": {"2026-12-24 09:00", 5, "2027-01-04 09:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := mobile.AddBusinessDays(clock(t, chicago, c.start), c.days, chicago)

			if shown(got, chicago) != c.want {
				t.Errorf("got %s, want %s", shown(got, chicago), c.want)
			}
		})
	}
}

// aZone and aMoment are what the properties are tried on: every zone, in every hour of some years.
var (
	aZone = rapid.Map(rapid.SampledFrom([]mobile.ZIP{"10001", "60601", "80202", "85001", "90012", "99501", "96813", "00901", "96910", "96799"}), mobile.ZoneOfZIP)

	aMoment = rapid.Map(rapid.Int64Range(0, 6*366*24*60), func(minutes int64) time.Time {
		return time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
	})
)

// someHours are whole minutes up to five business days.
var someHours = rapid.Map(rapid.IntRange(0, 5*9*60), func(n int) time.Duration { return time.Duration(n) * time.Minute })

// What was added is what a clerk counts who marks each minute at work.
func TestAddBusinessHours_CountsMinutesAtWork(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, start, add := aZone.Draw(t, "zone"), aMoment.Draw(t, "start"), someHours.Draw(t, "add")

		end := mobile.AddBusinessHours(start, add, zone)

		worked := time.Duration(0)
		for at := start; at.Before(end); at = at.Add(time.Minute) {
			if mobile.InBusinessHours(at, zone) {
				worked += time.Minute
			}
		}
		if end.Before(start) || worked != add {
			t.Fatalf("%s until %s are %s", start, end, worked)
		}
		if last := end.Add(-time.Minute); add > 0 && !mobile.InBusinessHours(last, zone) {
			t.Fatalf("%s ends beyond business hours", end)
		}
	})
}

func TestAddBusinessHours_IsMonotoneAndAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, start, a, b := aZone.Draw(t, "zone"), aMoment.Draw(t, "start"), someHours.Draw(t, "a"), someHours.Draw(t, "b")+time.Minute
		later := start.Add(rapid.Map(rapid.IntRange(0, 10_000), func(n int) time.Duration { return time.Duration(n) * time.Minute }).Draw(t, "later"))

		end := mobile.AddBusinessHours(start, a, zone)

		if after := mobile.AddBusinessHours(later, a, zone); after.Before(end) {
			t.Fatalf("a later start ends at %s, before %s", after, end)
		}
		once, twice := mobile.AddBusinessHours(start, a+b, zone), mobile.AddBusinessHours(end, b, zone)
		if !once.After(end) || !once.Equal(twice) {
			t.Fatalf("%s at once and %s in two", once, twice)
		}
	})
}

func TestAddBusinessDays_KeepsTheTimeOfDay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, start, days := aZone.Draw(t, "zone"), aMoment.Draw(t, "start"), rapid.IntRange(0, 15).Draw(t, "days")
		opening := mobile.NextBusinessOpening(start, zone)

		end := mobile.AddBusinessDays(start, days, zone)

		if !mobile.InBusinessHours(end, zone) || opening.In(zone).Format("15:04") != end.In(zone).Format("15:04") {
			t.Fatalf("%s and %s", opening.In(zone), end.In(zone))
		}
		if hours := mobile.AddBusinessHours(opening, time.Duration(days)*mobile.BusinessDay+time.Minute, zone); !hours.Equal(end.Add(time.Minute)) {
			t.Fatalf("%s by days, %s by hours", end, hours)
		}
	})
}

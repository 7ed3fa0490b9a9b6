package mobile_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dialtone/dialtone/internal/mobile"
)

// shortClock is a clock as tests of other rooms have it.
func shortClock() mobile.PortClock {
	return mobile.PortClock{
		Always:           true,
		PollFirst:        time.Second,
		PollFirstFor:     3 * time.Second,
		PollThen:         2 * time.Second,
		PollWired:        4 * time.Second,
		SilentWireless:   5 * time.Second,
		ExpectedLandline: 6 * time.Second,
		ExpectedVoIP:     7 * time.Second,
		SilentMost:       30 * time.Second,
		LateWireless:     8 * time.Second,
		LateWired:        9 * time.Second,
		CancelSilent:     10 * time.Second,
	}
}

func TestPortClock_PollAfter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		submitted, now string
		numberType     mobile.NumberType
		want           string
	}{
		"Wireless/AtOnce":         {"2026-11-24 10:00", "2026-11-24 10:00", mobile.NumberWireless, "2026-11-24 10:05"},
		"Wireless/ClockBehind":    {"2026-11-24 10:00", "2026-11-24 09:59", mobile.NumberWireless, "2026-11-24 10:04"},
		"Wireless/FirstHours":     {"2026-11-24 10:00", "2026-11-24 12:59", mobile.NumberWireless, "2026-11-24 13:04"},
		"Wireless/Afterwards":     {"2026-11-24 10:00", "2026-11-24 13:00", mobile.NumberWireless, "2026-11-24 13:30"},
		"Wireless/SaturdayNight":  {"2026-11-28 23:00", "2026-11-28 23:00", mobile.NumberWireless, "2026-11-28 23:05"},
		"Unknown/LikeWireless":    {"2026-11-24 10:00", "2026-11-24 10:00", "", "2026-11-24 10:05"},
		"Landline/Hourly":         {"2026-11-24 10:00", "2026-11-24 10:00", mobile.NumberLandline, "2026-11-24 11:00"},
		"VoIP/Hourly":             {"2026-11-24 10:00", "2026-11-24 12:15", mobile.NumberVoIP, "2026-11-24 13:15"},
		"Landline/LastHour":       {"2026-11-24 10:00", "2026-11-24 16:30", mobile.NumberLandline, "2026-11-25 08:00"},
		"Landline/BeforeOpening":  {"2026-11-24 07:30", "2026-11-24 07:30", mobile.NumberLandline, "2026-11-24 08:30"},
		"Landline/FridayEvening":  {"2026-10-23 10:00", "2026-10-23 18:00", mobile.NumberLandline, "2026-10-26 08:00"},
		"Landline/LaborDay":       {"2026-09-03 10:00", "2026-09-04 16:59", mobile.NumberLandline, "2026-09-08 08:00"},
		"VoIP/ClocksGoBack":       {"2026-10-30 10:00", "2026-10-30 17:00", mobile.NumberVoIP, "2026-11-02 08:00"},
		"Landline/OnThanksgiving": {"2026-11-24 10:00", "2026-11-26 10:00", mobile.NumberLandline, "2026-11-27 08:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := clock(t, chicago, c.now)

			got := mobile.DefaultPortClock().PollAfter(clock(t, chicago, c.submitted), now, c.numberType, chicago)

			if next := shown(now.Add(got), chicago); next != c.want {
				t.Errorf("got %s (%s), want %s", next, got, c.want)
			}
		})
	}
}

func TestPortClock_SilentAt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		submitted  string
		numberType mobile.NumberType
		due        string
		want       string
	}{
		"Wireless":              {"2026-11-24 10:00", mobile.NumberWireless, "", "2026-11-24 14:00"},
		"Wireless/Evening":      {"2026-11-24 21:00", mobile.NumberWireless, "", "2026-11-25 12:00"},
		"Wireless/Weekend":      {"2026-10-24 10:00", mobile.NumberWireless, "", "2026-10-26 12:00"},
		"Wireless/DateOrNot":    {"2026-11-24 10:00", mobile.NumberWireless, "2026-11-30 10:00", "2026-11-24 14:00"},
		"Unknown/LikeWireless":  {"2026-11-24 10:00", "", "", "2026-11-24 14:00"},
		"Landline":              {"2026-10-19 10:00", mobile.NumberLandline, "", "2026-10-24 10:00"},
		"Landline/OverWeekend":  {"2026-10-22 10:00", mobile.NumberLandline, "", "2026-10-29 10:00"},
		"Landline/Date":         {"2026-10-19 10:00", mobile.NumberLandline, "2026-10-28 00:00", "2026-10-29 00:00"},
		"Landline/DateOfBefore": {"2026-10-19 10:00", mobile.NumberLandline, "2026-10-18 00:00", "2026-10-24 10:00"},
		"Landline/DateFarAway":  {"2026-10-05 10:00", mobile.NumberLandline, "2026-10-29 00:00", "2026-10-19 10:00"},
		"VoIP":                  {"2026-10-19 10:00", mobile.NumberVoIP, "", "2026-10-29 10:00"},
		"VoIP/Date":             {"2026-10-19 10:00", mobile.NumberVoIP, "2026-10-21 10:00", "2026-10-22 10:00"},
		"VoIP/Holidays":         {"2026-12-23 18:00", mobile.NumberVoIP, "", "2027-01-06 17:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			due := time.Time{}
			if c.due != "" {
				due = clock(t, chicago, c.due)
			}

			got := mobile.DefaultPortClock().SilentAt(clock(t, chicago, c.submitted), c.numberType, due, chicago)

			if shown(got, chicago) != c.want || got.Location() != time.UTC {
				t.Errorf("got %s (%s), want %s", shown(got, chicago), got.Location(), c.want)
			}
		})
	}
}

func TestPortClock_OverdueAt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		due        string
		numberType mobile.NumberType
		want       string
	}{
		"Wireless":             {"2026-11-24 10:00", mobile.NumberWireless, "2026-11-24 14:00"},
		"Wireless/FridayNight": {"2026-10-23 23:00", mobile.NumberWireless, "2026-10-26 12:00"},
		"Unknown/LikeWireless": {"2026-11-24 10:00", "", "2026-11-24 14:00"},
		"Landline":             {"2026-11-24 00:00", mobile.NumberLandline, "2026-11-25 00:00"},
		"Landline/Friday":      {"2026-10-23 12:00", mobile.NumberLandline, "2026-10-24 12:00"},
		"VoIP":                 {"2026-11-24 08:00", mobile.NumberVoIP, "2026-11-25 08:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := mobile.DefaultPortClock().OverdueAt(clock(t, chicago, c.due), c.numberType, chicago)

			if shown(got, chicago) != c.want || got.Location() != time.UTC {
				t.Errorf("got %s (%s), want %s", shown(got, chicago), got.Location(), c.want)
			}
		})
	}
}

func TestPortClock_CancelSilentAt(t *testing.T) {
	t.Parallel()
	asked := clock(t, chicago, "2026-10-30 10:00")

	if got := mobile.DefaultPortClock().CancelSilentAt(asked); got.Sub(asked) != 48*time.Hour {
		t.Errorf("got %s", got)
	}
}

// A clock of a test runs at night and on holidays.
func TestPortClock_Always(t *testing.T) {
	t.Parallel()
	at := clock(t, chicago, "2026-12-25 03:00")
	c := shortClock()

	for name, got := range map[string]struct{ is, want time.Duration }{
		"PollAfter/First":    {c.PollAfter(at, at, mobile.NumberWireless, chicago), time.Second},
		"PollAfter/Then":     {c.PollAfter(at, at.Add(3*time.Second), mobile.NumberWireless, chicago), 2 * time.Second},
		"PollAfter/Landline": {c.PollAfter(at, at, mobile.NumberLandline, chicago), 4 * time.Second},
		"SilentAt/Wireless":  {c.SilentAt(at, mobile.NumberWireless, time.Time{}, chicago).Sub(at), 5 * time.Second},
		"SilentAt/Landline":  {c.SilentAt(at, mobile.NumberLandline, time.Time{}, chicago).Sub(at), 15 * time.Second},
		"SilentAt/VoIP":      {c.SilentAt(at, mobile.NumberVoIP, time.Time{}, chicago).Sub(at), 16 * time.Second},
		"SilentAt/Most":      {c.SilentAt(at, mobile.NumberVoIP, at.Add(time.Hour), chicago).Sub(at), 30 * time.Second},
		"OverdueAt/Wireless": {c.OverdueAt(at, mobile.NumberWireless, chicago).Sub(at), 8 * time.Second},
		"OverdueAt/Landline": {c.OverdueAt(at, mobile.NumberLandline, chicago).Sub(at), 9 * time.Second},
		"CancelSilentAt":     {c.CancelSilentAt(at).Sub(at), 10 * time.Second},
	} {
		if got.is != got.want {
			t.Errorf("%s: got %s, want %s", name, got.is, got.want)
		}
	}
}

// However a port stands, it is looked at within a weekend and a holiday, and somebody is asked
// after it was submitted and within 14 days.
func TestPortClock_NothingWaitsForEver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, submitted := aZone.Draw(t, "zone"), aMoment.Draw(t, "submitted")
		numberType := rapid.SampledFrom([]mobile.NumberType{"", mobile.NumberWireless, mobile.NumberLandline, mobile.NumberVoIP}).Draw(t, "type")
		now := submitted.Add(time.Duration(rapid.IntRange(0, 14*24*60).Draw(t, "minutes")) * time.Minute)
		due := rapid.SampledFrom([]time.Time{{}, submitted.Add(-time.Hour), now, now.Add(14 * 24 * time.Hour)}).Draw(t, "due")
		c := mobile.DefaultPortClock()

		if wait := c.PollAfter(submitted, now, numberType, zone); wait < 5*time.Minute || wait > 4*24*time.Hour {
			t.Fatalf("the next look is in %s", wait)
		}
		if silent := c.SilentAt(submitted, numberType, due, zone).Sub(submitted); silent < 4*time.Hour || silent > 14*24*time.Hour {
			t.Fatalf("an operator is asked after %s", silent)
		}
		if overdue := c.OverdueAt(now, numberType, zone).Sub(now); overdue < 4*time.Hour || overdue > 5*24*time.Hour {
			t.Fatalf("an operator is asked %s after the due time", overdue)
		}
	})
}

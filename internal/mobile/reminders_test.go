package mobile_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dialtone/dialtone/internal/mobile"
)

func TestWindow_Next(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ at, want string }{
		"Within":          {"2026-11-24 12:34", "2026-11-24 12:34"},
		"AtTheStart":      {"2026-11-24 09:00", "2026-11-24 09:00"},
		"AtTheEnd":        {"2026-11-24 19:00", "2026-11-25 09:00"},
		"Night":           {"2026-11-24 03:00", "2026-11-24 09:00"},
		"Evening":         {"2026-11-24 20:00", "2026-11-25 09:00"},
		"Weekend":         {"2026-11-28 10:00", "2026-11-28 10:00"},
		"ClocksGoBack":    {"2026-11-01 00:30", "2026-11-01 09:00"},
		"ClocksGoForward": {"2027-03-13 22:00", "2027-03-14 09:00"},
		"LastOfTheYear":   {"2026-12-31 23:00", "2027-01-01 09:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := clock(t, chicago, c.at)

			got := mobile.ReminderWindow().Next(at, chicago)

			if shown(got, chicago) != c.want || got.Location() != time.UTC {
				t.Errorf("got %s (%s), want %s", shown(got, chicago), got.Location(), c.want)
			}
			if always := (mobile.Window{}).Next(at, chicago); !always.Equal(at) {
				t.Errorf("the whole day moved %s to %s", at, always)
			}
		})
	}
}

func TestReminderAt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opened string
		want   []string
	}{
		"ByDay": {"2026-11-02 12:00", []string{
			"2026-11-03 12:00", "2026-11-05 12:00", "2026-11-09 12:00", "2026-11-16 12:00", "2026-11-30 12:00",
		}},
		"ByNight": {"2026-11-02 03:00", []string{
			"2026-11-03 09:00", "2026-11-05 09:00", "2026-11-09 09:00", "2026-11-16 09:00", "2026-11-30 09:00",
		}},
		"Evening": {"2026-11-02 20:00", []string{
			"2026-11-04 09:00", "2026-11-06 09:00", "2026-11-10 09:00", "2026-11-17 09:00", "2026-12-01 09:00",
		}},
		// Days are 24 hours, so that an hour is lost or won when the clocks change.
		"ClocksGoBack": {"2026-10-31 12:00", []string{
			"2026-11-01 11:00", "2026-11-03 11:00", "2026-11-07 11:00", "2026-11-14 11:00", "2026-11-28 11:00",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opened := clock(t, chicago, c.opened)
			for sent, want := range c.want {
				got, ok := mobile.ReminderAt(opened, sent, mobile.ReminderOffsets(), opened.Add(30*24*time.Hour), mobile.ReminderWindow(), chicago)

				if !ok || shown(got, chicago) != want {
					t.Errorf("after %d: got %s (%v), want %s", sent, shown(got, chicago), ok, want)
				}
			}
			if at, ok := mobile.ReminderAt(opened, len(c.want), mobile.ReminderOffsets(), opened.Add(30*24*time.Hour), mobile.ReminderWindow(), chicago); ok {
				t.Errorf("one too many, at %s", at)
			}
		})
	}
}

func TestReminderAt_NeverAtOrAfterTheDeadline(t *testing.T) {
	t.Parallel()
	opened := clock(t, chicago, "2026-11-24 03:00")
	after := []time.Duration{24 * time.Hour}
	nine := clock(t, chicago, "2026-11-25 09:00")

	if at, ok := mobile.ReminderAt(opened, 0, after, nine, mobile.ReminderWindow(), chicago); ok || !at.IsZero() {
		t.Errorf("reminded at %s, of a deadline at %s", at, nine)
	}
	if at, ok := mobile.ReminderAt(opened, 0, after, nine.Add(time.Second), mobile.ReminderWindow(), chicago); !ok || !at.Equal(nine) {
		t.Errorf("not reminded before the deadline: %s, %v", at, ok)
	}
}

func TestReminderAt_ShortOffsetsInATest(t *testing.T) {
	t.Parallel()
	opened := clock(t, chicago, "2026-11-24 03:00")
	after := []time.Duration{time.Second, 2 * time.Second}

	for sent, offset := range after {
		if at, ok := mobile.ReminderAt(opened, sent, after, opened.Add(time.Minute), mobile.Window{}, chicago); !ok || !at.Equal(opened.Add(offset)) {
			t.Errorf("after %d: %s, %v", sent, at, ok)
		}
	}
	for _, sent := range []int{-1, 2, 3} {
		if at, ok := mobile.ReminderAt(opened, sent, after, opened.Add(time.Minute), mobile.Window{}, chicago); ok {
			t.Errorf("after %d: %s", sent, at)
		}
	}
}

// Reminders come in order, each by daylight, at most a night late and in time.
func TestReminderAt_Holds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, opened := aZone.Draw(t, "zone"), aMoment.Draw(t, "opened")
		deadline := opened.Add(time.Duration(rapid.IntRange(1, 30*24).Draw(t, "hours")) * time.Hour)
		after := mobile.ReminderOffsets()

		before := opened
		for sent, offset := range after {
			at, ok := mobile.ReminderAt(opened, sent, after, deadline, mobile.ReminderWindow(), zone)
			if !ok {
				if due := opened.Add(offset); due.Add(15 * time.Hour).Before(deadline) {
					t.Fatalf("no reminder %d, due at %s", sent, due)
				}
				continue
			}
			if hour := at.In(zone).Hour(); hour < 9 || hour >= 19 {
				t.Fatalf("reminder %d at %s", sent, at.In(zone))
			}
			if wait := at.Sub(opened.Add(offset)); wait < 0 || wait > 15*time.Hour {
				t.Fatalf("reminder %d goes out %s after it was due", sent, wait)
			}
			if !at.After(before) || !at.Before(deadline) {
				t.Fatalf("reminder %d at %s, after one at %s, with a deadline at %s", sent, at, before, deadline)
			}
			before = at
		}
	})
}

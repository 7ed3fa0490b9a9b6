package mobile

import "time"

// PortClock is how often a port is looked at, and how long it may take before an operator is
// asked. The zone that its methods take is that of the number. Their results are in UTC.
type PortClock struct {
	// Always takes every hour for a business hour. It is for tests, whose durations are short.
	Always bool

	// PollFirst is the wait between two looks at a wireless port in its first PollFirstFor since
	// the submission, and PollThen the wait afterwards: also at night, for wireless ports complete
	// around the clock.
	PollFirst, PollFirstFor, PollThen time.Duration
	// PollWired is the same for a landline or a VoIP number, from the start and in business hours.
	PollWired time.Duration

	// SilentWireless, in business hours, is how long a donor may be silent about a wireless port.
	SilentWireless time.Duration
	// ExpectedLandline and ExpectedVoIP, in business hours, are how long such a port takes as long
	// as it has no date.
	ExpectedLandline, ExpectedVoIP time.Duration
	// SilentMost is how long a port of any type may be unanswered.
	SilentMost time.Duration

	// LateWireless, in business hours, and LateWired are how long after its due time a number may
	// move.
	LateWireless, LateWired time.Duration

	// CancelSilent is how long a cancel may be unanswered.
	CancelSilent time.Duration
}

// DefaultPortClock is what ports live by. SilentWireless leaves the 2½ hours in which wireless
// carriers agreed to port (FCC 03-237, part D) some room; ExpectedLandline is the four
// business days of a port that is not simple (47 CFR 52.35(d)), for nobody tells us which are; the
// seven business days of a VoIP number and the 48 hours of a cancel are what carriers say (domain
// §2.6); the rest is ours (design §8).
func DefaultPortClock() PortClock {
	return PortClock{
		PollFirst:        5 * time.Minute,
		PollFirstFor:     3 * time.Hour,
		PollThen:         30 * time.Minute,
		PollWired:        time.Hour,
		SilentWireless:   4 * time.Hour,
		ExpectedLandline: 4 * BusinessDay,
		ExpectedVoIP:     7 * BusinessDay,
		SilentMost:       14 * 24 * time.Hour,
		LateWireless:     4 * time.Hour,
		LateWired:        24 * time.Hour,
		CancelSilent:     48 * time.Hour,
	}
}

// PollAfter gives the wait until the next look at a port. Outside business hours a landline or a
// VoIP number waits for the opening, which is at most a weekend and a holiday away.
func (c PortClock) PollAfter(submitted, now time.Time, t NumberType, zone *time.Location) time.Duration {
	switch {
	case t.wired() && c.Always:
		return c.PollWired
	case t.wired():
		return NextBusinessOpening(now.Add(c.PollWired), zone).Sub(now)
	case now.Sub(submitted) < c.PollFirstFor:
		return c.PollFirst
	}
	return c.PollThen
}

// SilentAt gives the moment at which an operator is asked, should the donor not have answered by
// then. A landline or a VoIP number waits for its date and LateWired; without a date, or with one
// from before the submission, for the date to be expected. A wireless port has no date to wait
// for: its donor answers at once.
func (c PortClock) SilentAt(submitted time.Time, t NumberType, due time.Time, zone *time.Location) time.Time {
	at := c.add(submitted, c.SilentWireless, zone)
	if t.wired() {
		if !due.After(submitted) {
			due = c.expected(submitted, t, zone)
		}
		at = due.Add(c.LateWired)
	}
	if most := submitted.Add(c.SilentMost); at.After(most) {
		at = most
	}
	return at.UTC()
}

// expected gives the moment by which a landline's or a VoIP number's port should be done.
func (c PortClock) expected(submitted time.Time, t NumberType, zone *time.Location) time.Time {
	if t == NumberVoIP {
		return c.add(submitted, c.ExpectedVoIP, zone)
	}
	return c.add(submitted, c.ExpectedLandline, zone)
}

// CancelSilentAt gives the moment at which an operator is asked about a cancel that nobody has
// answered.
func (c PortClock) CancelSilentAt(asked time.Time) time.Time { return asked.Add(c.CancelSilent).UTC() }

// OverdueAt gives the moment at which an operator is asked about a confirmed port, should the
// number not have moved by then. A landline may move at any time of its date.
func (c PortClock) OverdueAt(due time.Time, t NumberType, zone *time.Location) time.Time {
	if t.wired() {
		return due.Add(c.LateWired).UTC()
	}
	return c.add(due, c.LateWireless, zone)
}

// add counts business hours, or all of them.
func (c PortClock) add(start time.Time, d time.Duration, zone *time.Location) time.Time {
	if c.Always {
		return start.Add(d).UTC()
	}
	return AddBusinessHours(start, d, zone)
}

// wired tells whether a port of this type takes days. A type that is not known yet counts as
// wireless, which most are: an operator who is asked too early loses a minute, a customer who is
// left without a line for days loses more.
func (t NumberType) wired() bool { return t == NumberLandline || t == NumberVoIP }

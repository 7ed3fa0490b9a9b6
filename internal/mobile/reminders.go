package mobile

import "time"

// Window is a part of every day, from one time of day until before another one, both in
// whole seconds since midnight by the clock; From is the earlier one. The zero window is the whole day.
type Window struct {
	From, To time.Duration
}

// ReminderWindow is when people are reminded: from 9 until before 19 h (design §8).
func ReminderWindow() Window { return Window{From: 9 * time.Hour, To: 19 * time.Hour} }

// ReminderOffsets are the times since a prompt opened after which its customer is reminded
// (design §8): 1, 3, 7, 14 and 28 days. A prompt has 30 days.
func ReminderOffsets() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{1 * day, 3 * day, 7 * day, 14 * day, 28 * day}
}

// Next gives t when it lies in the window in a zone, and otherwise the next moment at which the
// window begins. It is in UTC.
func (w Window) Next(t time.Time, zone *time.Location) time.Time {
	from := onClock(t, 0, w.From, zone)
	switch {
	case w == Window{}:
	case t.Before(from):
		t = from
	case !t.Before(onClock(t, 0, w.To, zone)):
		t = onClock(t, 1, w.From, zone)
	}
	return t.UTC()
}

// ReminderAt tells when the next reminder of a prompt goes out, of which so many were sent, and
// false when none is left: all were sent, or it would go out at the deadline or later. The zone
// is that of the customer's ZIP code. It is in UTC, and may have passed.
func ReminderAt(opened time.Time, sent int, after []time.Duration, deadline time.Time, window Window, zone *time.Location) (time.Time, bool) {
	if sent < 0 || sent >= len(after) {
		return time.Time{}, false
	}
	at := window.Next(opened.Add(after[sent]), zone)
	if !at.Before(deadline) {
		return time.Time{}, false
	}
	return at, true
}

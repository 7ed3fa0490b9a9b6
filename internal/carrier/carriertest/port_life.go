package carriertest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// This file is what happens to a port after it was ordered. Each function takes the port and
// the time of what happens, and writes it down.

// goOn lets the next step of a port happen.
func (s *Server) goOn(externalID string, at time.Time) error {
	p := s.state.ports[externalID]
	switch story := storyOf(p.Number); p.Next.Do {
	case moves:
		if story.revoked && s.state.spent[p.trial()] == 0 {
			return s.refusePort(p, at, &donorDueDate, true)
		}
		return s.completePort(p, at)
	case withdraw:
		if story.movesAnyway {
			return s.completePort(p, at)
		}
		return s.endPort(p, at)
	default:
		return s.answerPort(p, at)
	}
}

// answerPort is the donor's answer to an order or a supplement.
func (s *Server) answerPort(p port, at time.Time) error {
	if no := s.takeRule(p.Number, false); no != nil {
		return s.refusePort(p, at, no, false)
	}
	story := storyOf(p.Number)
	if no := story.refusal(s.state.spent[p.trial()]); no != nil && !story.atOrder {
		return s.refusePort(p, at, no, true)
	}
	switch {
	case story.delayed && p.State != delayed:
		return s.delayPort(p, at, &donorDelay, &portStep{At: at.Add(s.movesAfter()), Do: answers})
	case story.unconfirmed:
		return s.completePort(p, at)
	default:
		return s.confirmPort(p, at, s.dueOf(p, at))
	}
}

// dueOf says when the number of a port moves that is confirmed now.
func (s *Server) dueOf(p port, at time.Time) time.Time {
	due := at.Add(s.movesAfter())
	if storyOf(p.Number).businessDay {
		due = nextBusinessDay(at)
	}
	if p.Wish.After(due) {
		due = p.Wish
	}
	return due.UTC()
}

// nextBusinessDay is the next Monday to Friday after that day, in the American morning.
func nextBusinessDay(at time.Time) time.Time {
	at = at.UTC()
	day := time.Date(at.Year(), at.Month(), at.Day()+1, 15, 0, 0, 0, time.UTC)
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// turned is the port in another state, with nothing left of the one before. It begins later
// than that, also where the clock stands still.
func (p port) turned(state string, at time.Time) port {
	if earliest := p.StateSince.Add(time.Millisecond); at.Before(earliest) {
		at = earliest
	}
	p.State, p.StateSince, p.Reason, p.Next = state, at.UTC(), nil, nil
	return p
}

func (s *Server) delayPort(p port, at time.Time, why *problem, next *portStep) error {
	p = p.turned(delayed, at)
	p.Reason, p.Next = why, next
	return s.commitPort(ActPortDelayed, "", at, s.tellingPort("port.delayed", portChange{Port: p}))
}

func (s *Server) confirmPort(p port, at, due time.Time) error {
	p = p.turned(confirmed, at)
	p.DueAt, p.Next = due, &portStep{At: due, Do: moves}
	return s.commitPort(ActPortConfirmed, "", at, s.tellingPort("port.confirmed", portChange{Port: p}))
}

func (s *Server) refusePort(p port, at time.Time, why *problem, spent bool) error {
	p = p.turned(refused, at)
	p.DueAt, p.Reason = time.Time{}, why
	return s.commitPort(ActPortRefused, "", at, s.tellingPort("port.refused", portChange{Port: p, Spent: spent}))
}

// endPort lets the cancel of a port take hold.
func (s *Server) endPort(p port, at time.Time) error {
	p = p.turned(cancelled, at)
	p.DueAt = time.Time{}
	return s.commitPort(ActPortCancelled, "", at, s.tellingPort("port.cancelled", portChange{Port: p}))
}

// completePort moves the number: from now on there is a line.
func (s *Server) completePort(p port, at time.Time) error {
	p = p.turned(completed, at)
	l := line{
		shownLine: shownLine{
			ExternalID: p.LineExternalID, LineID: fmt.Sprintf("ln_%06d", s.state.count+1),
			State: active, Number: p.Number, ICCID: p.ICCID,
		},
		IMEI: p.IMEI, ZIPCode: p.ZIPCode, Plan: p.Plan, CustomerName: p.CustomerName,
	}
	if before := s.state.lines[p.LineExternalID]; before.live() {
		l.LineID = before.LineID
	}
	return s.commitPort(ActPortCompleted, "", at, s.tellingPort("port.completed", portChange{Port: p, Line: &l}))
}

// tellingPort adds the event that tells of the change, and says how it goes out.
func (s *Server) tellingPort(kind string, c portChange) portChange {
	story, shown := storyOf(c.Port.Number), c.Port.shownPort
	if story.otherICCID && kind == "port.completed" {
		shown.ICCID = another(shown.ICCID)
	}
	c.EventID = fmt.Sprintf("evt_%06d", s.state.told+1)
	text, err := json.Marshal(shownEvent{
		ID: c.EventID, Type: kind, ExternalID: shown.ExternalID, CreatedAt: shown.StateSince, Port: &shown,
	})
	if err != nil {
		panic(fmt.Sprintf("carriertest: an event has no JSON form: %v", err))
	}
	told := letter{ID: c.EventID, Body: string(text)}
	switch {
	case story.unsaid && kind == "port.completed":
	case !story.disorder:
		c.Letters = []letter{told}
	case c.Port.Next != nil:
		c.Port.Held = append(slices.Clone(c.Port.Held), told)
	default:
		c.Letters, c.Port.Held = disorder(append(slices.Clone(c.Port.Held), told)), nil
	}
	return c
}

// another is an ICCID that is not this one.
func another(iccid string) string {
	last := len(iccid) - 1
	return iccid[:last] + string('0'+(iccid[last]-'0'+1)%10)
}

// disorder gives three copies of each letter, the last letter first.
func disorder(letters []letter) []letter {
	var all []letter
	for _, l := range slices.Backward(letters) {
		all = append(all, l, letter{ID: l.ID + "/2", Body: l.Body}, letter{ID: l.ID + "/3", Body: l.Body})
	}
	return all
}

package carriertest

import (
	"fmt"
	"time"

	"github.com/dialtone/dialtone/internal/partnertest"
)

// The acts in the journal.
const (
	ActDeviceCheck    = "device_check"
	ActActivateLine   = "activate_line"
	ActLineActive     = "line_active"
	ActLineFailed     = "line_failed"
	ActChangeSIM      = "change_sim"
	ActDeactivateLine = "deactivate_line"
	ActRefused        = "refused"
)

// The states of a line.
const (
	pending     = "PENDING"
	active      = "ACTIVE"
	failed      = "FAILED"
	deactivated = "DEACTIVATED"
)

// line is all that is known of a line.
type line struct {
	shownLine

	IMEI         string `json:"imei"`
	ZIPCode      string `json:"zip_code"`
	Plan         string `json:"plan"`
	CustomerName string `json:"customer_name"`
	Fate         *fate  `json:"fate,omitempty"` // while pending
}

func (l line) live() bool { return l.State == pending || l.State == active }

// shownLine is a line as the API shows it.
type shownLine struct {
	ExternalID string   `json:"external_id"`
	LineID     string   `json:"line_id"`
	State      string   `json:"state"`
	Number     string   `json:"number,omitempty"`
	ICCID      string   `json:"iccid"`
	Failure    *problem `json:"failure,omitempty"`
}

// change is one step of the state: what the journal holds of an act. Live and replayed
// changes go through state.apply alike.
type change struct {
	// Line is the line as it is afterwards.
	Line line `json:"line"`
	// Request and Status are what the idempotency key stands for.
	Request string `json:"request,omitempty"`
	Status  int    `json:"status,omitempty"`
	// Event is what is told of it, and EventID its name.
	EventID string `json:"event_id,omitempty"`
	Event   string `json:"event,omitempty"`
}

// kept is the answer to an idempotency key.
type kept struct {
	request string
	status  int
	line    shownLine
}

// state is what the pretend carrier knows.
type state struct {
	lines   map[string]line   // by external id
	iccids  map[string]string // ICCID of a live line → its external id
	numbers map[string]bool   // all that were ever allotted
	keys    map[string]kept
	count   int // lines ever made
	told    int // events ever made
}

func newState() state {
	return state{
		lines: make(map[string]line), iccids: make(map[string]string),
		numbers: make(map[string]bool), keys: make(map[string]kept),
	}
}

func (s *state) apply(key string, c change) {
	before, known := s.lines[c.Line.ExternalID]
	if !known || before.LineID != c.Line.LineID {
		s.count++
	}
	if s.iccids[before.ICCID] == c.Line.ExternalID {
		delete(s.iccids, before.ICCID)
	}
	if c.Line.live() {
		s.iccids[c.Line.ICCID] = c.Line.ExternalID
	}
	if c.Line.Number != "" {
		s.numbers[c.Line.Number] = true
	}
	if c.EventID != "" {
		s.told++
	}
	if key != "" {
		s.keys[key] = kept{request: c.Request, status: c.Status, line: c.Line.shownLine}
	}
	s.lines[c.Line.ExternalID] = c.Line
}

// replay rebuilds the state and takes up what was unfinished.
func (s *Server) replay() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.config.Journal.Entries() {
		switch e.Act {
		case ActActivateLine, ActLineActive, ActLineFailed, ActChangeSIM, ActDeactivateLine:
		default:
			continue
		}
		var c change
		if err := e.Into(&c); err != nil {
			return fmt.Errorf("rebuild the pretend carrier: %w", err)
		}
		s.follow(e.Key, c)
	}
	return nil
}

// commit writes a change down and then makes it so.
func (s *Server) commit(act, key string, c change) error {
	_, err := s.config.Journal.Append(partnertest.Entry{
		At: s.now(), Partner: Partner, Act: act, Key: key, Reference: c.Line.ExternalID, Data: partnertest.Facts(c),
	})
	if err != nil {
		return err
	}
	s.follow(key, c)
	return nil
}

// follow applies a change and sets off what comes of it: its event, and a pending line's
// fate.
func (s *Server) follow(key string, c change) {
	s.state.apply(key, c)
	if timer := s.timers[c.Line.LineID]; timer != nil {
		timer.Stop()
		delete(s.timers, c.Line.LineID)
	}
	if c.Line.State == pending && c.Line.Fate != nil && !s.closed {
		s.timers[c.Line.LineID] = time.AfterFunc(c.Line.Fate.Due.Sub(s.now()), func() { s.meetFate(c.Line) })
	}
	if c.EventID != "" {
		s.courier.Deliver(partnertest.Parcel{ID: c.EventID, Reference: c.Line.ExternalID, Body: []byte(c.Event)})
	}
}

// meetFate brings a pending line up, or lets it fail.
func (s *Server) meetFate(l line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if current := s.state.lines[l.ExternalID]; s.closed || current.LineID != l.LineID || current.State != pending {
		return
	}
	destiny := *l.Fate
	l.Fate = nil
	act, kind := ActLineActive, "line.active"
	if number := allot(l.ZIPCode, s.state.numbers); destiny.Fails == "" && number != "" {
		l.State, l.Number = active, number
	} else {
		act, kind = ActLineFailed, "line.failed"
		code := destiny.Fails
		if code == "" {
			code = "NUMBERS_EXHAUSTED"
		}
		l.State, l.Failure = failed, &problem{Code: code, Message: messages[code]}
	}
	c := change{Line: l}
	if !destiny.Silent {
		c = s.telling(kind, c)
	}
	// A journal that cannot be written leaves the line pending until the next start.
	_ = s.commit(act, "", c)
}

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
	ActClock          = "clock"

	ActPortabilityCheck = "portability_check"
	ActSubmitPort       = "submit_port"
	ActSupplementPort   = "supplement_port"
	ActCancelPort       = "cancel_port"
	ActPortDelayed      = "port_delayed"
	ActPortConfirmed    = "port_confirmed"
	ActPortRefused      = "port_refused"
	ActPortCompleted    = "port_completed"
	ActPortCancelled    = "port_cancelled"
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
	body    any
}

// state is what the pretend carrier knows.
type state struct {
	lines   map[string]line   // by external id
	iccids  map[string]string // ICCID of a live line or an open port → the line's external id
	numbers map[string]bool   // all that were ever allotted or ordered
	keys    map[string]kept
	count   int // lines ever made
	told    int // events ever made

	ports   map[string]port     // by external id
	open    map[string]string   // number of an open port → its external id
	ordered int                 // ports ever ordered
	spent   map[string]int      // by trial: how many of its refusals a number has had
	waiting map[string]upcoming // by line or port id: what happens next to it
}

func newState() state {
	return state{
		lines: make(map[string]line), iccids: make(map[string]string),
		numbers: make(map[string]bool), keys: make(map[string]kept),
		ports: make(map[string]port), open: make(map[string]string),
		spent: make(map[string]int), waiting: make(map[string]upcoming),
	}
}

func (s *state) apply(key string, c change) {
	s.put(c.Line)
	if c.EventID != "" {
		s.told++
	}
	if key != "" {
		s.keys[key] = kept{request: c.Request, status: c.Status, body: c.Line.shownLine}
	}
}

// put makes the line as it is now known under its external id.
func (s *state) put(l line) {
	before, known := s.lines[l.ExternalID]
	if !known || before.LineID != l.LineID {
		s.count++
	}
	delete(s.waiting, before.LineID)
	if s.iccids[before.ICCID] == l.ExternalID {
		delete(s.iccids, before.ICCID)
	}
	if l.live() {
		s.iccids[l.ICCID] = l.ExternalID
	}
	if l.Number != "" {
		s.numbers[l.Number] = true
	}
	if l.State == pending && l.Fate != nil {
		s.waiting[l.LineID] = upcoming{at: l.Fate.Due, line: l.ExternalID}
	}
	s.lines[l.ExternalID] = l
}

// replay rebuilds the state and takes up what was unfinished.
func (s *Server) replay() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.config.Journal.Entries() {
		if err := s.replayEntry(e); err != nil {
			return fmt.Errorf("rebuild the pretend carrier: %w", err)
		}
	}
	s.catchUp()
	return nil
}

func (s *Server) replayEntry(e partnertest.Entry) error {
	switch e.Act {
	case ActActivateLine, ActLineActive, ActLineFailed, ActChangeSIM, ActDeactivateLine:
		var c change
		if err := e.Into(&c); err != nil {
			return err
		}
		s.follow(e.Key, c)
	case ActSubmitPort, ActSupplementPort, ActCancelPort,
		ActPortDelayed, ActPortConfirmed, ActPortRefused, ActPortCompleted, ActPortCancelled:
		var c portChange
		if err := e.Into(&c); err != nil {
			return err
		}
		s.followPort(e.Key, c)
	case ActRefused:
		var r refusal
		if err := e.Into(&r); err != nil {
			return err
		}
		s.state.spend(r.Trial)
	case ActClock:
		return s.replayClock(e)
	default:
	}
	return nil
}

// commit writes a change down and then makes it so.
func (s *Server) commit(act, key string, at time.Time, c change) error {
	if err := s.write(partnertest.Entry{At: at, Act: act, Key: key, Reference: c.Line.ExternalID, Data: partnertest.Facts(c)}); err != nil {
		return err
	}
	s.follow(key, c)
	s.arm()
	return nil
}

func (s *Server) write(e partnertest.Entry) error {
	e.Partner = Partner
	_, err := s.config.Journal.Append(e)
	return err
}

// follow applies a change and sets off its event.
func (s *Server) follow(key string, c change) {
	s.state.apply(key, c)
	if c.EventID != "" {
		s.courier.Deliver(partnertest.Parcel{ID: c.EventID, Reference: c.Line.ExternalID, Body: []byte(c.Event)})
	}
}

// meetFate brings a pending line up, or lets it fail.
func (s *Server) meetFate(externalID string, at time.Time) error {
	l := s.state.lines[externalID]
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
		c = s.telling(kind, at, c)
	}
	return s.commit(act, "", at, c)
}

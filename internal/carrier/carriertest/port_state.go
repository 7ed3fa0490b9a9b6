package carriertest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/dialtone/dialtone/internal/partnertest"
)

// The states of a port.
const (
	submitted  = "SUBMITTED"
	delayed    = "DELAYED"
	confirmed  = "CONFIRMED"
	completed  = "COMPLETED"
	refused    = "REFUSED"
	cancelling = "CANCELLING"
	cancelled  = "CANCELLED"
)

// port is all that is kept of a port. What the customer said is not: Info is a fingerprint of
// it, and Revision counts how often something was said.
type port struct {
	shownPort

	Donor        string `json:"donor"`
	IMEI         string `json:"imei"`
	ZIPCode      string `json:"zip_code"`
	Plan         string `json:"plan"`
	CustomerName string `json:"customer_name"`
	Info         string `json:"info"`
	Revision     int    `json:"revision"`
	// Wish is when a supplement asked the number to move.
	Wish time.Time `json:"wish,omitzero"`
	// Next is what happens by itself; nil when the port waits for us, or has ended.
	Next *portStep `json:"next,omitempty"`
	// Held are letters that wait for the end, where they come in disorder.
	Held []letter `json:"held,omitempty"`
}

func (p port) isOpen() bool { return p.State != completed && p.State != cancelled }

// trial names what a number's refusals are counted by: an order anew for the same line goes on
// where the one before it ended, and another line begins from the first.
func (p port) trial() string { return p.Number + " " + p.LineExternalID }

// shownPort is a port as the API shows it.
type shownPort struct {
	ExternalID     string    `json:"external_id"`
	LineExternalID string    `json:"line_external_id"`
	PortID         string    `json:"port_id"`
	Number         string    `json:"number"`
	ICCID          string    `json:"iccid"`
	State          string    `json:"state"`
	StateSince     time.Time `json:"state_since"`
	DueAt          time.Time `json:"due_at,omitzero"`
	Reason         *problem  `json:"reason,omitempty"`
}

// portStep is what happens next to a port, and when.
type portStep struct {
	At time.Time `json:"at"`
	Do string    `json:"do"`
}

// The steps.
const (
	answers  = "answers"  // the donor, to an order or a supplement
	moves    = "moves"    // the number
	withdraw = "withdraw" // the order, as was asked
)

// letter is one event on its way. Its ID is the event's own but for copies.
type letter struct {
	ID   string `json:"id"`
	Body string `json:"body"`
}

// portChange is to a port what change is to a line.
type portChange struct {
	// Port is the port as it is afterwards.
	Port port `json:"port"`
	// Line is the line that came to be because the number has moved.
	Line *line `json:"line,omitempty"`
	// Request and Status are what the idempotency key stands for.
	Request string `json:"request,omitempty"`
	Status  int    `json:"status,omitempty"`
	// Spent says that this was one of the refusals of the number's story.
	Spent bool `json:"spent,omitempty"`
	// EventID names what is told of it; Letters are what goes out now.
	EventID string   `json:"event_id,omitempty"`
	Letters []letter `json:"letters,omitempty"`
}

func (s *state) applyPort(key string, c portChange) {
	p := c.Port
	before, known := s.ports[p.ExternalID]
	if !known {
		s.ordered++
	}
	delete(s.waiting, before.PortID)
	if p.Next != nil {
		s.waiting[p.PortID] = upcoming{at: p.Next.At, port: p.ExternalID}
	}
	s.numbers[p.Number] = true
	s.hold(p)
	if c.Line != nil {
		s.put(*c.Line)
	}
	if c.Spent {
		s.spend(p.trial())
	}
	if c.EventID != "" {
		s.told++
	}
	if key != "" {
		s.keys[key] = kept{request: c.Request, status: c.Status, body: p.shownPort}
	}
	s.ports[p.ExternalID] = p
}

// hold keeps the number and the ICCID of an open port for it, and gives those of an ended one
// back.
func (s *state) hold(p port) {
	if p.isOpen() {
		s.open[p.Number] = p.ExternalID
		s.iccids[p.ICCID] = p.LineExternalID
		return
	}
	if s.open[p.Number] == p.ExternalID {
		delete(s.open, p.Number)
	}
	l := s.lines[p.LineExternalID]
	if onLine := l.live() && l.ICCID == p.ICCID; !onLine && s.iccids[p.ICCID] == p.LineExternalID {
		delete(s.iccids, p.ICCID)
	}
}

// spend counts a refusal of a number's story.
func (s *state) spend(trial string) {
	if trial != "" {
		s.spent[trial]++
	}
}

// commitPort writes a change of a port down and then makes it so.
func (s *Server) commitPort(act, key string, at time.Time, c portChange) error {
	if err := s.write(partnertest.Entry{At: at, Act: act, Key: key, Reference: c.Port.ExternalID, Data: partnertest.Facts(c)}); err != nil {
		return err
	}
	s.followPort(key, c)
	s.arm()
	return nil
}

// followPort applies a change and sets off its events.
func (s *Server) followPort(key string, c portChange) {
	s.state.applyPort(key, c)
	var parcels []partnertest.Parcel
	for _, l := range c.Letters {
		parcels = append(parcels, partnertest.Parcel{ID: l.ID, Reference: c.Port.ExternalID, Body: []byte(l.Body)})
	}
	s.courier.Deliver(parcels...)
}

// fingerprint tells two texts apart without keeping them. Its key is no secret: it keeps what
// a person invented for a trial from standing in a file, not from somebody who guesses.
func fingerprint(text string) string {
	mac := hmac.New(sha256.New, []byte("carriertest"))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

package carriertest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/dialtone/dialtone/internal/partnertest"
)

// upcoming is something that happens by itself, to a line or to a port.
type upcoming struct {
	at         time.Time
	line, port string // one external id
}

// now is the pretend carrier's own time.
func (s *Server) now() time.Time { return s.clock().Add(s.ahead) }

// enter takes the lock for a call, once all that is due by then has happened.
func (s *Server) enter() {
	s.mu.Lock()
	s.catchUp()
}

// catchUp lets all that is due happen, the earliest first and each at its own time: also what
// nobody was there to see.
func (s *Server) catchUp() {
	for !s.closed && !s.stuck {
		id, next := s.soonest()
		if id == "" || next.at.After(s.now()) {
			break
		}
		// A journal that cannot be written leaves the rest as it is until the next start.
		s.stuck = s.happen(next) != nil
	}
	s.arm()
}

func (s *Server) happen(u upcoming) error {
	if u.line != "" {
		return s.meetFate(u.line, u.at)
	}
	return s.goOn(u.port, u.at)
}

// soonest gives what is due first, and of several the one whose id comes first, so that the
// same story is always the same.
func (s *Server) soonest() (string, upcoming) {
	var first string
	for id, u := range s.state.waiting {
		at := s.state.waiting[first].at
		if first == "" || u.at.Before(at) || u.at.Equal(at) && id < first {
			first = id
		}
	}
	return first, s.state.waiting[first]
}

// arm sets the timer for what is due next. With a clock of its own a test says itself when
// time has passed.
func (s *Server) arm() {
	if s.timer != nil {
		s.timer.Stop()
	}
	id, next := s.soonest()
	if id == "" || s.closed || s.stuck || s.config.Now != nil {
		return
	}
	s.timer = time.AfterFunc(next.at.Sub(s.now()), func() {
		s.enter()
		s.mu.Unlock()
	})
}

// Advance moves the pretend carrier's clock on, for good, and returns when all that was due on
// the way has happened. It fails for a time that has passed. With a clock of the test's own an
// Advance by 0 says that this clock has moved.
func (s *Server) Advance(by time.Duration) error {
	if by < 0 {
		return errors.New("the clock can only be moved on")
	}
	s.enter()
	defer s.mu.Unlock()
	if by == 0 {
		return nil
	}
	if err := s.write(partnertest.Entry{At: s.now(), Act: ActClock, Data: map[string]any{"advance": by.String()}}); err != nil {
		return err
	}
	s.ahead += by
	s.catchUp()
	return nil
}

func (s *Server) replayClock(e partnertest.Entry) error {
	var moved clockMove
	if err := e.Into(&moved); err != nil {
		return err
	}
	by, err := time.ParseDuration(moved.Advance)
	s.ahead += by
	return err
}

type clockMove struct {
	Advance string `json:"advance"`
}

// moveClock does it for people and checks.
func (s *Server) moveClock(w http.ResponseWriter, r *http.Request) {
	var wish clockMove
	if !readWish(w, r, &wish) {
		return
	}
	by, err := time.ParseDuration(wish.Advance)
	if err == nil {
		err = s.Advance(by)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.showClock(w, r)
}

// readWish decodes the body of a call under /_pretend, which people type by hand: it may be
// left out, and need not say what it is.
func readWish(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func (s *Server) showClock(w http.ResponseWriter, _ *http.Request) {
	s.enter()
	defer s.mu.Unlock()
	reply(w, http.StatusOK, map[string]time.Time{"now": s.now().UTC()})
}

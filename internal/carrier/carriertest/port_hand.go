package carriertest

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// PortRule says what the donor answers to the next orders and supplements of a number, before
// the number's own story. Rules are not kept: they end with the process, as faults do.
type PortRule struct {
	// Number is in E.164; empty means any.
	Number string `json:"number"`
	// Code and Message are the refusal.
	Code    string `json:"code"`
	Message string `json:"message"`
	// Times is how many it refuses; 0 means one.
	Times int `json:"times"`
	// AtOrder refuses the call that orders itself, with a 422.
	AtOrder bool `json:"at_order"`
}

// RefusePorts adds a rule. Of several for a number the first that was added speaks. It fails
// for a rule without a code.
func (s *Server) RefusePorts(rule PortRule) error {
	if rule.Code == "" || rule.Times < 0 {
		return errors.New("a rule needs a code, and times that are not negative")
	}
	rule.Times = cmp.Or(rule.Times, 1)
	s.enter()
	defer s.mu.Unlock()
	s.rules = append(s.rules, rule)
	return nil
}

// takeRule uses up a refusal that a rule has for the number; nil when none has.
func (s *Server) takeRule(number string, atOrder bool) *problem {
	for i := range s.rules {
		rule := &s.rules[i]
		if rule.AtOrder == atOrder && rule.Times > 0 && (rule.Number == "" || rule.Number == number) {
			rule.Times--
			return &problem{Code: rule.Code, Message: rule.Message}
		}
	}
	return nil
}

// The turns that a port can be given by hand.
const (
	HandConfirm  = "confirm"
	HandDelay    = "delay"
	HandRefuse   = "refuse"
	HandComplete = "complete"
	HandCancel   = "cancel"
	HandRevoke   = "revoke"
)

// Hand is one turn of a port by hand. What would have happened next by itself does not, but
// that a confirmed number moves when it is due.
type Hand struct {
	// Turn is one of the Hand constants.
	Turn string `json:"-"`
	// Code and Message are the reason, for HandRefuse, HandDelay and HandRevoke; there are
	// defaults.
	Code    string `json:"code"`
	Message string `json:"message"`
	// Due is when the number moves, for HandConfirm; zero means as by itself.
	Due time.Time `json:"due"`
}

var (
	errNoPort = errors.New("there is no port with this external id")
	errNoTurn = errors.New("there is no such turn: confirm, delay, refuse, complete, cancel or revoke")
	errEnded  = errors.New("the port has ended; one that was cancelled can still complete")
)

// TurnPort gives a port a turn by hand, with the events that it would have by itself. It fails
// when there is no such port, and for one that has ended; but a number can move after its
// port was cancelled.
func (s *Server) TurnPort(externalID string, hand Hand) error {
	s.enter()
	defer s.mu.Unlock()
	p, known := s.state.ports[externalID]
	switch {
	case !known:
		return errNoPort
	case p.State == completed, p.State == cancelled && hand.Turn != HandComplete:
		return errEnded
	}
	return s.turnPort(p, hand)
}

func (s *Server) turnPort(p port, hand Hand) error {
	at := s.now()
	switch hand.Turn {
	case HandConfirm:
		due := hand.Due.UTC()
		if due.IsZero() {
			due = s.dueOf(p, at)
		}
		return s.confirmPort(p, at, due)
	case HandDelay:
		return s.delayPort(p, at, hand.reason(donorDelay), nil)
	case HandRefuse:
		return s.refusePort(p, at, hand.reason(donorPIN), false)
	case HandRevoke:
		return s.refusePort(p, at, hand.reason(donorDueDate), false)
	case HandComplete:
		return s.completePort(p, at)
	case HandCancel:
		return s.endPort(p, at)
	default:
		return errNoTurn
	}
}

func (h Hand) reason(usual problem) *problem {
	return &problem{Code: cmp.Or(h.Code, usual.Code), Message: cmp.Or(h.Message, usual.Message)}
}

// turnByHand does it for people and checks.
func (s *Server) turnByHand(w http.ResponseWriter, r *http.Request) {
	var hand Hand
	if !readWish(w, r, &hand) {
		return
	}
	hand.Turn = r.PathValue("turn")
	externalID := r.PathValue("external_id")
	err := s.TurnPort(externalID, hand)
	switch {
	case errors.Is(err, errNoPort), errors.Is(err, errNoTurn):
		http.Error(w, err.Error(), http.StatusNotFound)
	case errors.Is(err, errEnded):
		http.Error(w, err.Error(), http.StatusConflict)
	case err != nil:
		http.Error(w, fmt.Sprintf("turn the port: %v", err), http.StatusInternalServerError)
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		reply(w, http.StatusOK, s.state.ports[externalID].shownPort)
	}
}

// addRule does it for people and checks.
func (s *Server) addRule(w http.ResponseWriter, r *http.Request) {
	var rule PortRule
	if !readWish(w, r, &rule) {
		return
	}
	if err := s.RefusePorts(rule); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

package workflows_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
)

// The model of ports: a customer, a donor, billing, operators and the wires to the partners do
// a few things in any order; then all heals, and it must end. The carrier's journal is the
// witness, and the oracle (port_model_oracle_test.go) knows the promises only.
//
// Thirty programs are lived through by default, and those of testdata/port_model. For
// hundreds:
//
//	go test ./workflows -run TestPortModel -timeout 2h -rapid.checks 200
func TestPortModel(t *testing.T) {
	t.Parallel()
	unlessAsked(t, "10")
	var seen census
	t.Cleanup(func() { t.Logf("lived through: %v", seen.counts) })
	for _, part := range []string{"Morning", "Noon", "Evening"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				p := rapid.Custom(drawPortProgram).Draw(rt, "program")
				if broken := livePort(t, p, &seen); len(broken) > 0 {
					rt.Fatal(strings.Join(broken, "\n"))
				}
			})
		})
	}
}

// Programs that once broke a promise are lived through each time. Those of testdata/port_model/known
// still do: each goes up a folder with the fault that it shows.
func TestPortModel_Found(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/port_model/*.json")
	fatal(t, err)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			fatal(t, err)
			var p portProgram
			fatal(t, json.Unmarshal(text, &p))
			if broken := livePort(t, p, &census{}); len(broken) > 0 {
				t.Error(strings.Join(broken, "\n"))
			}
		})
	}
}

// Faults of the product that are known, and kept out of the programs until they are mended: set
// one to false to see it.
const (
	// knownAnew: a number that moves while its order is withdrawn to be given anew is taken for
	// one that was called off.
	knownAnew = true
	// knownLateCopy: an order that the carrier refused is not looked for any more, and a lost copy
	// of it that arrives after the refusal is taken.
	knownLateCopy = true
	// knownLost: a run that takes over from a lost one cannot give back a line that was never
	// planned, sends what was given meanwhile again and again, and forgets the eSIM when the
	// customer leaves the port before it comes to it.
	knownLost = false
	// knownMind: a donor that says yes while the customer is asked leaves the activation waiting
	// for its customer, and it cannot end.
	knownMind = false
	// knownStale: whether an order is to be withdrawn is told by what the run last read, and an
	// order whose answer was lost is left at the carrier by a cancel.
	knownStale = false
)

// portProgram is what happens to one port.
type portProgram struct {
	// Story is the number's story at the pretend carrier: its last two digits.
	Story string
	IMEI  mobile.IMEI `json:",omitempty"`
	// Slow tells that the donor takes its time, so that things can happen meanwhile.
	Slow bool `json:",omitempty"`
	// Events is how the carrier's events arrive: "", lost, late, thrice or backwards.
	Events string     `json:",omitempty"`
	Moves  []portMove `json:",omitempty"`
	// Late are routes of which one call arrives late.
	Late []string `json:",omitempty"`
	// Losses are when the run is lost.
	Losses []loss `json:",omitempty"`
	// Answers choose among what the operator is offered; afterwards the likeliest is taken.
	Answers []int `json:",omitempty"`
	// Settles is what the customer does in the end: agrees, stops, new number, or silent.
	Settles string
}

// String is how a program is shown.
func (p portProgram) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// GoString is how rapid shows it.
func (p portProgram) GoString() string { return p.String() }

// portMove is one thing that somebody does.
type portMove struct {
	// After is the time since the move before.
	After time.Duration
	// Do names it: one of the do constants.
	Do string
	// Code is the donor's, for a refusal.
	Code string `json:",omitempty"`
	// Times and AtOrder are those of a rule by which the donor refuses.
	Times   int  `json:",omitempty"`
	AtOrder bool `json:",omitempty"`
	// Story is the other number's.
	Story string             `json:",omitempty"`
	Fault *partnertest.Fault `json:",omitempty"`
}

// What the customer does, and says.
const (
	doGive       = "give"        // what is asked
	doSame       = "same"        // what was given last, once more
	doIncomplete = "incomplete"  // a PIN, and nothing else
	doStale      = "stale"       // an answer to the question before
	doFive       = "five"        // five answers at once
	doConfirm    = "confirm"     // what the donor wants was done
	doKeep       = "keep"        // a new number instead
	doStop       = "stop"        // no number at all
	doNumber     = "number"      // another number
	doDevice     = "device"      // another phone
	doCancel     = "cancel"      // billing's
	doCancelSub  = "cancel sub"  // billing's, with the subscription
	doRule       = "rule"        // the donor will refuse
	doFault      = "fault"       // a wire breaks
	doRepeat     = "repeat"      // the carrier tells all once more
	doForgeNum   = "forge num"   // an event that names another number
	doForgeSIM   = "forge sim"   // an event that names another eSIM
	doForgeLater = "forge later" // an event of the day after tomorrow
	doMend       = "mend"
)

// The donor's turns by hand are moves too.
var donorMoves = []string{
	carriertest.HandConfirm, carriertest.HandDelay, carriertest.HandRefuse, carriertest.HandRefuse, carriertest.HandComplete,
	carriertest.HandComplete, carriertest.HandRevoke, carriertest.HandCancel,
}

var customerMoves = []string{
	doGive, doGive, doGive, doGive, doConfirm, doConfirm, doFive, doSame, doStale, doIncomplete, doKeep, doStop, doNumber, doDevice,
}

var otherMoves = []string{
	doCancel, doCancelSub, doRule, doRule, doRule, doFault, doFault, doFault, doFault, doRepeat, doForgeNum, doForgeSIM, doForgeLater, doMend,
}

// donorCodes are what a donor refuses with.
var donorCodes = []string{
	"6B", "8A", "8D", "6P", "7C", "NUMBER_INACTIVE", "9Z", "DUE_DATE", "DUPLICATE", "7T", "IDENTITY_MISMATCH", "LINE_LOSSES_NOT_ACCEPTED",
}

const (
	routeNumber     = "POST /v1/portability-checks"
	routePort       = "POST /v1/ports"
	routeReadPort   = "GET /v1/ports/*"
	routeSupplement = "POST /v1/ports/*/supplement"
	routeCancelPort = "POST /v1/ports/*/cancel"
)

var portRoutes = []string{
	routePort, routePort, routePort, routeSupplement, routeCancelPort, routeReadPort, routeMail, routeNumber, routeOrder, routeRead,
	routeDownload, routeConfirm, routeReturn, routeDevice, routeTakeDown,
}

func drawPortProgram(t *rapid.T) portProgram {
	p := portProgram{
		Story: rapid.SampledFrom([]string{
			"19", "19", "19", "00", "00", "01", "04", "07", "09", "10", "12", "13", "15", "16", "17", "18", "20", "21", "22", "23", "25",
			"25", "26", "28", "29", "14", "27",
		}).Draw(t, "story"),
		IMEI: rapid.SampledFrom([]mobile.IMEI{
			"", "", "", "", "", "", carriertest.IMEIBlocked, carriertest.IMEIBlockedAtActivation, carriertest.IMEIComesUpLater,
		}).Draw(t, "imei"),
		Slow:    rapid.Bool().Draw(t, "slow"),
		Events:  rapid.SampledFrom([]string{"", "", "lost", "late", "thrice", "backwards"}).Draw(t, "events"),
		Late:    rapid.SliceOfN(rapid.SampledFrom([]string{routePort, routeMail, routeDownload, routeOrder}), 0, 1).Draw(t, "late"),
		Losses:  rapid.SliceOfN(rapid.Custom(drawPortLoss), 0, 2).Draw(t, "losses"),
		Answers: rapid.SliceOfN(rapid.IntRange(0, 3), 0, 4).Draw(t, "answers"),
		Settles: rapid.SampledFrom([]string{"agrees", "agrees", "agrees", "stops", "new number", "silent"}).Draw(t, "settles"),
	}
	p.Moves = rapid.SliceOfN(rapid.Custom(drawPortMove), 2, 9).Draw(t, "moves")
	if rapid.IntRange(0, 3).Draw(t, "begins") > 0 {
		p.Moves = append([]portMove{{After: 2 * time.Minute, Do: doGive}}, p.Moves...)
	}
	atOrder := slices.ContainsFunc(p.Moves, func(m portMove) bool { return m.AtOrder }) || p.Story == "26"
	if knownLateCopy && atOrder {
		p.Late = nil
	}
	if knownLost {
		p.Losses = nil
	}
	if knownStale {
		p.Late = slices.DeleteFunc(p.Late, func(route string) bool { return route == routePort })
		p.Moves = slices.DeleteFunc(p.Moves, func(m portMove) bool { return m.Fault != nil && m.Fault.Match == routePort })
	}
	return p
}

func drawPortMove(t *rapid.T) portMove {
	m := portMove{After: rapid.SampledFrom([]time.Duration{
		0, time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 3 * time.Hour, day, 5 * day,
	}).Draw(t, "after")}
	switch rapid.SampledFrom([]string{"customer", "donor", "other"}).Draw(t, "who") {
	case "customer":
		m.Do = rapid.SampledFrom(customerMoves).Draw(t, "does")
	case "donor":
		m.Do = rapid.SampledFrom(donorMoves).Draw(t, "turn")
	default:
		m.Do = rapid.SampledFrom(otherMoves).Draw(t, "happens")
	}
	switch m.Do {
	case carriertest.HandRefuse:
		m.Code = rapid.SampledFrom(donorCodes).Draw(t, "code")
	case doRule:
		m.Code = rapid.SampledFrom(donorCodes).Draw(t, "code")
		m.Times, m.AtOrder = rapid.IntRange(1, 3).Draw(t, "times"), rapid.IntRange(0, 3).Draw(t, "at order") == 0
	case doNumber:
		m.Story = rapid.SampledFrom([]string{"00", "19", "01", "10", "21", "25"}).Draw(t, "other")
	case doFault:
		f := drawPortFault(t)
		m.Fault = &f
	}
	return m
}

func drawPortFault(t *rapid.T) partnertest.Fault {
	f := partnertest.Fault{
		Match: rapid.SampledFrom(portRoutes).Draw(t, "route"),
		Kind: rapid.SampledFrom([]partnertest.Kind{
			partnertest.DropAfter, partnertest.DropAfter, partnertest.DropBefore, partnertest.Status, partnertest.Partial,
			partnertest.Empty2xx, partnertest.BadJSON,
		}).Draw(t, "kind"),
		Times: rapid.SampledFrom([]int{1, 1, 2, 3, 0}).Draw(t, "times"),
	}
	if f.Kind == partnertest.Status {
		f.Status = rapid.SampledFrom([]int{503, 503, 500, 429, 401}).Draw(t, "status")
		f.Applied = f.Status == 500 && rapid.Bool().Draw(t, "applied")
	}
	return f
}

func drawPortLoss(t *rapid.T) loss {
	switch rapid.SampledFrom([]string{"route", "call", "time"}).Draw(t, "at") {
	case "route":
		return loss{moment{Route: rapid.SampledFrom([]string{routePort, routeMail, routeDownload, routeOrder}).Draw(t, "route"), Acted: rapid.Bool().Draw(t, "acted")}}
	case "call":
		return loss{moment{Call: rapid.IntRange(1, 20).Draw(t, "call"), Acted: rapid.Bool().Draw(t, "acted")}}
	}
	return loss{moment{At: rapid.SampledFrom([]time.Duration{
		time.Minute, 3 * time.Minute, 10 * time.Minute, time.Hour, 5 * time.Hour, day, 6 * day,
	}).Draw(t, "at")}}
}

// livePort lives through a program and tells what was promised and is not so.
func livePort(t *testing.T, p portProgram, seen *census) (broken []string) {
	t.Helper()
	ok := t.Run("program", func(t *testing.T) {
		w := newPortWorld(t, p)
		w.play()
		broken = w.broken()
		seen.take(w.happened())
	})
	if !ok {
		broken = append(broken, fmt.Sprintf("the program could not be lived through: %s", p))
	}
	return broken
}

package workflows_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/mobile"
)

// The oracle of ports: what was promised, told by the partners' journals and by what was said.
// It knows no table of ours.

// portOracle is the end of a program.
type portOracle struct {
	*portWorld

	a     mobile.Activation
	found []string
	// moved is the number that has moved, by the carrier's journal; empty: none.
	moved string
}

func (o *portOracle) says(ok bool, format string, args ...any) {
	if !ok {
		o.found = append(o.found, fmt.Sprintf(format, args...))
	}
}

// broken tells which promises were not kept.
func (w *portWorld) broken() []string {
	o := &portOracle{portWorld: w, a: w.now(w.t)}
	o.found = append(o.found, w.wrong...)
	o.says(o.a.State.Final(), "it has not ended: %s %s, items %+v", o.a.State, o.a.Reason, o.a.OpenItems())
	o.journal()
	o.sentOrOvertaken()
	o.mails()
	for _, item := range o.a.OpenItems() {
		o.says(holdsNothing(item.Kind), "an item is left open: %s %s", item.Kind, item.Reason)
	}
	if o.a.State.Final() {
		o.end()
		o.atRisk()
	}
	if len(o.found) > 0 {
		o.found = append(o.found, w.plays.String(), "ended: "+string(o.a.State)+" "+o.a.Reason+", the port "+string(o.a.Port.State))
		o.found = append(o.found, w.story...)
		for _, e := range w.carrier.journal.Entries() {
			port, _ := portOf(e)
			o.found = append(o.found, fmt.Sprintf("  %s %s %s %s", e.At.Sub(w.began).Round(1e9), e.Act, port.external, port.state))
		}
	}
	return o.found
}

// said counts what was accepted, or happened.
func (o *portOracle) said(what ...string) (n int) {
	for _, said := range o.words {
		if slices.Contains(what, said.what) {
			n++
		}
	}
	return n
}

func (o *portOracle) decided(choice mobile.Resolution) int { return len(o.operator.done(choice, "")) }

// journal: one open order at most, one key is one act, no more went out than was said, and what
// has moved is not taken down.
func (o *portOracle) journal() {
	open, keys, taken, rescheduled := make(map[string]bool), make(map[string]int), 0, make(map[string]int)
	revisions := make(map[string]float64)
	for _, e := range o.carrier.journal.Entries() {
		if e.Key != "" && e.Act != "refused" {
			keys[e.Key]++
			o.says(keys[e.Key] == 1, "%s happened twice under the key %s", e.Act, e.Key)
		}
		o.says(e.Act != carriertest.ActDeactivateLine || o.moved == "", "a line was taken down after the number had moved")
		port, is := portOf(e)
		if !is {
			continue
		}
		open[port.external] = port.open()
		n := 0
		for _, is := range open {
			if is {
				n++
			}
		}
		o.says(n <= 1, "%d orders are open at once", n)
		facts, _ := e.Data["port"].(map[string]any)
		revision, _ := facts["revision"].(float64)
		switch e.Act {
		case carriertest.ActSubmitPort, carriertest.ActSupplementPort:
			if revision > revisions[port.external] {
				taken++
			} else {
				rescheduled[port.external]++
			}
			revisions[port.external] = revision
		case carriertest.ActPortCompleted:
			o.moved = port.number
		}
	}
	no := 0
	for _, e := range o.carrier.journal.Entries() {
		if e.Act == carriertest.ActPortRefused || e.Act == "refused" || e.Act == carriertest.ActPortCancelled {
			no++
		}
	}
	o.says(o.a.Port.Refusals <= no && len(o.a.Port.Refused) == o.a.Port.Refusals,
		"%d refusals are counted, %d are kept, and the carrier refused %d times", o.a.Port.Refusals, len(o.a.Port.Refused), no)
	// An order is given anew where the carrier takes no corrections: that is in place of one.
	sayings := o.said(string(mobile.ActSubmitPortingInfo), string(mobile.ActConfirmDonorAction)) + o.decided(mobile.ResolutionSendAgain)
	o.says(taken <= sayings, "%d orders and corrections were taken, and %d things were said", taken, sayings)
	for external, n := range rescheduled {
		o.says(n <= 1, "another time was asked for %d times, for %s", n, external)
	}
	if o.a.State.Final() && o.a.State != mobile.StateFailed {
		for external, is := range open {
			o.says(!is, "the order %s was left open", external)
		}
	}
}

// sentOrOvertaken: what was accepted is sent, unless something came after it.
func (o *portOracle) sentOrOvertaken() {
	for i, said := range o.words {
		if said.pin == "" || i < len(o.words)-1 {
			continue
		}
		sent := slices.ContainsFunc(o.calls, func(c call) bool { return strings.Contains(c.body, said.pin) })
		o.says(sent, "what the customer said last was never sent")
	}
}

// mails: the mail with the QR code goes out once, and once more for each time that an operator
// wants; every other once.
func (o *portOracle) mails() {
	seen := make(map[string]int)
	for _, e := range o.sendgrid.journal.Entries() {
		if e.Act == mailtest.ActAccepted {
			seen[e.Reference]++
			o.says(seen[e.Reference] == 1, "a mail went out twice")
		}
	}
	again := len(o.operator.done(mobile.ResolutionSendAgain, mobile.ActSendMail))
	o.says(o.activationMails() <= 1+again, "%d mails with the QR code, and %d wanted again", o.activationMails(), again)
	told := len(o.operator.done(mobile.ResolutionDone, mobile.ActSendMail))
	o.says(o.a.State != mobile.StateSucceeded || o.activationMails()+told > 0, "it succeeded, and the customer has no QR code")
}

// end: it ends as the last of the words has it, and what has moved has moved.
func (o *portOracle) end() {
	keep, stop := o.said(string(mobile.ActKeepNewNumber)) > 0, o.said(string(mobile.ActStopPort)) > 0
	off := o.cancelled || o.decided(mobile.ResolutionGiveUp) > 0
	up := o.lines()
	o.says(o.a.Port.State != mobile.PortCompleted || o.moved != "", "the record says that the number moved, and the carrier does not")
	if o.moved != "" && !o.lateMove {
		o.says(o.a.State == mobile.StateSucceeded && o.a.PhoneNumber == o.moved && o.a.Port.State == mobile.PortCompleted,
			"%s has moved, and it ended %s with %s, the port %s", o.moved, o.a.State, o.a.PhoneNumber, o.a.Port.State)
	}
	if o.moved != "" {
		o.says(len(up) == 1, "a number moved, and %d lines are up", len(up))
	}
	switch o.a.State {
	case mobile.StateSucceeded:
		o.says(o.moved != "" || keep, "it succeeded, without the number and without a word for another")
		o.says(o.moved != "" || !off, "it succeeded although it was called off")
		o.says(o.moved != "" || !strings.Contains(o.a.PhoneNumber, "55501"+o.plays.Story) || o.a.PhoneNumber == o.lineNumber(), "the number is %s", o.a.PhoneNumber)
		o.succeeded(up)
	case mobile.StateCancelled:
		o.says(off, "it was cancelled by nobody")
	case mobile.StateRejected:
		o.says(o.a.Reason != "CANCELLED_BY_CUSTOMER" || stop, "it was stopped by nobody")
		o.says(o.a.Reason == "CANCELLED_BY_CUSTOMER" || keep, "it was rejected: %s", o.a.Reason)
	case mobile.StateExpired:
		o.says(!o.a.Port.Prompt.Deadline.After(o.clock()), "it expired before its time")
		o.says(!keep && !stop, "it expired although the customer had answered")
	case mobile.StateFailed:
		o.says(o.decided(mobile.ResolutionEndAsFailed) > 0, "it failed, and nobody said so")
	default:
	}
	if o.a.State != mobile.StateSucceeded && o.a.State != mobile.StateFailed && o.moved == "" {
		o.leftNothing(up)
	}
	o.says(!stop || o.a.State != mobile.StateSucceeded || o.moved != "", "it succeeded although the customer had stopped it")
	o.says(!keep || off || o.a.State == mobile.StateSucceeded || o.a.State == mobile.StateRejected || o.a.State == mobile.StateFailed,
		"the customer wanted a new number, and it ended %s", o.a.State)
}

func (o *portOracle) lineNumber() (number string) {
	for _, e := range o.carrier.journal.Entries() {
		if facts, ok := e.Data["line"].(map[string]any); ok {
			number, _ = facts["number"].(string)
		}
	}
	return number
}

func (o *portOracle) succeeded(up map[string]string) {
	o.says(len(up) == 1, "it succeeded with %d lines up", len(up))
	o.says(o.lateMove || o.lineNumber() == o.a.PhoneNumber, "the line has %s, and the activation %s", o.lineNumber(), o.a.PhoneNumber)
	held := o.inHand()
	for _, iccid := range up {
		delete(held, iccid)
	}
	old := oracle{world: o.world, t: o.t, a: o.a}
	for _, p := range held {
		o.says(slices.Contains(old.leakedOrders(), p.order), "the eSIM %s is in hand beside the line's", p.iccid)
	}
	want := mobile.SubscriptionActive
	if o.cancelled && o.program.Cancel.By == byBilling {
		want = mobile.SubscriptionCancelled
	}
	o.says(o.subscription(o.t).Status == want, "the subscription is %s", o.subscription(o.t).Status)
}

// leftNothing: no line is up, and no eSIM in hand but what is listed as leaked.
func (o *portOracle) leftNothing(up map[string]string) {
	o.says(len(up) == 0, "a line was left up: %v", up)
	old := oracle{world: o.world, t: o.t, a: o.a}
	for _, p := range o.inHand() {
		o.says(slices.Contains(old.leakedOrders(), p.order), "the eSIM %s was left in hand", p.iccid)
	}
	o.says(o.a.Port.State.Closed(), "the port is left %s", o.a.Port.State)
}

// atRisk: an operator looks at a number exactly when it has moved after it was called off.
func (o *portOracle) atRisk() {
	opened := slices.ContainsFunc(o.a.Items, func(i mobile.Item) bool { return i.Kind == mobile.ItemNumberAtRisk })
	off := o.cancelled || o.decided(mobile.ResolutionGiveUp) > 0 || slices.ContainsFunc(o.words, func(said word) bool {
		return said.port == o.a.Port.ID && slices.Contains([]mobile.CustomerAct{
			mobile.ActKeepNewNumber, mobile.ActStopPort, mobile.ActChangeNumber,
		}, mobile.CustomerAct(said.what))
	})
	heard := o.a.Port.State == mobile.PortCompleted
	switch {
	case o.plays.Settles == "silent" && heard: // it may have lapsed
	case heard && off:
		o.says(opened, "the number moved after it was called off, and no operator is asked")
	case knownAnew && heard && o.carrier.count(o.t, carriertest.ActCancelPort) > 0:
	default:
		o.says(!opened, "an operator is asked about a number that nobody called off")
	}
	o.says(!heard || o.moved != "", "the record says that the number moved")
}

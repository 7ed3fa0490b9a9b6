package workflows_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// The oracle: what was promised, told by the partners' journals, by what the record shows, and
// by what the program and its operator did. It knows no state, no step and no table of ours.

// profile is one that the SM-DP+ allotted, as its journal leaves it.
type profile struct {
	iccid, order, matchingID string
	released                 bool
}

// inHand are the profiles that were allotted and not given back, by ICCID.
func (w *world) inHand() map[string]profile {
	held := make(map[string]profile)
	for _, e := range w.smdp.journal.Entries() {
		facts, ok := e.Data["profile"].(map[string]any)
		if !ok {
			continue
		}
		text := func(key string) string { s, _ := facts[key].(string); return s }
		switch esimtest.State(text("state")) {
		case esimtest.Available, esimtest.Unavailable:
			delete(held, e.Reference)
		case esimtest.Allocated, esimtest.Linked, esimtest.Confirmed, esimtest.Released, esimtest.Downloaded, esimtest.Installed, esimtest.Errored:
			held[e.Reference] = profile{
				iccid: e.Reference, order: text("call_id"), matchingID: text("matching_id"),
				released: text("state") == string(esimtest.Released),
			}
		}
	}
	return held
}

// lines are the ICCIDs of the lines that are up or coming up.
func (w *world) lines() map[string]string {
	up := make(map[string]string)
	for _, e := range w.carrier.journal.Entries() {
		facts, ok := e.Data["line"].(map[string]any)
		if !ok {
			continue
		}
		id, _ := facts["line_id"].(string)
		iccid, _ := facts["iccid"].(string)
		if state := facts["state"]; state == "ACTIVE" || state == "PENDING" {
			up[id] = iccid
			continue
		}
		delete(up, id)
	}
	return up
}

// oracle is the end of a program.
type oracle struct {
	*world

	t     *testing.T
	a     mobile.Activation
	found []string
}

func (o *oracle) says(ok bool, format string, args ...any) {
	if !ok {
		o.found = append(o.found, fmt.Sprintf(format, args...))
	}
}

// broken tells which promises were not kept.
func (w *world) broken(t *testing.T) []string {
	t.Helper()
	o := &oracle{world: w, t: t, a: w.now(w.t)}
	o.found = append(o.found, w.wrong...)
	o.onceOutside()
	o.oneKeyEach()
	o.neverTakenDown()
	o.cancelKept()
	o.says(o.a.State.Final(), "it has not ended: %s %s, items %+v", o.a.State, o.a.Reason, o.a.OpenItems())
	switch o.a.State { //nolint:exhaustive // The oracle knows the ends only.
	case mobile.StateSucceeded:
		o.succeeded()
	case mobile.StateCancelled, mobile.StateRejected:
		o.givenBack()
	}
	o.why()
	if len(o.found) > 0 {
		o.found = append(o.found, "decided: "+w.operator.story(), "ended: "+string(o.a.State)+" "+o.a.Reason)
	}
	return o.found
}

func (o *oracle) again(act mobile.Act) int {
	return len(o.operator.done(mobile.ResolutionSendAgain, act))
}

// onceOutside: one profile, one line, one mail, and one more for each that was ordered again.
func (o *oracle) onceOutside() {
	orders, lines, mails := o.smdp.count(o.t, "download_order"), o.carrier.count(o.t, carriertest.ActActivateLine), o.sendgrid.count(o.t, mailtest.ActAccepted)
	o.says(orders <= 1+o.again(mobile.ActOrderProfile), "%d profiles were allotted, and %d ordered again", orders, o.again(mobile.ActOrderProfile))
	o.says(lines <= 1, "%d lines were ordered", lines)
	o.says(len(o.lines()) <= 1, "%d lines are up", len(o.lines()))
	o.says(mails <= 1+o.again(mobile.ActSendMail), "%d mails were accepted, and %d ordered again", mails, o.again(mobile.ActSendMail))
}

// oneKeyEach: all attempts at an act go out under one key and in one wording, one key is one
// act, and what is ordered again has a key of its own.
func (o *oracle) oneKeyEach() {
	keys, bodies := make(map[string][]string), make(map[string]string)
	for _, c := range o.calls {
		if c.key == "" {
			continue
		}
		if !slices.Contains(keys[c.route], c.key) {
			keys[c.route] = append(keys[c.route], c.key)
		}
		if before, known := bodies[c.route+c.key]; known && before != c.body {
			o.says(false, "two wordings of %s under the key %s", c.route, c.key)
		}
		bodies[c.route+c.key] = c.body
	}
	for route, act := range map[string]mobile.Act{
		routeDownload: mobile.ActOrderProfile, routeConfirm: mobile.ActConfirmProfile, routeReturn: mobile.ActCancelProfile,
		routeOrder: mobile.ActActivateLine, routeTakeDown: mobile.ActDeactivateLine, routeMail: mobile.ActSendMail,
	} {
		o.says(len(keys[route]) <= 1+o.again(act), "%s went out under the keys %v, and was ordered again %d times", route, keys[route], o.again(act))
	}
	acted := make(map[string]int)
	for _, p := range []partner{o.smdp, o.carrier, o.sendgrid} {
		for _, e := range p.journal.Entries() {
			key := e.Key
			if e.Act == mailtest.ActAccepted {
				key = e.Reference
			}
			if e.Act == "refused" || key == "" || key == byHand {
				continue
			}
			acted[e.Act+" "+key]++
			o.says(acted[e.Act+" "+key] == 1, "%s happened twice under the key %s", e.Act, key)
		}
	}
}

// neverTakenDown: a line that a read showed live stays, and what is live is not undone.
func (o *oracle) neverTakenDown() {
	down := o.carrier.count(o.t, carriertest.ActDeactivateLine)
	o.says(o.a.Live.IsZero() || down == 0, "a line was taken down after it was live")
	o.says(o.a.Live.IsZero() || o.a.State != mobile.StateCancelled && o.a.State != mobile.StateRejected, "it is live and ended %s", o.a.State)
	o.says(o.sendgrid.count(o.t, mailtest.ActAccepted) == 0 || !o.a.Live.IsZero(), "a mail went out, and the line is not live")
}

// cancelKept: a cancel that was accepted is heeded, and one that came too late is not.
func (o *oracle) cancelKept() {
	o.says(!o.cancelled || o.a.State != mobile.StateSucceeded, "a cancel was accepted, and it succeeded")
	o.says(!o.tooLate || o.a.State != mobile.StateCancelled || len(o.operator.done(mobile.ResolutionGiveUp, "")) > 0,
		"a cancel was refused, and it was cancelled")
}

// succeeded: exactly one line is up, on a profile that can be downloaded and whose code the
// customer was sent; billing was told once.
func (o *oracle) succeeded() {
	leaked, held := o.leakedOrders(), o.inHand()
	o.says(len(o.lines()) == 1, "it succeeded with %d lines up", len(o.lines()))
	for _, iccid := range o.lines() {
		p := held[iccid]
		o.says(p.released, "the line is on the eSIM %s, which cannot be downloaded", iccid)
		for _, e := range o.sendgrid.journal.Entries() {
			body, _ := e.Data["body"].(string)
			o.says(strings.Contains(body, p.matchingID), "a mail has another activation code than the line's eSIM")
		}
		delete(held, iccid)
	}
	for _, p := range held {
		o.says(slices.Contains(leaked, p.order), "the eSIM %s is in hand beside the line's, and not listed as leaked", p.iccid)
	}
	mails, told := o.sendgrid.count(o.t, mailtest.ActAccepted), len(o.operator.done(mobile.ResolutionDone, mobile.ActSendMail))
	o.says(mails+told > 0, "the customer has no mail")
	o.says(o.subscriptionStatus() == mobile.SubscriptionActive, "the subscription is %s", o.subscriptionStatus())
	o.says(o.events(mobile.EventSubscriptionActivated) == 1, "billing was told %d times", o.events(mobile.EventSubscriptionActivated))
}

// givenBack: no line is up, nothing is in hand but what is listed as leaked, billing was told
// nothing, and the subscription can be launched again.
func (o *oracle) givenBack() {
	leaked := o.leakedOrders()
	o.says(len(o.lines()) == 0, "a line was left up: %v", o.lines())
	for _, p := range o.inHand() {
		o.says(slices.Contains(leaked, p.order), "the eSIM %s was left in hand", p.iccid)
	}
	for _, state := range []mobile.ProfileState{mobile.ProfileReserved, mobile.ProfileReleased} {
		o.says(len(o.profiles(state)) == 0, "a profile is still %s", state)
	}
	want := mobile.SubscriptionPending
	if o.cancelled && o.program.Cancel.By == byBilling {
		want = mobile.SubscriptionCancelled
	}
	o.says(o.subscriptionStatus() == want, "the subscription is %s", o.subscriptionStatus())
	o.says(o.events(mobile.EventSubscriptionActivated) == 0, "billing was told of a line that is not there")
}

// why: an end has a cause that the program knows.
func (o *oracle) why() {
	gaveUp := len(o.operator.done(mobile.ResolutionGiveUp, "")) > 0
	switch o.a.State { //nolint:exhaustive // The oracle knows the ends only.
	case mobile.StateSucceeded:
		o.says(o.program.Customer.Refused == "" || o.program.Customer.Type != "" && len(o.program.Stock) > 0,
			"it succeeded, and the partners refuse such customers")
	case mobile.StateCancelled:
		o.says(o.cancelled || gaveUp || o.program.Cancel.By == byEngine, "it was cancelled by nobody")
	case mobile.StateRejected:
		o.says(o.program.Customer.Refused == o.a.Reason, "it was refused for %s, and no partner says so", o.a.Reason)
	case mobile.StateFailed:
		o.says(len(o.operator.done(mobile.ResolutionEndAsFailed, "")) > 0, "it failed, and nobody said so")
	}
}

// leakedOrders are the orders that are listed as leaked.
func (o *oracle) leakedOrders() (orders []string) {
	for _, p := range o.profiles(mobile.ProfileLeaked) {
		orders = append(orders, p.OrderReference)
	}
	return orders
}

func (o *oracle) profiles(state mobile.ProfileState) (list []mobile.Profile) {
	o.tenant(o.t, o.activation.Tenant, func(s *store.Store) (err error) {
		list, err = s.ListProfiles(o.ctx(), o.activation.Tenant,
			store.ProfileFilter{Activation: o.activation.ID, States: []mobile.ProfileState{state}}, store.Cursor{}, 100)
		return err
	})
	return list
}

func (o *oracle) subscriptionStatus() mobile.SubscriptionStatus { return o.subscription(o.t).Status }

// events counts the events of a type in the feed.
func (o *oracle) events(kind mobile.EventType) (n int) {
	o.system(o.t, func(s *store.Store) error {
		_, err := s.NumberFeed(o.ctx(), 100)
		return err
	})
	o.tenant(o.t, o.activation.Tenant, func(s *store.Store) error {
		page, err := s.ListEvents(o.ctx(), o.activation.Tenant, store.EventFilter{Subscription: o.activation.Subscription}, 1000)
		for _, e := range page.Events {
			if e.Type == kind {
				n++
			}
		}
		return err
	})
	return n
}

package workflows_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/workflows"
)

// away is one way in which a partner can be away.
type away struct {
	// acts tells that the partner may act all the same: it is for what can be repeated.
	acts bool
	// begin lets the act's calls meet it until it is told to end.
	begin func(t *testing.T, b *bundle, o outage) (end func())
}

func faulty(faults ...partnertest.Fault) func(*testing.T, *bundle, outage) func() {
	return func(t *testing.T, b *bundle, o outage) func() {
		t.Helper()
		p := o.at(b)
		for _, fault := range faults {
			fault.Match = o.route
			p.breaks(t, fault)
		}
		return func() { p.faults.Clear("") }
	}
}

var aways = map[string]away{
	// No byte leaves.
	"Refused":     {begin: refuseConnections},
	"Unavailable": {begin: faulty(partnertest.Fault{Kind: partnertest.Status, Status: http.StatusServiceUnavailable})},
	// Bytes leave, and nothing is done.
	"Dropped": {acts: true, begin: faulty(partnertest.Fault{Kind: partnertest.DropBefore})},
	// It is done, and the answer does not come in time; all later ones are cut off.
	"NoAnswer": {acts: true, begin: faulty(
		partnertest.Fault{Kind: partnertest.Hang, Applied: true, Times: 1}, partnertest.Fault{Kind: partnertest.DropAfter})},
}

// outage is an act during which a partner is away.
type outage struct {
	order order
	// prepare sets the stage, once the activation is launched; may be nil.
	prepare  func(*testing.T, *bundle)
	policies workflows.Policies
	at       func(*bundle) *partner
	// route is the act's call, and after the last call to that partner before it; empty when
	// there is none.
	route, after string
	// repeatable tells that an answer that was lost needs nobody.
	repeatable bool
	// followUp is what the act belongs to; empty: the activation's own run.
	followUp mobile.FollowUpKind
	step     mobile.StepName
	want     workflows.ActivationResult
	// more is what is done outside beside, or other than, one activation.
	more map[string]int
}

func atCarrier(b *bundle) *partner  { return &b.carrier }
func atSMDP(b *bundle) *partner     { return &b.smdp }
func atSendGrid(b *bundle) *partner { return &b.sendgrid }

var (
	nothingLive = map[string]int{"activate_line": 0, "mail_accepted": 0, "cancel_order": 1}
	replaced    = map[string]int{"download_order": 2, "confirm_order": 2, "change_sim": 1, "cancel_order": 1, "mail_accepted": 2}
)

var outageActs = map[string]outage{
	"CheckDevice": {at: atCarrier, route: routeDevice, repeatable: true, step: mobile.StepCheckDevice, want: succeeded},
	"Order":       {at: atSMDP, route: routeDownload, step: mobile.StepReserveESIM, want: succeeded},
	"OrderOfOurStock": {
		prepare: func(t *testing.T, b *bundle) { t.Helper(); b.stock(t, 1) },
		at:      atSMDP, route: routeDownload, repeatable: true, step: mobile.StepReserveESIM, want: succeeded,
	},
	"Confirm":  {at: atSMDP, route: routeConfirm, after: routeDownload, repeatable: true, step: mobile.StepReserveESIM, want: succeeded},
	"Activate": {at: atCarrier, route: routeOrder, after: routeDevice, repeatable: true, step: mobile.StepActivateLine, want: succeeded},
	"Read":     {at: atCarrier, route: routeRead, after: routeOrder, repeatable: true, step: mobile.StepActivateLine, want: succeeded},
	"Mail":     {at: atSendGrid, route: routeMail, step: mobile.StepSendActivationEmail, want: succeeded},
	"GiveBack": {
		order: order{zip: carriertest.ZIPNotServedAtActivation},
		at:    atSMDP, route: routeReturn, after: routeConfirm, repeatable: true, step: mobile.StepReserveESIM,
		want: workflows.ActivationResult{State: mobile.StateRejected, Reason: "ZIP_NOT_SERVED"}, more: nothingLive,
	},
	"TakeDown": {
		order:    order{imei: carriertest.IMEIComesUpSilently, comesUpAfter: time.Hour},
		prepare:  func(t *testing.T, b *bundle) { t.Helper(); b.after(time.Minute, func() { b.cancel(t) }) },
		policies: workflows.Policies{LinePoll: workflows.Duration(24 * time.Hour), LinePatience: workflows.Duration(48 * time.Hour)},
		at:       atCarrier, route: routeTakeDown, after: routeRead, repeatable: true, step: mobile.StepActivateLine,
		want: cancelled, more: map[string]int{"mail_accepted": 0, "cancel_order": 1, "deactivate_line": 1},
	},
	"Resend": {
		at: atSendGrid, route: routeMail, followUp: mobile.FollowUpResend, step: mobile.StepResendActivationEmail,
		more: map[string]int{"mail_accepted": 2},
	},
	"Replace/Order": {
		at: atSMDP, route: routeDownload, followUp: mobile.FollowUpReplace, step: mobile.StepReplaceProfile, more: replaced,
	},
	"Replace/Confirm": {
		at: atSMDP, route: routeConfirm, after: routeDownload, repeatable: true, followUp: mobile.FollowUpReplace,
		step: mobile.StepReplaceProfile, more: replaced,
	},
	"Replace/ChangeSIM": {
		at: atCarrier, route: routeChange, repeatable: true, followUp: mobile.FollowUpReplace,
		step: mobile.StepReplaceProfile, more: replaced,
	},
	"Replace/Read": {
		at: atCarrier, route: routeRead, after: routeChange, repeatable: true, followUp: mobile.FollowUpReplace,
		step: mobile.StepReplaceProfile, more: replaced,
	},
	"Replace/Mail": {
		at: atSendGrid, route: routeMail, followUp: mobile.FollowUpReplace, step: mobile.StepReplaceProfile, more: replaced,
	},
	"Replace/Retire": {
		at: atSMDP, route: routeReturn, after: routeConfirm, repeatable: true, followUp: mobile.FollowUpReplace,
		step: mobile.StepReplaceProfile, more: replaced,
	},
}

// Whichever partner is away for an hour, at whichever act and in whichever way: an operator
// is asked, the question closes itself, it goes on by itself, and nothing is done twice. What
// cannot be repeated is here for outages in which nothing can have happened; an answer that is
// lost asks something else (TestAnswerLost_OthersAskAnOperator).
func TestOutage(t *testing.T) {
	t.Parallel()
	for act, o := range outageActs {
		for way, away := range aways {
			if away.acts && !o.repeatable {
				continue
			}
			t.Run(act+"/"+way, func(t *testing.T) {
				t.Parallel()
				b := setup(t, o.order)
				if o.followUp == "" {
					o.run(t, b, away)
					return
				}
				o.runFollowUp(t, b, away)
			})
		}
	}
}

// run lets the partner be away during the activation's own run.
func (o outage) run(t *testing.T, b *bundle, way away) {
	t.Helper()
	end := way.begin(t, b, o)
	b.engine(t, b.activation.WorkflowID)
	if o.prepare != nil {
		o.prepare(t, b)
	}
	var during mobile.Activation
	b.after(time.Hour, func() {
		during = b.now(t)
		end()
	})

	result := b.run(t, o.policies)

	if diff := cmp.Diff(o.want, result); diff != "" {
		t.Error(diff)
	}
	if during.State != mobile.StateWaitingForOperator || during.Reason != "STEP_STUCK" || during.Deadline.IsZero() {
		t.Errorf("after an hour it was %s %s until %v", during.State, during.Reason, during.Deadline)
	}
	for _, step := range during.Steps {
		if step.Name == o.step && (step.State != mobile.StepRetrying || step.NextTry.IsZero() || step.Reason == "") {
			t.Errorf("after an hour the step said %+v", step)
		}
	}
	o.wantOneQuestion(t, b, during, "")
	if a := b.now(t); a.State != o.want.State {
		t.Errorf("in the end it was %s", a.State)
	}
	o.wantOutside(t, b)
}

// runFollowUp lets the partner be away during a follow-up of an activation that has succeeded.
func (o outage) runFollowUp(t *testing.T, b *bundle, way away) {
	t.Helper()
	b.succeed(t)
	end := way.begin(t, b, o)
	prepare := b.prepareResend
	if o.followUp != mobile.FollowUpResend {
		prepare = nil
	}
	f := b.file(t, o.followUp, prepare)
	var during mobile.Activation
	b.after(time.Hour, func() {
		during = b.now(t)
		end()
	})

	result := b.runFollowUp(t, f)

	if diff := cmp.Diff(followUpDone, result); diff != "" {
		t.Error(diff)
	}
	if during.State != mobile.StateSucceeded {
		t.Errorf("meanwhile the activation was %s", during.State)
	}
	o.wantOneQuestion(t, b, during, f.ID)
	o.wantOutside(t, b)
}

// wantOneQuestion: one was open during the outage, about the step, and it closed by itself.
func (o outage) wantOneQuestion(t *testing.T, b *bundle, during mobile.Activation, followUp mobile.FollowUpID) {
	t.Helper()
	open := during.OpenItems()
	if len(open) != 1 || open[0].Kind != mobile.ItemStepStuck || open[0].Step != o.step || open[0].FollowUp != followUp || open[0].Due.IsZero() {
		t.Errorf("after an hour the open items were %+v", open)
	}
	items := b.now(t).Items
	if len(items) != 1 || items[0].Closed.IsZero() || items[0].Resolution != "" || items[0].Actor != "" {
		t.Errorf("in the end the items were %+v", items)
	}
}

// wantOutside looks into the journals for what was really done.
func (o outage) wantOutside(t *testing.T, b *bundle) {
	t.Helper()
	want := map[string]int{
		"download_order": 1, "confirm_order": 1, "cancel_order": 0, "activate_line": 1, "deactivate_line": 0, "change_sim": 0, "mail_accepted": 1,
	}
	maps.Copy(want, o.more)
	got := make(map[string]int)
	for act := range want {
		for _, p := range []partner{b.carrier, b.smdp, b.sendgrid} {
			got[act] += p.count(t, act)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outside was done: %s", diff)
	}
}

// door is an address through which a partner is reached, and which can be given up.
type door struct {
	server  *http.Server
	address string
	after   string

	mu       sync.Mutex
	listener net.Listener
	// closing tells that it closes after the call that it waits for.
	closing bool
	serving sync.WaitGroup
}

// refuseConnections puts a door before the act's partner and gives its address up once the
// call before the act has been answered: then connections are refused.
func refuseConnections(t *testing.T, b *bundle, o outage) func() {
	t.Helper()
	p := o.at(b)
	behind, err := url.Parse(p.url)
	fatal(t, err)
	// Nobody else listens there, so that it is free again when the hour is over.
	d := &door{address: fmt.Sprintf("127.%d.%d.%d:0", 1+rand.N(250), rand.N(250), 1+rand.N(250)), after: o.after, closing: true}
	transport := &http.Transport{DisableKeepAlives: true}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }}
	d.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if routeOf(r) == d.after {
			d.shut(w.Header())
		}
		proxy.ServeHTTP(w, r)
	})}
	fatal(t, d.open())
	d.address = d.listener.Addr().String()
	p.url = "http://" + d.address
	if d.after == "" {
		d.shut(http.Header{})
	}
	t.Cleanup(func() {
		_ = d.server.Close()
		d.serving.Wait()
	})
	return func() {
		if err := d.open(); err != nil {
			t.Error(err)
		}
	}
}

// open listens.
func (d *door) open() error {
	listener, err := net.Listen("tcp", d.address)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listener = listener
	d.serving.Go(func() { _ = d.server.Serve(listener) })
	return nil
}

// shut stops listening, once; the connection that is open ends with its answer.
func (d *door) shut(answer http.Header) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closing {
		return
	}
	d.closing = false
	answer.Set("Connection", "close")
	_ = d.listener.Close()
}

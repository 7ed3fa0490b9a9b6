package workflows_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/workflows"
)

// The times of a program, from its first run on.
const (
	// mendedAfter is when all outages are over.
	mendedAfter = 90 * time.Minute
	// impatientAfter is when the operator gives up what still does not get through.
	impatientAfter = 4 * time.Hour
	// horizon is when everything must have ended, because every question was answered.
	horizon = 3 * 24 * time.Hour
	// lateness is how long a late call is on its way: longer than the caller waits, and less
	// than the quarantine of what may still be on its way.
	lateness = 3 * time.Second
	// longest is what a run may take of real time.
	longest = 30 * time.Second
)

// call is one call to a partner as it left us.
type call struct {
	route, key, body string
}

// world is one program being lived through: a bundle whose partners are watched, whose worker
// can be lost, and with an operator.
type world struct {
	*bundle

	t        *testing.T
	program  program
	database *storetest.Database
	operator operator
	began    time.Time

	mu    sync.Mutex
	calls []call
	late  []string
	// passed counts the calls of this run, lost those that were lost so far.
	passed int
	losses []loss
	// arrivals are the calls that arrive late, those that have come too.
	arrivals []func()
	run      *running
	// cancels are what came of the cancels, in words of this test.
	cancelled, tooLate, cancelDone bool
	wrong                          []string
	told                           map[string]bool
	heard                          time.Time
	bitten                         int
}

// running is one run on one worker.
type running struct {
	env    *testsuite.TestWorkflowEnvironment
	db     *store.DB
	worker *faithful
	lost   bool
}

func newWorld(t *testing.T, p program) *world {
	t.Helper()
	w := &world{t: t, program: p, late: slices.Clone(p.Late), losses: slices.Clone(p.Losses), told: make(map[string]bool)}
	w.began = time.Now()
	w.database = storetest.Make(t, storetest.Config{Now: w.clock})
	w.bundle = &bundle{db: w.database.DB}
	w.launch(t, p.Customer.order())
	w.stock()
	w.open()
	for _, fault := range p.Faults {
		w.at(fault.Match).breaks(t, fault)
	}
	w.operator = operator{w: w, answers: slices.Clone(p.Answers)}
	return w
}

// clock is the time of the run, for the record as for the run itself.
func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run == nil {
		return w.began
	}
	return w.run.env.Now()
}

// at is the partner of a route.
func (w *world) at(route string) partner {
	switch {
	case strings.Contains(route, "/gsma/"):
		return w.smdp
	case route == routeMail:
		return w.sendgrid
	}
	return w.carrier
}

// open opens the partners with somebody who watches in front of them.
func (w *world) open() {
	w.carrier = pretend(w.t, "carrier", func(p partner) (http.Handler, func()) {
		server, err := carriertest.New(carriertest.Config{Journal: p.journal, Faults: p.faults, ComesUpAfter: w.program.ComesUpAfter})
		fatal(w.t, err)
		return w.watched(server), server.Close
	})
	w.smdp = pretend(w.t, "smdp", func(p partner) (http.Handler, func()) {
		server, err := esimtest.New(esimtest.Config{Journal: p.journal, Faults: p.faults, SMDPAddress: smdpAddress})
		fatal(w.t, err)
		return w.watched(server), server.Close
	})
	w.sendgrid = pretend(w.t, "sendgrid", func(p partner) (http.Handler, func()) {
		server, err := mailtest.New(mailtest.Config{Journal: p.journal, Faults: p.faults})
		fatal(w.t, err)
		return w.watched(server), server.Close
	})
}

// stock imports profiles: those that the SM-DP+ has, and those that it does not know.
func (w *world) stock() {
	var iccids []mobile.ICCID
	for i, known := range w.program.Stock {
		iccidRange := "8999"
		if known {
			iccidRange = "8901"
		}
		iccids = append(iccids, iccidIn(fmt.Sprintf("%s%014d", iccidRange, i+1)))
	}
	if len(iccids) == 0 {
		return
	}
	w.tenant(w.t, w.activation.Tenant, func(s *store.Store) error {
		_, err := s.ImportProfiles(w.ctx(), w.activation.Tenant, w.activation.ProfileType, iccids, "a delivery")
		return err
	})
}

// iccidIn adds the check digit.
func iccidIn(body string) mobile.ICCID {
	for digit := range 10 {
		if iccid, err := mobile.ParseICCID(fmt.Sprint(body, digit)); err == nil {
			return iccid
		}
	}
	return ""
}

func (w *world) ctx() context.Context { return context.WithoutCancel(w.t.Context()) }

// note keeps what went against a promise on the way.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// watched stands in front of a partner: it writes down what comes, lets calls arrive late, and
// does what the program has for the moment of a call.
func (w *world) watched(partner http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if keyOf(r, body) == byHand {
			partner.ServeHTTP(rw, withBody(r, body))
			return
		}
		p := w.passing(r, body)
		w.happen(p, before)
		switch {
		case w.lostAt(p, before):
			panic(http.ErrAbortHandler)
		case p.late:
			w.arrivesLate(func() { served(partner, withBody(nobodyWaits(r), body)) })
			panic(http.ErrAbortHandler)
		case !w.awaited(p):
			partner.ServeHTTP(rw, withBody(r, body))
			return
		}
		reply, whole := served(partner, withBody(r, body))
		w.happen(p, acted)
		if w.lostAt(p, acted) || !whole {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(rw.Header(), reply.Header())
		rw.WriteHeader(reply.Code)
		_, _ = rw.Write(reply.Body.Bytes())
	})
}

// arrivesLate lets a call arrive a moment later, or when the run has ended before that.
func (w *world) arrivesLate(arrive func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.arrivals)
	w.arrivals = append(w.arrivals, arrive)
	w.run.env.RegisterDelayedCallback(func() { w.arrives(n) }, lateness)
}

// arrives lets the n-th late call arrive, once.
func (w *world) arrives(n int) {
	w.mu.Lock()
	arrive := w.arrivals[n]
	w.arrivals[n] = func() {}
	w.mu.Unlock()
	arrive()
}

// served lets a partner act; whole is false when its connection would have broken.
func served(partner http.Handler, r *http.Request) (reply *httptest.ResponseRecorder, whole bool) {
	reply = httptest.NewRecorder()
	defer func() {
		if r := recover(); r != nil && r != any(http.ErrAbortHandler) {
			panic(r)
		}
	}()
	partner.ServeHTTP(reply, r)
	return reply, true
}

// nobodyWaits is a request whose caller has gone.
func nobodyWaits(r *http.Request) *http.Request {
	ctx, gone := context.WithCancel(context.WithoutCancel(r.Context()))
	gone()
	return r.WithContext(ctx)
}

// withBody is the request with its body once more.
func withBody(r *http.Request, body []byte) *http.Request {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return again
}

// byHand is the key of what an operator does at a partner.
const byHand = "by-hand"

// keyOf is what makes a repeated call the same act at the partner: its key, the call id, or the
// id of the notice.
func keyOf(r *http.Request, body []byte) string {
	var b struct {
		Header struct {
			CallID string `json:"functionCallIdentifier"`
		} `json:"header"`
		CustomArgs struct {
			NoticeID string `json:"notice_id"`
		} `json:"custom_args"`
	}
	_ = json.Unmarshal(body, &b)
	return r.Header.Get("Idempotency-Key") + b.Header.CallID + b.CustomArgs.NoticeID
}

// passing is a call of this run as it comes by.
type passing struct {
	n     int
	route string
	// first tells that it is the run's first of its route, late that it arrives late.
	first, late bool
}

// before and acted are when something happens: before the partner acts on a call, or after.
const (
	before = false
	acted  = true
)

// is tells whether the moment is now.
func (m moment) is(p passing, acted bool) bool {
	return m.Acted == acted && (m.Call == p.n || m.Route == p.route && p.first)
}

// passing writes a call down.
func (w *world) passing(r *http.Request, body []byte) passing {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := passing{route: routeOf(r)}
	p.first = !slices.ContainsFunc(w.calls[len(w.calls)-w.passed:], func(c call) bool { return c.route == p.route })
	w.passed++
	p.n = w.passed
	w.calls = append(w.calls, call{route: p.route, key: keyOf(r, body), body: string(body)})
	if i := slices.Index(w.late, p.route); i >= 0 && !w.run.lost {
		w.late = slices.Delete(w.late, i, i+1)
		p.late = true
	}
	return p
}

func routeOf(r *http.Request) string {
	for _, route := range append([]string{routeChange}, routes...) {
		method, pattern, _ := strings.Cut(route, " ")
		if ok, _ := path.Match(pattern, r.URL.Path); ok && method == r.Method {
			return route
		}
	}
	return r.Method + " " + r.URL.Path
}

// awaited tells whether something happens once the partner has acted on a call.
func (w *world) awaited(p passing) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.program.Cancel.When.is(p, acted) || len(w.losses) > 0 && w.losses[0].When.is(p, acted)
}

// happen lets the cancel come that is due at a call.
func (w *world) happen(p passing, acted bool) {
	if w.program.Cancel.By != byNobody && w.program.Cancel.When.is(p, acted) {
		w.cancelAs(w.program.Cancel.By)
	}
}

// lostAt tells whether the run's worker is lost at a call, and takes it away with all that it
// knows: nothing of this call reaches the record.
func (w *world) lostAt(p passing, acted bool) bool {
	w.mu.Lock()
	due := len(w.losses) > 0 && w.losses[0].When.is(p, acted) && !w.run.lost
	run := w.run
	w.mu.Unlock()
	if due {
		run.db.Close()
		w.lose(run)
	}
	return due
}

// stopped ends the test environment's run.
const stopped = "the run is stopped"

// lose stops a run where it is.
func (w *world) lose(run *running) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if run.lost {
		return
	}
	run.lost = true
	w.losses = w.losses[1:]
	run.env.RegisterDelayedCallback(func() { panic(stopped) }, 0)
}

// current is the run that goes on.
func (w *world) current() *running {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.run
}

// play lives through the program, run after run.
func (w *world) play() {
	if w.program.Cancel.First {
		w.cancelAs(w.program.Cancel.By)
	}
	start := w.began
	for {
		run := w.worker(start)
		ended := w.runs(run)
		run.worker.leave()
		for n := range w.arrivals {
			w.arrives(n)
		}
		start = run.env.Now().Add(time.Minute)
		if ended || !run.lost {
			break
		}
		w.tenant(w.t, w.activation.Tenant, func(s *store.Store) error {
			return s.ClaimRun(w.ctx(), w.activation.ID, "", "a run that is lost")
		})
	}
	w.mend()
	w.hear()
}

// worker makes the worker of another run.
func (w *world) worker(start time.Time) *running {
	var suite testsuite.WorkflowTestSuite
	logger := slog.New(slog.DiscardHandler)
	suite.SetLogger(sdklog.NewStructuredLogger(logger))
	run := &running{env: suite.NewTestWorkflowEnvironment(), db: w.database.Open(w.t, storetest.Config{Now: w.clock})}
	run.worker = &faithful{wake: func() { run.env.SignalWorkflow("an attempt has ended", nil) }, now: run.env.Now}
	run.env.SetTestTimeout(30 * time.Second)
	run.env.SetStartTime(start)
	run.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: w.activation.WorkflowID, TaskQueue: "test"})
	run.env.SetWorkerOptions(worker.Options{
		Interceptors: []interceptor.WorkerInterceptor{run.worker, activities.NewInterceptor(run.db, logger)},
	})
	workflows.Register(run.env)
	theirs := *w.bundle
	theirs.db = run.db
	activities.Register(run.env, theirs.collaborators(w.t))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.run, w.passed, w.heard = run, 0, start
	return run
}

// runs lets a run run until it ends, is lost, or has outlived the horizon.
func (w *world) runs(run *running) (ended bool) {
	w.plan(run)
	watch := time.AfterFunc(longest, func() {
		w.note("it goes round and round: %s of real time have passed", longest)
		run.env.RegisterDelayedCallback(func() { panic(stopped) }, 0)
	})
	defer watch.Stop()
	defer func() {
		if r := recover(); r != nil && r != any(stopped) {
			panic(r)
		}
	}()
	run.env.ExecuteWorkflow(string(w.activation.Type), workflows.ActivationInput{
		Tenant: w.activation.Tenant, Activation: w.activation.ID,
		Policies: workflows.Policies{LinePoll: workflows.Duration(3 * time.Minute)},
	})
	if err := run.env.GetWorkflowError(); err != nil {
		w.note("the run failed: %v", err)
	}
	return true
}

// plan has the world go on beside a run.
func (w *world) plan(run *running) {
	for at := 10 * time.Minute; at <= horizon; at += 10 * time.Minute {
		if at > 6*time.Hour {
			at += 3 * time.Hour
		}
		run.env.RegisterDelayedCallback(w.pass, at)
	}
	run.env.RegisterDelayedCallback(func() { panic(stopped) }, horizon+time.Hour)
	if when := w.program.Cancel.When; w.program.Cancel.By != byNobody && when.At > 0 {
		if left := w.began.Add(when.At).Sub(w.clock()); left > 0 {
			run.env.RegisterDelayedCallback(func() { w.cancelAs(w.program.Cancel.By) }, left)
		}
	}
	if len(w.losses) > 0 && w.losses[0].When.At > 0 {
		run.env.RegisterDelayedCallback(func() { w.lose(run) }, w.losses[0].When.At)
	}
}

// pass is a while that goes by: outages end, SendGrid tells, the relay carries, and the
// operator looks.
func (w *world) pass() {
	if w.clock().Sub(w.began) >= mendedAfter {
		w.mend()
	}
	w.hear()
	w.carry()
	w.listen()
	w.operator.look()
}

// mend ends all outages, and counts what they have bitten.
func (w *world) mend() {
	for _, p := range []partner{w.carrier, w.smdp, w.sendgrid} {
		for _, fault := range p.faults.List() {
			w.bitten += fault.Hits
		}
		p.faults.Clear("")
	}
}

// listen makes sure that nothing is silent: what has not ended for an hour has an open item.
func (w *world) listen() {
	a, now := w.now(w.t), w.clock()
	if len(a.OpenItems()) > 0 || a.State.Final() {
		w.heard = now
	}
	if now.Sub(w.heard) > time.Hour {
		w.note("it is silent: %s %q since %s, and no item is open", a.State, a.Next, w.heard)
		w.heard = now
	}
	if len(a.OpenItems()) == 0 && a.State == mobile.StateWaitingForOperator {
		w.note("it waits for an operator, and no item is open")
	}
}

// carry is the relay: it brings wake-ups to the run.
func (w *world) carry() {
	for {
		var messages []store.Message
		err := w.db.InSystem(w.ctx(), func(s *store.Store) (err error) {
			if messages, err = s.ClaimMessages(w.ctx(), 10, time.Minute); err != nil {
				return err
			}
			for _, m := range messages {
				if err := s.MessageDelivered(w.ctx(), m.ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			w.note("the relay: %v", err)
			return
		}
		for _, m := range messages {
			if !m.Start {
				w.current().env.SignalWorkflow("intake", workflows.Intake{ID: m.IntakeID})
			}
		}
		if len(messages) == 0 {
			return
		}
	}
}

// hear lets SendGrid tell what became of the mails that it has accepted, twice.
func (w *world) hear() {
	if w.program.Events == "" {
		return
	}
	for _, e := range w.sendgrid.journal.Entries() {
		if e.Act != mailtest.ActAccepted || w.told[e.Reference] {
			continue
		}
		w.told[e.Reference] = true
		for range 2 {
			if err := w.db.InSystem(w.ctx(), func(s *store.Store) error { return w.tell(s, e) }); err != nil {
				w.note("SendGrid's events: %v", err)
			}
		}
	}
}

func (w *world) tell(s *store.Store, e partnertest.Entry) error {
	id, _ := e.Data["message_id"].(string)
	fresh, err := s.KeepPartnerEvent(w.ctx(), store.PartnerEvent{
		Partner: mobile.PartnerSendGrid, DedupKey: e.Reference, Kind: w.program.Events, Activation: w.activation.ID,
		Body: []byte("{}"), Occurred: w.clock(),
	})
	if err != nil || !fresh {
		return err
	}
	became := mobile.NoticeDelivered
	if w.program.Events == "bounced" {
		became = mobile.NoticeBounced
	}
	_, err = s.HearOfNotice(w.ctx(), store.NoticeWord{Notice: e.Reference, State: became, MessageID: id, At: w.clock()})
	return err
}

// cancelAs files a cancel, once, and brings it to the run.
func (w *world) cancelAs(by canceller) {
	w.mu.Lock()
	again := w.cancelDone
	w.cancelDone = true
	run := w.run
	w.mu.Unlock()
	switch {
	case again:
	case by == byEngine:
		run.env.CancelWorkflow()
	default:
		w.fileCancel(by)
		if run != nil {
			w.carry()
		}
	}
}

// fileCancel files a cancel as the front does.
func (w *world) fileCancel(by canceller) {
	a := w.activation
	wish := store.Cancel{Tenant: a.Tenant, Activation: a.ID, Reason: "changed their mind"}
	wasLive := false
	err := w.db.InTenant(w.ctx(), a.Tenant, func(s *store.Store) error {
		if by == byBilling {
			if _, err := s.LockSubscription(w.ctx(), a.Tenant, a.Subscription); err != nil {
				return err
			}
		}
		now, err := s.LockedActivation(w.ctx(), a.Tenant, a.ID)
		if err != nil {
			return err
		}
		wasLive = !now.Live.IsZero()
		if err := s.CancelActivation(w.ctx(), wish); err != nil || by != byBilling {
			return err
		}
		return s.CancelSubscription(w.ctx(), a.Tenant, a.Subscription)
	})
	w.mu.Lock()
	w.cancelled, w.tooLate = err == nil, err != nil
	w.mu.Unlock()
	if err == nil && wasLive {
		w.note("a cancel was accepted although the line was live")
	}
}

package relay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/workflows"
)

// A run that is gone, whoever ended it, is started again as it was at first: that of an
// activation, and that of a follow-up.
func TestLook_Lost(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	a := storetest.Launched(t, d.DB)
	var f mobile.FollowUp
	must(t, d.InTenant(t.Context(), a.Tenant, func(s *store.Store) (err error) {
		f, err = s.FileFollowUp(t.Context(), mobile.FollowUp{
			Tenant: a.Tenant, Activation: a.ID, Kind: mobile.FollowUpResend, Asked: a.Launched,
		}, `{"patience":"1m"}`)
		return err
	}))
	e := newEngine()
	first := run(t, d.DB, e, never)
	e.wait(t, 2)
	until(t, conn, delivered)
	first.stop()
	asAtFirst := e.started()
	e.hasRun(a.WorkflowID, "")
	e.hasRun(f.WorkflowID, "")
	exec(t, conn, `UPDATE activations SET created_at = now() - interval '2 hours'`)
	exec(t, conn, `UPDATE follow_ups SET created_at = now() - interval '2 hours'`)

	second := run(t, d.DB, e, never)
	e.waitLooks(t, 2)
	until(t, conn, lookedAt)
	until(t, conn, strings.Replace(lookedAt, "activations", "follow_ups", 1))
	second.stop()

	if diff := cmp.Diff(asAtFirst, e.started()[2:]); diff != "" {
		t.Errorf("-at first +now\n%s", diff)
	}
	if n := second.metric(t, "dialtone_runs_lost_total"); n != 2 {
		t.Errorf("%v counted as lost", n)
	}
	if log := second.log.String(); strings.Count(log, "a run was lost") != 2 || !strings.Contains(log, string(a.ID)) {
		t.Errorf("the log says\n%s", log)
	}
	if oldest := second.metric(t, "dialtone_runs_unseen_seconds"); oldest > 60 {
		t.Errorf("the oldest look is %v s old", oldest)
	}
}

// A run that is there is left alone, and so is what ends while somebody looks.
func TestLook_LeftAlone(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(*storetest.Database, *engine, mobile.Activation){
		"alive": func(_ *storetest.Database, e *engine, a mobile.Activation) { e.hasRun(a.WorkflowID, "run") },
		"ends meanwhile": func(d *storetest.Database, e *engine, a mobile.Activation) {
			e.show(func(ctx context.Context, _ string) error { return end(ctx, d.DB, a) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := storetest.Make(t, storetest.Config{})
			a := overdue(t, d)
			e := newEngine()
			arrange(d, e, a)

			r := run(t, d.DB, e, never)
			e.waitLooks(t, 1)
			until(t, d.Connect(t), lookedAt)
			r.stop()

			if started := e.started(); len(started) != 0 {
				t.Errorf("started %v", started)
			}
			if n := r.metric(t, "dialtone_runs_lost_total"); n != 0 {
				t.Errorf("%v counted as lost", n)
			}
		})
	}
}

// One look tells that the engine is down, or does not answer in time: no other is tried then.
func TestLook_OneIsEnough(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"down":   workflows.ErrEngineDown.Because(errors.New("connection refused")),
		"silent": fmt.Errorf("look: %w", context.DeadlineExceeded),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := storetest.Make(t, storetest.Config{})
			for range 3 {
				overdue(t, d)
			}
			e := newEngine()
			e.show(func(context.Context, string) error { return err })

			r := run(t, d.DB, e, never)
			for r.metric(t, "dialtone_runs_unseen_seconds") == 0 { // it is told at the end of a pass
			}
			r.stop()

			if n := len(e.looks); n != 1 || len(e.started()) != 0 {
				t.Errorf("asked %d times, started %v", n, e.started())
			}
			if log := r.log.String(); !strings.Contains(log, "does not answer") || strings.Contains(log, "cannot be looked at") {
				t.Errorf("the log says\n%s", log)
			}
		})
	}
}

// While the engine is down nothing is taken for lost, and the looks are made up for as soon as
// it is back.
func TestLook_EngineDown(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	for range 4 {
		overdue(t, d)
	}
	e := newEngine()
	e.show(func(context.Context, string) error {
		return workflows.ErrEngineDown.Because(errors.New("connection refused"))
	})

	r := look(t, d.DB, e, 6*time.Second) // a claim holds for a tenth of a second
	e.waitLooks(t, 3)
	if started := e.started(); len(started) != 0 {
		t.Errorf("started %v while the engine was down", started)
	}
	e.show(func(context.Context, string) error { return nil })
	for len(e.started()) < 4 {
		e.waitLooks(t, 1)
	}
	until(t, conn, lookedAt)
	r.stop()

	if len(e.started()) != 4 {
		t.Errorf("started %v", e.started())
	}
	if log := r.log.String(); strings.Count(log, "does not answer") != 1 || !strings.Contains(log, "answers again") {
		t.Errorf("the log says\n%s", log)
	}
	if n := r.metric(t, "dialtone_relay_failed_total"); n < 3 {
		t.Errorf("%v failures counted", n)
	}
}

// An engine that does not answer in time is down, and its silence is nobody's loss.
func TestLook_EngineHangs(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	overdue(t, d)
	e := newEngine()
	asked := make(chan struct{}, 100)
	e.show(func(ctx context.Context, _ string) error {
		asked <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	r := run(t, d.DB, e, 5*time.Millisecond) // by time, too: a nudge is not heeded once the engine counts as down
	<-asked

	// What is to be carried goes on meanwhile, and a stop waits for nobody.
	storetest.Launched(t, d.DB)
	r.Nudge()
	e.wait(t, 1)
	r.stop()

	if n := r.metric(t, "dialtone_runs_lost_total"); n != 0 || strings.Contains(r.log.String(), "cannot be looked at") {
		t.Errorf("%v counted as lost; log\n%s", n, r.log)
	}
}

// And the other way round: starts that hang hold no look up.
func TestLook_GoesOnWhileStartsHang(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := overdue(t, d)
	storetest.Launched(t, d.DB)
	e := newEngine()
	e.hasRun(a.WorkflowID, "run")
	release := make(chan struct{})
	e.answers(func(context.Context, told) error { <-release; return nil })

	r := run(t, d.DB, e, never)
	e.waitLooks(t, 1)
	close(release)
	e.wait(t, 1)
	r.stop()
}

// One that cannot be looked at for another reason holds no other up, and is tried again.
func TestLook_Fails(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	bad := overdue(t, d)
	good := overdue(t, d)
	e := newEngine()
	e.hasRun(bad.WorkflowID, "run")
	e.show(func(_ context.Context, workflow string) error {
		if workflow == bad.WorkflowID {
			return errors.New("namespace not found")
		}
		return nil
	})

	r := look(t, d.DB, e, 6*time.Second)
	for range 2 { // the good one, and the bad one again
		for e.waitLooks(t, 1)[0] != bad.WorkflowID {
		}
	}
	e.show(func(context.Context, string) error { return nil })
	until(t, conn, lookedAt)
	r.stop()

	if started := e.started(); len(started) != 1 || started[0].WorkflowID != good.WorkflowID {
		t.Errorf("started %v, want the lost one alone", started)
	}
	if log := r.log.String(); !strings.Contains(log, "cannot be looked at") || !strings.Contains(log, string(bad.ID)) {
		t.Errorf("nobody was told: %s", log)
	}
}

// Several relays share the looks, and the engine is asked at a bounded rate.
func TestLook_SharedAndBounded(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	const activations = 14
	for range activations {
		overdue(t, d)
	}
	e := newEngine()
	before := time.Now()

	var relays []bundle
	for range 2 {
		relays = append(relays, run(t, d.Open(t, storetest.Config{}), e, never))
	}
	looks := e.waitLooks(t, activations)
	// Each relay may be half of it, at twenty a second.
	if took := time.Since(before); took < (activations/2-2)*50*time.Millisecond {
		t.Errorf("%d looks took %s", activations, took)
	}
	until(t, d.Connect(t), lookedAt)
	for _, r := range relays {
		r.stop()
	}

	if distinct := slices.Compact(slices.Sorted(slices.Values(looks))); len(distinct) != activations || len(e.started()) != activations {
		t.Errorf("looked at %d, started %d", len(distinct), len(e.started()))
	}
}

// Nobody waits: what is looked at and what arrives for it at the same time agree that a run is
// lost, and one is started.
func TestLook_BesideAWake(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := overdue(t, d)
	wake(t, d.DB, a)
	e := newEngine()
	var both sync.WaitGroup
	both.Add(2)
	e.answers(func(_ context.Context, what told) error {
		if what.intake != "" {
			both.Done()
			both.Wait()
			return workflows.ErrNoRun
		}
		return nil
	})
	e.show(func(context.Context, string) error {
		both.Done()
		both.Wait()
		return nil
	})

	r := run(t, d.DB, e, never)
	conn := d.Connect(t)
	until(t, conn, lookedAt)
	until(t, conn, delivered)
	r.stop()

	for _, s := range e.started() {
		if s.WorkflowID != a.WorkflowID {
			t.Errorf("started %v", s)
		}
	}
	if e.run(a.WorkflowID) == "" {
		t.Error("nobody has started it")
	}
}

package relay_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/workflows"
)

func TestRelay_StartsThenWakes(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	wake(t, d.DB, a)
	wake(t, d.DB, a)
	e := newEngine()

	r := run(t, d.DB, e, never)
	e.wait(t, 3)
	r.stop()

	conn := d.Connect(t)
	inOrder(t, conn, e.has())
	if n := left(t, conn); n != 0 {
		t.Errorf("%d messages are left", n)
	}
	if n := r.metric(t, "dialtone_relay_delivered_total"); n != 3 {
		t.Errorf("%v delivered, want 3", n)
	}
}

// What makes a relay look: a nudge in its own process, a commit in another one, and, when
// both fail, time.
func TestRelay_Wakes(t *testing.T) {
	t.Parallel()
	t.Run("ByANudge", func(t *testing.T) {
		t.Parallel()
		d := storetest.Make(t, storetest.Config{})
		e := newEngine()
		r := run(t, d.DB, e, never)

		storetest.Launched(t, d.DB)
		r.Nudge()
		e.wait(t, 1)
	})
	t.Run("ByACommitElsewhere", func(t *testing.T) {
		t.Parallel()
		d := storetest.Make(t, storetest.Config{})
		e := newEngine()
		run(t, d.DB, e, never)

		storetest.Launched(t, d.Open(t, storetest.Config{}))
		e.wait(t, 1)
	})
	t.Run("ByTime", func(t *testing.T) {
		t.Parallel()
		d := storetest.Make(t, storetest.Config{})
		e := newEngine()
		run(t, d.DB, e, 5*time.Millisecond)
		a := storetest.Launched(t, d.DB)
		e.wait(t, 1)
		conn := d.Connect(t)

		// Filed without a word, as after a cut of the listening connection.
		_, err := conn.Exec(t.Context(), `
			INSERT INTO outbox (tenant_id, activation_id, kind, intake_id, created_at, leased_until)
			VALUES ($1, $2, 'INTAKE', gen_random_uuid(), now(), '-infinity')`, a.Tenant, a.ID)
		must(t, err)
		e.wait(t, 1)
	})
}

// While the engine is down everything waits and is tried again; nothing is lost, the order
// is kept, and people read about it once.
func TestRelay_EngineDown(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	e := newEngine()
	e.answers(func(context.Context, told) error {
		return workflows.ErrEngineDown.Because(errors.New("connection refused"))
	})
	r := run(t, d.DB, e, 20*time.Millisecond)

	const activations = 40
	for range activations {
		wake(t, d.DB, storetest.Activation(t, d.DB, storetest.Subscription(t, d.DB, tenant)))
		r.Nudge()
	}
	e.wait(t, activations) // it goes on trying
	e.answers(func(context.Context, told) error { return nil })
	for len(e.has()) < 2*activations {
		e.wait(t, 1)
	}
	r.stop()

	conn := d.Connect(t)
	inOrder(t, conn, e.has())
	if n := left(t, conn); n != 0 {
		t.Errorf("%d messages are left", n)
	}
	if n := strings.Count(r.log.String(), "does not answer"); n < 1 || n > 2 {
		t.Errorf("the log says %d times that the engine is down", n)
	}
	if !strings.Contains(r.log.String(), "answers again") || r.metric(t, "dialtone_relay_failed_total") < activations {
		t.Errorf("%v failures counted; log:\n%s", r.metric(t, "dialtone_relay_failed_total"), r.log)
	}
}

// One call that hangs, as for a shard of the engine that moves, holds nobody else up.
func TestRelay_OneHangs(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	hung := storetest.Launched(t, d.DB)
	release := make(chan struct{})
	e := newEngine()
	e.answers(func(ctx context.Context, what told) error {
		if what.workflow == hung.WorkflowID {
			<-release
		}
		return nil
	})
	r := run(t, d.DB, e, never)

	for range 40 {
		storetest.Launched(t, d.DB)
		r.Nudge()
		e.wait(t, 1)
	}
	close(release)
	e.wait(t, 1)
	r.stop()

	inOrder(t, d.Connect(t), e.has())
}

// A message that fails for another reason waits longer and longer, with what comes after it
// in its activation; others pass it.
func TestRelay_CannotBeCarried(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	bad := storetest.Launched(t, d.DB)
	wake(t, d.DB, bad)
	e := newEngine()
	e.answers(func(_ context.Context, what told) error {
		if what.workflow == bad.WorkflowID {
			return errors.New("namespace not found")
		}
		return nil
	})
	r := run(t, d.DB, e, never)
	e.wait(t, 1)

	storetest.Launched(t, d.DB)
	r.Nudge()
	e.wait(t, 1)
	r.stop()

	var waits float64
	var why string
	must(t, conn.QueryRow(t.Context(), `
		SELECT extract(epoch FROM leased_until - now())::float8, last_error
		FROM outbox WHERE activation_id = $1 AND kind = 'START'`, bad.ID).Scan(&waits, &why))
	if waits > 2 || waits < -10 || why != "INTERNAL" {
		t.Errorf("it waits for %v s because of %q, want 2 s", waits, why)
	}
	if n := left(t, conn); n != 2 {
		t.Errorf("%d messages are left, want the bad one and what comes after it", n)
	}
	exec(t, conn, `UPDATE outbox SET leased_until = '-infinity', attempts = 5 WHERE done_at IS NULL`)
	second := run(t, d.DB, e, never)
	e.wait(t, 1)
	second.stop()
	must(t, conn.QueryRow(t.Context(), `
		SELECT extract(epoch FROM leased_until - now())::float8
		FROM outbox WHERE activation_id = $1 AND kind = 'START'`, bad.ID).Scan(&waits))
	if waits < 50 || waits > 64 {
		t.Errorf("after its sixth attempt it waits for %v s, want 64", waits)
	}
	if !strings.Contains(r.log.String(), string(bad.ID)) {
		t.Errorf("nobody was told: %s", r.log)
	}
}

// A run that has ended has nobody to be woken; the message is done with.
func TestRelay_RunHasEnded(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	wake(t, d.DB, a)
	must(t, d.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		_, err := s.End(t.Context(), store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateFailed, At: time.Now()})
		return err
	}))
	e := newEngine()
	e.answers(withoutRun)

	r := run(t, d.DB, e, never)
	e.wait(t, 2)
	r.stop()

	if n := left(t, d.Connect(t)); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

// withoutRun is an engine that has no run of the activation.
func withoutRun(_ context.Context, what told) error {
	if what.intake != "" {
		return workflows.ErrNoRun
	}
	return nil
}

// An activation whose run is gone gets another, so that what arrived is heard by somebody.
func TestRelay_RunIsLost(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	wake(t, d.DB, a)
	e := newEngine()
	e.answers(withoutRun)

	r := run(t, d.DB, e, never)
	e.wait(t, 3)
	r.stop()

	var starts int
	for _, what := range e.has() {
		if what.intake == "" {
			starts++
		}
	}
	if starts != 2 {
		t.Errorf("it was started %d times, want a second time for the lost run", starts)
	}
	if n := left(t, d.Connect(t)); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

// Several relays at once, while messages are still being filed: nothing twice, nothing
// lost, the order kept.
func TestRelay_Several(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	e := newEngine()
	var relays []bundle
	for range 3 {
		relays = append(relays, run(t, d.Open(t, storetest.Config{}), e, 50*time.Millisecond))
	}

	const writers, each = 4, 15
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range each {
				a := storetest.Activation(t, d.DB, storetest.Subscription(t, d.DB, tenant))
				wake(t, d.DB, a)
				wake(t, d.DB, a)
			}
		})
	}
	writing.Wait()
	for len(e.has()) < 3*writers*each {
		e.wait(t, 1)
	}
	var delivered float64
	for _, r := range relays {
		r.stop()
		delivered += r.metric(t, "dialtone_relay_delivered_total")
	}

	conn := d.Connect(t)
	inOrder(t, conn, e.has())
	if n := left(t, conn); n != 0 || delivered != 3*writers*each {
		t.Errorf("%d are left, %v were delivered", n, delivered)
	}
}

// A relay that dies over its messages leaves them to the others when the lease ends.
func TestRelay_TakesOver(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	storetest.Launched(t, d.DB)
	must(t, d.InSystem(t.Context(), func(s *store.Store) error {
		_, err := s.ClaimMessages(t.Context(), 10, time.Hour)
		return err
	}))
	e := newEngine()
	r := run(t, d.DB, e, 5*time.Millisecond)
	storetest.Launched(t, d.DB)
	e.wait(t, 1)
	if n := len(e.has()); n != 1 {
		t.Fatalf("%d were carried, one of them leased by another", n)
	}

	conn := d.Connect(t)
	until(t, conn, `SELECT count(*) = 1 FROM outbox WHERE done_at IS NOT NULL`)
	exec(t, conn, `UPDATE outbox SET leased_until = now() WHERE done_at IS NULL`)
	e.wait(t, 1)
	r.stop()

	inOrder(t, d.Connect(t), e.has())
}

// Asked to stop, a relay finishes what is in hand and gives the rest back at once.
func TestRelay_Stops(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	const activations = 30
	for range activations {
		storetest.Activation(t, d.DB, storetest.Subscription(t, d.DB, tenant))
	}
	inHand, release := make(chan struct{}, activations), make(chan struct{})
	e := newEngine()
	e.answers(func(ctx context.Context, _ told) error {
		inHand <- struct{}{}
		<-release
		return ctx.Err()
	})
	r := run(t, d.DB, e, never)
	for range 16 {
		<-inHand
	}

	stopped := make(chan struct{})
	go func() { r.stop(); close(stopped) }()
	conn := d.Connect(t)
	for { // what was leased beyond the hands is given back while they are still busy
		var given int
		must(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM outbox WHERE leased_until <= now()`).Scan(&given))
		if given == activations-16 {
			break
		}
	}
	close(release)
	<-stopped

	if n := left(t, conn); n != activations-16 {
		t.Errorf("%d messages are left, want all that were not in hand", n)
	}
	next := run(t, d.DB, e, never)
	for len(e.has()) < activations {
		e.wait(t, 1)
	}
	next.stop()
	inOrder(t, conn, e.has())
}

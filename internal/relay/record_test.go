package relay_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// The feed does not wait for the engine.
func TestRelay_NumbersWhileTheEngineHangs(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	release := make(chan struct{})
	e := newEngine()
	e.answers(func(context.Context, told) error { <-release; return nil })
	run(t, d.DB, e, never)
	t.Cleanup(func() { close(release) })
	w := d.NewWatch()
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { w.Run(ctx, nil) })
	t.Cleanup(func() { stop(); watching.Wait() })
	wakes, unsubscribe := w.Subscribe(store.FeedTopic(tenant.ID))
	defer unsubscribe()

	for range 20 {
		storetest.Activation(t, d.DB, storetest.Subscription(t, d.DB, tenant))
	}

	for numbered := 0; numbered < 40; {
		<-wakes
		must(t, d.InTenant(t.Context(), tenant.ID, func(s *store.Store) error {
			page, err := s.ListEvents(t.Context(), tenant.ID, store.EventFilter{}, 100)
			numbered = len(page.Events)
			return err
		}))
	}
}

// Events of a tenant whom somebody else was numbering are not left for the next pass.
func TestRelay_NumbersWhatAnotherLeft(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	conn := d.Connect(t)
	r := run(t, d.DB, newEngine(), never)
	exec(t, conn, `BEGIN`)
	exec(t, conn, `SELECT FROM tenants FOR NO KEY UPDATE`)
	storetest.Subscription(t, d.DB, tenant)
	r.Nudge()

	exec(t, conn, `COMMIT`)

	for numbered := false; !numbered; {
		must(t, conn.QueryRow(t.Context(), `SELECT bool_and(sequence IS NOT NULL) FROM events`).Scan(&numbered))
	}
}

// The database may go away at any point; afterwards everything goes on.
func TestRelay_DatabaseCut(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	proxy := d.Proxy(t)
	e := newEngine()
	e.answers(func(context.Context, told) error {
		proxy.Cut()
		return nil
	})
	r := run(t, d.OpenThrough(t, proxy.Address(), storetest.Config{}), e, 10*time.Millisecond)
	a := storetest.Activation(t, d.DB, storetest.Subscription(t, d.DB, tenant))
	wake(t, d.DB, a)
	e.wait(t, 1)

	conn := d.Connect(t)
	e.answers(func(context.Context, told) error { return nil })
	exec(t, conn, `UPDATE outbox SET leased_until = '-infinity'`) // as time would
	proxy.Mend()
	for len(e.has()) < 3 {
		e.wait(t, 1)
	}
	r.stop()

	// The start was taken and its delivery was not noted: it came once more, which the
	// engine knows for the same.
	taken := e.has()
	if len(taken) != 3 || taken[0] != taken[1] || taken[2].intake == "" {
		t.Errorf("the engine took %v", taken)
	}
	if n := left(t, conn); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

package store_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// However the database goes away, callers are told the one thing that helps: again, later.
func TestOutage(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	read := func(ctx context.Context, s *store.Store) error {
		_, err := s.Tenant(ctx, "nobody")
		return err
	}
	for name, during := range map[string]func(*storetest.Proxy, *store.Store, context.Context) error{
		"cut before a statement": func(p *storetest.Proxy, s *store.Store, ctx context.Context) error {
			p.Cut()
			return read(ctx, s)
		},
		"cut before the commit": func(p *storetest.Proxy, _ *store.Store, _ context.Context) error {
			p.Cut()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := d.Proxy(t)
			db := d.OpenThrough(t, proxy.Address(), storetest.Config{})

			err := db.InSystem(t.Context(), func(s *store.Store) error { return during(proxy, s, t.Context()) })
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%v (%T), want unavailable", err, errors.Unwrap(err))
			}
			err = db.InSystem(t.Context(), func(s *store.Store) error { return read(t.Context(), s) })
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("still cut: %v, want unavailable", err)
			}

			proxy.Mend()
			err = db.InSystem(t.Context(), func(s *store.Store) error { return read(t.Context(), s) })
			if !errors.Is(err, store.ErrTenantNotFound) {
				t.Errorf("once mended: %v, want an answer", err)
			}
		})
	}
}

func TestOutage_BackendEnded(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)

	err := d.InSystem(t.Context(), func(s *store.Store) error {
		run(t, conn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'dialtone_app' AND datname = current_database()`)
		_, err := s.Tenant(t.Context(), "nobody")
		return err
	})

	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v, want unavailable", err)
	}
}

// A lock that is not to be had in time is an outage, not an internal error, and it holds
// the caller no longer than that.
func TestOutage_LockHeld(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	holder := d.Connect(t)
	run(t, holder, `BEGIN`)
	run(t, holder, `SELECT FROM activations FOR UPDATE`)

	began := time.Now()
	err := d.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		return s.CancelActivation(t.Context(), store.Cancel{Tenant: a.Tenant, Activation: a.ID})
	})

	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v, want unavailable", err)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it held the caller for %s", took)
	}
	run(t, holder, `ROLLBACK`)
}

// Who leaves is not told that the database is down.
func TestOutage_CallerLeft(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	ctx, leave := context.WithCancel(t.Context())

	err := db.InSystem(ctx, func(s *store.Store) error {
		leave()
		_, err := s.Tenant(ctx, "nobody")
		return err
	})

	if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v, want context canceled", err)
	}
}

// Two transactions that wait for one another: Postgres gives one up, and it is run again.
func TestDeadlockIsRunAgain(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	subs := []mobile.Subscription{storetest.Subscription(t, db, tenant), storetest.Subscription(t, db, tenant)}
	holding, both, over := make(chan struct{}, 2), make(chan struct{}), make(chan struct{}, 2)
	var runs atomic.Int32

	var all sync.WaitGroup
	for i := range 2 {
		first, second := subs[i].ID, subs[1-i].ID
		all.Go(func() {
			again := false
			err := db.InTenant(t.Context(), tenant.ID, func(s *store.Store) error {
				runs.Add(1)
				if again {
					<-over // so that they do not meet a second time
				}
				again = true
				if _, err := s.LockSubscription(t.Context(), tenant.ID, first); err != nil {
					return err
				}
				holding <- struct{}{}
				<-both
				_, err := s.LockSubscription(t.Context(), tenant.ID, second)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			over <- struct{}{}
		})
	}
	<-holding
	<-holding
	close(both)
	all.Wait()

	if n := runs.Load(); n != 3 {
		t.Errorf("%d runs, want one of the two again", n)
	}
}

package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// watched is a Watch that listens, with what it reported.
type watched struct {
	*store.Watch
	cuts chan error
}

// listen runs a Watch until the test ends and returns once it listens.
func listen(t *testing.T, db *store.DB) watched {
	t.Helper()
	w := watched{db.NewWatch(), make(chan error, 16)}
	ready, unsubscribe := w.Subscribe("ready")
	defer unsubscribe()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx, func(err error) { w.cuts <- err })
	}()
	t.Cleanup(func() { stop(); <-done })
	<-ready // once it listens, it wakes all
	return w
}

// overtake returns once everything that was told before has come through: notifications
// arrive in the order of their commits.
func overtake(t *testing.T, w watched, conn *pgx.Conn) {
	t.Helper()
	marker, unsubscribe := w.Subscribe("marker")
	defer unsubscribe()
	run(t, conn, `SELECT pg_notify('dialtone', 'marker')`)
	<-marker
}

func woken(wake <-chan struct{}) bool {
	select {
	case <-wake:
		return true
	default:
		return false
	}
}

func TestWatch_WakesAfterTheCommit(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	a, other := storetest.Launched(t, d.DB), storetest.Launched(t, d.DB)
	w := listen(t, d.DB)
	wake, unsubscribe := w.Subscribe(store.ActivationTopic(a.ID))
	defer unsubscribe()
	others, unsubscribeOther := w.Subscribe(store.ActivationTopic(other.ID))
	defer unsubscribeOther()

	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		must(t, s.RecordLive(ctx, a.Tenant, a.ID, noon))
		must(t, s.Move(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateRunning, At: noon}))
		overtake(t, w, conn)
		if woken(wake) {
			t.Error("woken before the commit")
		}
		return nil
	})

	<-wake
	overtake(t, w, conn)
	if woken(wake) {
		t.Error("woken twice by one transaction")
	}
	if woken(others) {
		t.Error("who watches another activation was woken")
	}
}

func TestWatch_UndoneWakesNobody(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	w := listen(t, d.DB)
	wake, unsubscribe := w.Subscribe(store.ActivationTopic(a.ID))
	defer unsubscribe()

	undone := errors.New("undone")
	err := d.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		must(t, s.RecordLive(t.Context(), a.Tenant, a.ID, noon))
		return undone
	})

	overtake(t, w, d.Connect(t))
	if !errors.Is(err, undone) || woken(wake) {
		t.Errorf("%v, and woken", err)
	}
}

func TestWatch_Feed(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	w := listen(t, d.DB)
	wake, unsubscribe := w.Subscribe(store.FeedTopic(tenant.ID))
	defer unsubscribe()

	storetest.Subscription(t, d.DB, tenant)
	overtake(t, w, d.Connect(t))
	if woken(wake) {
		t.Error("woken by an event that has no number and is not shown")
	}
	number(t, d.DB)

	<-wake
}

// A cut connection loses what was said meanwhile; whoever watches is woken to look.
func TestWatch_Cut(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	a := storetest.Launched(t, d.DB)
	w := listen(t, d.DB)
	wake, unsubscribe := w.Subscribe(store.ActivationTopic(a.ID))
	defer unsubscribe()

	run(t, conn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dialtone listener' AND datname = current_database()`)
	if err := <-w.cuts; err == nil {
		t.Error("a cut without an error")
	}
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		return s.RecordLive(ctx, a.Tenant, a.ID, noon)
	})

	<-wake
	overtake(t, w, conn)
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		return s.RecordLine(ctx, a.Tenant, a.ID, "line", "")
	})
	<-wake
}

// Also when the database cannot be reached for a while, and when it goes silently.
func TestWatch_Outage(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	proxy := d.Proxy(t)
	w := listen(t, d.OpenThrough(t, proxy.Address(), storetest.Config{}))
	wake, unsubscribe := w.Subscribe("anything")
	defer unsubscribe()

	proxy.Cut()
	for range 2 { // once for the cut and once for a connection that was not to be had
		if err := <-w.cuts; err == nil {
			t.Error("a cut without an error")
		}
	}
	proxy.Mend()

	<-wake
	overtake(t, w, d.Connect(t))
}

// One connection serves all who watch.
func TestWatch_OneConnection(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	w := listen(t, d.DB)
	topic := store.ActivationTopic("one")
	wakes := make([]<-chan struct{}, 20)
	for i := range wakes {
		wake, unsubscribe := w.Subscribe(topic)
		defer unsubscribe()
		wakes[i] = wake
	}
	gone, unsubscribe := w.Subscribe(topic)
	unsubscribe()

	run(t, conn, `SELECT pg_notify('dialtone', '`+string(topic)+`')`)
	for _, wake := range wakes {
		<-wake
	}

	if woken(gone) {
		t.Error("one who left was woken")
	}
	if n := ask[int](t, conn, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dialtone listener' AND datname = current_database()`); n != 1 {
		t.Errorf("%d connections listen", n)
	}
}

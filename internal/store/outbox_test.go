package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func claim(t *testing.T, db *store.DB, limit int, lease time.Duration) []store.Message {
	t.Helper()
	var messages []store.Message
	systemly(t, db, func(ctx context.Context, s *store.Store) (err error) {
		messages, err = s.ClaimMessages(ctx, limit, lease)
		return err
	})
	return messages
}

func deliver(t *testing.T, db *store.DB, m store.Message) {
	t.Helper()
	systemly(t, db, func(ctx context.Context, s *store.Store) error { return s.MessageDelivered(ctx, m.ID) })
}

// expire ends every lease, as time would.
func expire(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	run(t, conn, `UPDATE outbox SET leased_until = '-infinity' WHERE done_at IS NULL`)
}

func wake(t *testing.T, db *store.DB, a mobile.Activation) {
	t.Helper()
	systemly(t, db, func(ctx context.Context, s *store.Store) error { return s.WakeRun(ctx, a.ID) })
}

func TestClaimMessages_Content(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	wake(t, db, a)

	got := claim(t, db, 10, time.Minute)
	if len(got) != 1 {
		t.Fatalf("claimed %v, want the start alone", got)
	}
	if got[0].IntakeID == "" || got[0].Created.IsZero() {
		t.Errorf("claimed %+v", got[0])
	}
	want := store.Message{
		ID: got[0].ID, Tenant: a.Tenant, Activation: a.ID, Start: true, IntakeID: got[0].IntakeID, Attempts: 1,
		Type: a.Type, WorkflowID: a.WorkflowID, Subscription: a.Subscription, Created: got[0].Created,
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if again := claim(t, db, 10, time.Minute); len(again) != 0 {
		t.Errorf("claimed %v while leased", again)
	}
	deliver(t, db, got[0])
	next := claim(t, db, 10, time.Minute)
	if len(next) != 1 || next[0].Start || next[0].ID <= got[0].ID {
		t.Errorf("after the start: %v, want the wake-up", next)
	}
}

// Of one activation the oldest comes first, alone, however often it fails meanwhile.
func TestClaimMessages_OrderPerActivation(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	activations := []mobile.Activation{storetest.Launched(t, d.DB), storetest.Launched(t, d.DB)}
	for range 3 {
		for _, a := range activations {
			wake(t, d.DB, a)
		}
	}

	last := map[mobile.ActivationID]int64{}
	delivered := 0
	for round := 0; delivered < 8; round++ {
		messages := claim(t, d.DB, 10, time.Minute)
		if len(messages) == 0 {
			expire(t, conn)
			continue
		}
		seen := map[mobile.ActivationID]bool{}
		for _, m := range messages {
			if seen[m.Activation] || m.ID < last[m.Activation] {
				t.Fatalf("message %d of %s after %d, or beside another", m.ID, m.Activation, last[m.Activation])
			}
			seen[m.Activation], last[m.Activation] = true, m.ID
			if (round+int(m.ID))%3 == 0 {
				systemly(t, d.DB, func(ctx context.Context, s *store.Store) error { return s.MessageFailed(ctx, m, "TEST", 0) })
				continue
			}
			deliver(t, d.DB, m)
			delivered++
		}
	}
}

// Several claimers at once: none twice, none lost.
func TestClaimMessages_Claimers(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	for range 40 {
		a := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
		wake(t, db, a)
	}
	var mu sync.Mutex
	claimed := map[int64]int{}

	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for {
				var messages []store.Message
				var waiting int64
				err := db.InSystem(t.Context(), func(s *store.Store) (err error) {
					if waiting, _, err = s.Backlog(t.Context()); err != nil {
						return err
					}
					messages, err = s.ClaimMessages(t.Context(), 5, time.Hour)
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
				if waiting == 0 {
					return
				}
				for _, m := range messages {
					mu.Lock()
					claimed[m.ID]++
					mu.Unlock()
					if err := db.InSystem(t.Context(), func(s *store.Store) error { return s.MessageDelivered(t.Context(), m.ID) }); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()

	for id, times := range claimed {
		if times != 1 {
			t.Errorf("message %d was claimed %d times", id, times)
		}
	}
	if len(claimed) != 80 {
		t.Errorf("%d messages were claimed, want 80", len(claimed))
	}
}

// A claimer that dies leaves its messages to the others, once the lease is over.
func TestClaimMessages_Lease(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	storetest.Launched(t, d.DB)
	first := claim(t, d.DB, 1, time.Hour)
	if left := ask[float64](t, conn, `SELECT extract(epoch FROM leased_until - now())::float8 FROM outbox`); left < 3500 || left > 3600 {
		t.Errorf("leased for another %v s, want an hour", left)
	}

	expire(t, conn)
	second := claim(t, d.DB, 1, time.Hour)
	if len(second) != 1 || second[0].ID != first[0].ID || second[0].Attempts != 2 {
		t.Fatalf("claimed %v after the lease", second)
	}

	// The first claimer was only slow. Its failure is not the second one's.
	systemly(t, d.DB, func(ctx context.Context, s *store.Store) error { return s.MessageFailed(ctx, first[0], "LATE", 0) })
	if third := claim(t, d.DB, 1, time.Hour); len(third) != 0 {
		t.Errorf("claimed %v, which another holds", third)
	}
	// Its success is everybody's: the engine has the message.
	deliver(t, d.DB, first[0])
	expire(t, conn)
	if fourth := claim(t, d.DB, 1, time.Hour); len(fourth) != 0 {
		t.Errorf("claimed %v, which the engine has", fourth)
	}
}

func TestMessageFailed_Waits(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	storetest.Launched(t, d.DB)
	m := claim(t, d.DB, 1, time.Minute)[0]

	systemly(t, d.DB, func(ctx context.Context, s *store.Store) error {
		return s.MessageFailed(ctx, m, "ENGINE_DOWN", time.Hour)
	})

	if again := claim(t, d.DB, 1, time.Minute); len(again) != 0 {
		t.Errorf("claimed %v before its time", again)
	}
	if why := ask[string](t, d.Connect(t), `SELECT last_error FROM outbox`); why != "ENGINE_DOWN" {
		t.Errorf("kept %q", why)
	}
	systemly(t, d.DB, func(ctx context.Context, s *store.Store) error { return s.MessageFailed(ctx, m, "ENGINE_DOWN", 0) })
	if again := claim(t, d.DB, 1, time.Minute); len(again) != 1 {
		t.Error("a message that failed is lost")
	}
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	db := storetest.Make(t, storetest.Config{Now: clock.Now}).DB
	backlog := func() (waiting int64, oldest time.Duration) {
		systemly(t, db, func(ctx context.Context, s *store.Store) (err error) {
			waiting, oldest, err = s.Backlog(ctx)
			return err
		})
		return waiting, oldest
	}
	if waiting, oldest := backlog(); waiting != 0 || oldest != 0 {
		t.Errorf("nothing was filed, and yet %d, the oldest %s", waiting, oldest)
	}

	storetest.Launched(t, db)
	clock.Advance(time.Minute)
	storetest.Launched(t, db)
	clock.Advance(time.Minute)

	if waiting, oldest := backlog(); waiting != 2 || oldest != 2*time.Minute {
		t.Errorf("%d, the oldest %s", waiting, oldest)
	}
}

// An ended activation has nobody to wake, and a stranger's id is nobody's.
func TestWakeRun_Nobody(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.End(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateFailed, At: noon})
		return err
	})

	wake(t, d.DB, a)
	for _, id := range []mobile.ActivationID{"", "stranger", mobile.ActivationID(newID()), mobile.ActivationID("urn:uuid:" + newID())} {
		wake(t, d.DB, mobile.Activation{ID: id})
	}

	if n := ask[int](t, d.Connect(t), `SELECT count(*) FROM outbox WHERE kind = 'INTAKE'`); n != 0 {
		t.Errorf("%d wake-ups for nobody", n)
	}
}

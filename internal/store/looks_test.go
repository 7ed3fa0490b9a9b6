package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// claimLooks claims what nobody has looked at for an hour.
func claimLooks(t *testing.T, db *store.DB, limit int) []store.Message {
	t.Helper()
	var looks []store.Message
	systemly(t, db, func(ctx context.Context, s *store.Store) (err error) {
		looks, err = s.ClaimLooks(ctx, store.Looks{Limit: limit, Age: time.Hour, Lease: time.Minute})
		return err
	})
	return looks
}

// begun makes an open activation whose start the engine has.
func begun(t *testing.T, d *storetest.Database) mobile.Activation {
	t.Helper()
	a := storetest.Launched(t, d.DB)
	for _, m := range claim(t, d.DB, 10, time.Hour) {
		deliver(t, d.DB, m)
	}
	return a
}

// followUp files that the mail of an activation is sent again, and lets the engine have it.
func followUp(t *testing.T, d *storetest.Database, a mobile.Activation) mobile.FollowUp {
	t.Helper()
	f := mobile.FollowUp{Tenant: a.Tenant, Activation: a.ID, Kind: mobile.FollowUpResend, Asked: a.Launched}
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		f, err = s.FileFollowUp(ctx, f, `{"patience":"1m"}`)
		return err
	})
	for _, m := range claim(t, d.DB, 10, time.Hour) {
		deliver(t, d.DB, m)
	}
	return f
}

// age makes the last look, or without one the making, as old as that.
func age(t *testing.T, conn *pgx.Conn, id mobile.ActivationID, by time.Duration) {
	t.Helper()
	for _, table := range []string{"activations", "follow_ups"} {
		_, err := conn.Exec(t.Context(), `
			UPDATE `+table+`
			SET created_at = CASE WHEN looked_at IS NULL THEN now() - $2::interval ELSE created_at END,
			    looked_at = CASE WHEN looked_at IS NOT NULL THEN now() - $2::interval END
			WHERE activation_id = $1`, id, by)
		must(t, err)
	}
}

func activationsOf(looks []store.Message) []mobile.ActivationID {
	ids := make([]mobile.ActivationID, 0, len(looks))
	for _, l := range looks {
		ids = append(ids, l.Activation)
	}
	return ids
}

// A look gives what would start the run again, of an activation and of a follow-up.
func TestClaimLooks_Content(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := begun(t, d)
	f := followUp(t, d, a)
	age(t, d.Connect(t), a.ID, 2*time.Hour)

	got := claimLooks(t, d.DB, 10)

	if len(got) != 2 || got[0].Created.IsZero() || got[1].Created.IsZero() {
		t.Fatalf("claimed %+v", got)
	}
	want := []store.Message{
		{
			Tenant: a.Tenant, Activation: a.ID, Start: true, Type: a.Type, WorkflowID: a.WorkflowID,
			Subscription: a.Subscription, Created: got[0].Created,
		},
		{
			Tenant: a.Tenant, Activation: a.ID, FollowUp: f.ID, Start: true, Type: mobile.TypeFollowUp,
			WorkflowID: f.WorkflowID, Subscription: a.Subscription, Policies: `{"patience":"1m"}`, Created: got[1].Created,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// What is due: open, begun, and not looked at for long enough.
func TestClaimLooks_Due(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arrange func(*testing.T, *storetest.Database, *pgx.Conn) mobile.Activation
		want    bool
	}{
		"never looked at": {func(t *testing.T, d *storetest.Database, conn *pgx.Conn) mobile.Activation {
			a := begun(t, d)
			age(t, conn, a.ID, 61*time.Minute)
			return a
		}, true},
		"young": {func(t *testing.T, d *storetest.Database, conn *pgx.Conn) mobile.Activation {
			a := begun(t, d)
			age(t, conn, a.ID, 59*time.Minute)
			return a
		}, false},
		"looked at lately": {func(t *testing.T, d *storetest.Database, conn *pgx.Conn) mobile.Activation {
			a := begun(t, d)
			age(t, conn, a.ID, 9*time.Hour)
			looked(t, d.DB, store.Message{Activation: a.ID})
			age(t, conn, a.ID, 59*time.Minute)
			return a
		}, false},
		"looked at long ago": {func(t *testing.T, d *storetest.Database, conn *pgx.Conn) mobile.Activation {
			a := begun(t, d)
			looked(t, d.DB, store.Message{Activation: a.ID})
			age(t, conn, a.ID, 61*time.Minute)
			return a
		}, true},
		"not started yet": {func(t *testing.T, d *storetest.Database, conn *pgx.Conn) mobile.Activation {
			a := storetest.Launched(t, d.DB)
			age(t, conn, a.ID, 9*time.Hour)
			return a
		}, false},
		"about to be replaced": {func(t *testing.T, d *storetest.Database, conn *pgx.Conn) mobile.Activation {
			a := begun(t, d)
			age(t, conn, a.ID, 9*time.Hour)
			revive(t, d.DB, store.Revival{Tenant: a.Tenant, Activation: a.ID, RequestID: newID(), ReplaceRun: true})
			return a
		}, false},
		"with a wake-up that waits": {func(t *testing.T, d *storetest.Database, conn *pgx.Conn) mobile.Activation {
			a := begun(t, d)
			age(t, conn, a.ID, 9*time.Hour)
			wake(t, d.DB, a)
			return a
		}, true},
		"ended": {func(t *testing.T, d *storetest.Database, conn *pgx.Conn) mobile.Activation {
			a := begun(t, d)
			age(t, conn, a.ID, 9*time.Hour)
			tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
				_, err := s.End(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateFailed, At: noon})
				return err
			})
			return a
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := storetest.Make(t, storetest.Config{})
			a := test.arrange(t, d, d.Connect(t))

			got := activationsOf(claimLooks(t, d.DB, 10))

			if slices.Contains(got, a.ID) != test.want {
				t.Errorf("claimed %v", got)
			}
		})
	}
}

// Follow-ups have looks of their own, also when their activation has ended.
func TestClaimLooks_FollowUp(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	a := begun(t, d)
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.End(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateFailed, At: noon})
		return err
	})
	f := followUp(t, d, a)
	age(t, conn, a.ID, 2*time.Hour)

	looks := claimLooks(t, d.DB, 10)
	if len(looks) != 1 || looks[0].FollowUp != f.ID {
		t.Fatalf("claimed %+v, want the follow-up alone", looks)
	}
	looked(t, d.DB, looks[0])
	if age := ask[float64](t, conn, `SELECT extract(epoch FROM now() - looked_at)::float8 FROM follow_ups`); age > 60 {
		t.Errorf("looked at %v s ago", age)
	}
	if n := ask[int](t, conn, `SELECT count(*) FROM activations WHERE looked_at IS NOT NULL`); n != 0 {
		t.Error("its activation counts as looked at")
	}

	age(t, conn, a.ID, 2*time.Hour)
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		return s.EndFollowUp(ctx, f, mobile.FollowUpDone, noon)
	})
	if again := claimLooks(t, d.DB, 10); len(again) != 0 {
		t.Errorf("claimed %+v after the end", again)
	}
}

// Who has waited longest comes first, looked at before or never.
func TestClaimLooks_OldestFirst(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	var want []mobile.ActivationID
	for i, hours := range []time.Duration{9, 8, 7, 6, 5} {
		a := begun(t, d)
		if i%2 == 0 {
			looked(t, d.DB, store.Message{Activation: a.ID})
		}
		age(t, conn, a.ID, hours*time.Hour)
		want = append(want, a.ID)
	}

	got := activationsOf(claimLooks(t, d.DB, 2))
	got = append(got, activationsOf(claimLooks(t, d.DB, 10))...)

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// A claim holds for its lease. Confirmed, it is a look; otherwise somebody else looks soon.
func TestClaimLooks_Lease(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	a := begun(t, d)
	age(t, conn, a.ID, 2*time.Hour)

	first := claimLooks(t, d.DB, 10)
	if again := claimLooks(t, d.DB, 10); len(first) != 1 || len(again) != 0 {
		t.Fatalf("claimed %v, and while it holds %v", first, again)
	}
	const due = `SELECT extract(epoch FROM looked_at + interval '1 hour' - now())::float8 FROM activations`
	if left := ask[float64](t, conn, due); left < 30 || left > 60 {
		t.Errorf("due again in %v s, want a minute", left)
	}
	run(t, conn, `UPDATE activations SET looked_at = looked_at - interval '1 minute'`)
	second := claimLooks(t, d.DB, 10)
	if len(second) != 1 {
		t.Fatal("a look that failed is lost")
	}

	looked(t, d.DB, second[0])

	if left := ask[float64](t, conn, due); left < 3500 || left > 3600 {
		t.Errorf("due again in %v s, want an hour", left)
	}
}

// Several claimers at once: none twice, none lost, and nobody waits for a row that is busy.
func TestClaimLooks_Claimers(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	const activations = 30
	for range activations {
		age(t, conn, begun(t, d).ID, 2*time.Hour)
	}
	busy := begun(t, d)
	age(t, conn, busy.ID, 2*time.Hour)
	tx, err := conn.Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), `SELECT FROM activations WHERE activation_id = $1 FOR NO KEY UPDATE`, busy.ID)
	must(t, err)
	var mu sync.Mutex
	claimed := map[mobile.ActivationID]int{}

	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			for {
				var looks []store.Message
				err := d.InSystem(t.Context(), func(s *store.Store) (err error) {
					looks, err = s.ClaimLooks(t.Context(), store.Looks{Limit: 3, Age: time.Hour, Lease: time.Hour})
					return err
				})
				if err != nil || len(looks) == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				for _, l := range looks {
					claimed[l.Activation]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	must(t, tx.Rollback(t.Context()))

	for id, times := range claimed {
		if times != 1 {
			t.Errorf("%s was claimed %d times", id, times)
		}
	}
	// One that meets only rows which others hold sees nothing to do; the next pass does.
	rest := claimLooks(t, d.DB, 2*activations)
	if len(claimed)+len(rest) != activations+1 || !slices.Contains(activationsOf(rest), busy.ID) {
		t.Errorf("%d were claimed, and %d later", len(claimed), len(rest))
	}
}

func TestOldestLook(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	oldest := func() (oldest time.Duration) {
		systemly(t, d.DB, func(ctx context.Context, s *store.Store) (err error) {
			oldest, err = s.OldestLook(ctx)
			return err
		})
		return oldest.Truncate(time.Hour)
	}
	if got := oldest(); got != 0 {
		t.Errorf("nothing is open, and yet %s", got)
	}

	young, never := begun(t, d), begun(t, d)
	looked(t, d.DB, store.Message{Activation: young.ID})
	age(t, conn, young.ID, time.Hour)
	age(t, conn, never.ID, 30*time.Hour)
	if got := oldest(); got != 30*time.Hour {
		t.Errorf("never looked at for 30 h: %s", got)
	}
	looked(t, d.DB, store.Message{Activation: never.ID})
	if got := oldest(); got != time.Hour {
		t.Errorf("looked at an hour ago: %s", got)
	}
	followUp(t, d, young)
	run(t, conn, `UPDATE follow_ups SET created_at = now() - interval '5 hours'`)
	if got := oldest(); got != 5*time.Hour {
		t.Errorf("a follow-up of 5 h: %s", got)
	}
}

func looked(t *testing.T, db *store.DB, m store.Message) {
	t.Helper()
	systemly(t, db, func(ctx context.Context, s *store.Store) error { return s.Looked(ctx, m) })
}

func revive(t *testing.T, db *store.DB, r store.Revival) {
	t.Helper()
	tenantly(t, db, r.Tenant, func(ctx context.Context, s *store.Store) error { return s.ReviveActivation(ctx, r) })
}

func TestReviveActivation(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := begun(t, d)
	revival := store.Revival{Tenant: a.Tenant, Activation: a.ID, Revision: 1, RequestID: newID()}

	revive(t, d.DB, revival)
	woken := claim(t, d.DB, 10, time.Hour)
	if len(woken) != 1 || woken[0].Start || woken[0].Replace {
		t.Fatalf("filed %+v, want a wake-up", woken)
	}
	deliver(t, d.DB, woken[0])

	// Asked twice before it was done, it is done once.
	revival.ReplaceRun = true
	revive(t, d.DB, revival)
	second := revival
	second.RequestID = newID()
	revive(t, d.DB, second)
	replaced := claim(t, d.DB, 10, time.Hour)
	if len(replaced) != 1 || replaced[0].Start || !replaced[0].Replace || replaced[0].IntakeID != revival.RequestID {
		t.Fatalf("filed %+v, want a replacement for the first request", replaced)
	}
	deliver(t, d.DB, replaced[0])
	revive(t, d.DB, second)
	if again := claim(t, d.DB, 10, time.Hour); len(again) != 1 || again[0].IntakeID != second.RequestID {
		t.Errorf("once it was done, another is filed: %+v", again)
	}

	for reason, r := range map[string]store.Revival{
		"STALE_REVISION":     {Tenant: a.Tenant, Activation: a.ID, Revision: 7},
		"WORKFLOW_NOT_FOUND": {Tenant: a.Tenant, Activation: mobile.ActivationID(newID())},
	} {
		if err := d.InTenant(t.Context(), a.Tenant, func(s *store.Store) error { return s.ReviveActivation(t.Context(), r) }); reasonOf(err) != reason {
			t.Errorf("got %v, want %s", err, reason)
		}
	}
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.End(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateFailed, At: noon})
		must(t, err)
		if err := s.ReviveActivation(ctx, second); !errors.Is(err, store.ErrActivationEnded) {
			t.Errorf("after the end: %v", err)
		}
		return nil
	})
}

func reasonOf(err error) string {
	if f := fault.Of(err); f != nil {
		return f.Reason
	}
	return ""
}

// The first answer stays, also that there was none, so that a repeat ends no other run.
func TestRunToReplace(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"run-1", ""} {
		d := storetest.Make(t, storetest.Config{})
		a := begun(t, d)
		revive(t, d.DB, store.Revival{Tenant: a.Tenant, Activation: a.ID, RequestID: newID(), ReplaceRun: true})
		m := claim(t, d.DB, 1, time.Hour)[0]

		for _, there := range []string{first, "run-2", ""} {
			systemly(t, d.DB, func(ctx context.Context, s *store.Store) error {
				run, err := s.RunToReplace(ctx, m, there)
				if run != first {
					t.Errorf("%q was there first, then %q: to be ended is %q", first, there, run)
				}
				return err
			})
		}
	}
}

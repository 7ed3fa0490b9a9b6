package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestOpenRun(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	open := func(run string) (mobile.Activation, error) {
		var opened mobile.Activation
		err := db.InTenant(t.Context(), a.Tenant, func(s *store.Store) (err error) {
			opened, err = s.OpenRun(t.Context(), a.Tenant, a.ID, run)
			return err
		})
		return opened, err
	}

	first, err := open("run-1")
	if err != nil || first.RunID != "run-1" || len(first.Steps) != len(a.Steps) {
		t.Fatalf("the first run got %q with %d steps: %v", first.RunID, len(first.Steps), err)
	}
	again, err := open("run-1")
	if diff := cmp.Diff(first, again); diff != "" || err != nil {
		t.Errorf("the same run again: %v, -first +again\n%s", err, diff)
	}
	if _, err := open("run-2"); !errors.Is(err, store.ErrNotThisRun) {
		t.Errorf("another run: %v", err)
	}

	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.End(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateRejected, At: noon})
		return err
	})
	ended, err := open("run-2")
	if err != nil || !ended.State.Final() || ended.RunID != "run-1" {
		t.Errorf("another run after the end: %s of %q, %v", ended.State, ended.RunID, err)
	}
}

// Every pair of states, on real rows, agrees with the domain's table.
func TestMove_EveryPair(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	conn := d.Connect(t)
	for _, from := range mobile.States() {
		for _, to := range mobile.States() {
			t.Run(string(from)+"_"+string(to), func(t *testing.T) {
				run(t, conn, `DELETE FROM activation_events`)
				run(t, conn, `UPDATE activations SET state = '`+string(from)+`', reason = '', next = '', deadline = NULL, ended_at = NULL`)
				if from.Final() {
					run(t, conn, `UPDATE activations SET ended_at = now()`)
				}
				before := storetest.Read(t, d.DB, a)

				err := d.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
					return s.Move(t.Context(), store.Move{Tenant: a.Tenant, Activation: a.ID, To: to, Reason: "BECAUSE", At: noon})
				})

				moved := mobile.CanMove(from, to)
				var want error
				switch {
				case moved || from == to:
				case from.Final():
					want = store.ErrActivationEnded
				default:
					want = store.ErrIllegalMove
				}
				if !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
				after := storetest.Read(t, d.DB, a)
				kept := ask[[]string](t, conn, `SELECT coalesce(array_agg(from_state || '>' || to_state || ' ' || reason), '{}') FROM activation_events`)
				if !moved {
					if after.State != from || len(kept) != 0 || from.Final() && after.Revision != before.Revision {
						t.Errorf("no move, and yet %s, kept %v", after.State, kept)
					}
					return
				}
				if after.State != to || !after.Since.Equal(noon) || after.Revision != before.Revision+1 || after.Ended.IsZero() == to.Final() {
					t.Errorf("moved to %s since %v, revision %d after %d, ended %v", after.State, after.Since, after.Revision, before.Revision, after.Ended)
				}
				if !slices.Equal(kept, []string{string(from) + ">" + string(to) + " BECAUSE"}) {
					t.Errorf("kept %v", kept)
				}
			})
		}
	}
}

// Staying with another reason is news, and no move.
func TestMove_StayingWithAnotherReason(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	move := func(m store.Move) {
		t.Helper()
		m.Tenant, m.Activation = a.Tenant, a.ID
		tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error { return s.Move(ctx, m) })
	}

	move(store.Move{To: mobile.StateRunning, At: noon})
	once := storetest.Read(t, d.DB, a)
	move(store.Move{To: mobile.StateRunning, At: noon.Add(time.Hour)})
	if diff := cmp.Diff(once, storetest.Read(t, d.DB, a)); diff != "" {
		t.Errorf("twice: -once +twice\n%s", diff)
	}
	move(store.Move{To: mobile.StateRunning, Reason: "R", Next: "N", Deadline: noon, At: noon.Add(time.Hour)})

	got := storetest.Read(t, d.DB, a)
	if got.Reason != "R" || got.Next != "N" || !got.Deadline.Equal(noon) || !got.Since.Equal(noon) || got.Revision != once.Revision+1 {
		t.Errorf("%q %q %v since %v at revision %d", got.Reason, got.Next, got.Deadline, got.Since, got.Revision)
	}
	if n := ask[int](t, d.Connect(t), `SELECT count(*) FROM activation_events`); n != 2 {
		t.Errorf("%d moves are kept, want 2", n)
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		must(t, s.RecordAttempt(ctx, store.Attempt{
			Tenant: a.Tenant, Activation: a.ID, Step: mobile.StepCheckSubscription, State: mobile.StepDone, At: noon,
		}))
		must(t, s.RecordAttempt(ctx, store.Attempt{
			Tenant: a.Tenant, Activation: a.ID, Step: mobile.StepCheckDevice, State: mobile.StepRefused, At: noon,
		}))
		must(t, s.OpenItem(ctx, a.Tenant, mobile.Item{Activation: a.ID, Kind: mobile.ItemStepStuck, Step: mobile.StepCheckDevice}))
		return s.OpenItem(ctx, a.Tenant, mobile.Item{Activation: a.ID, Kind: mobile.ItemMailNotDelivered})
	})

	var ended mobile.State
	end := func(to mobile.State) error {
		return d.InTenant(t.Context(), a.Tenant, func(s *store.Store) (err error) {
			ended, err = s.End(t.Context(), store.Move{Tenant: a.Tenant, Activation: a.ID, To: to, Reason: "DEVICE_BLOCKED", At: noon})
			return err
		})
	}
	must(t, end(mobile.StateRejected))
	once := storetest.Read(t, d.DB, a)
	must(t, end(mobile.StateRejected))

	if diff := cmp.Diff(once, storetest.Read(t, d.DB, a)); diff != "" {
		t.Errorf("twice: -once +twice\n%s", diff)
	}
	states := map[mobile.StepName]mobile.StepState{}
	for _, step := range once.Steps {
		states[step.Name] = step.State
	}
	want := map[mobile.StepName]mobile.StepState{
		mobile.StepCheckSubscription: mobile.StepDone, mobile.StepCheckDevice: mobile.StepRefused,
		mobile.StepReserveESIM: mobile.StepSkipped, mobile.StepActivateLine: mobile.StepSkipped,
		mobile.StepActivateSubscription: mobile.StepSkipped, mobile.StepSendActivationEmail: mobile.StepSkipped,
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("the steps: -want +got\n%s", diff)
	}
	if len(once.OpenItems()) != 1 || once.OpenItems()[0].Kind != mobile.ItemMailNotDelivered {
		t.Errorf("open items: %v, want the one that outlives the end", once.OpenItems())
	}
	must(t, end(mobile.StateFailed))
	if ended != mobile.StateRejected || storetest.Read(t, d.DB, a).State != mobile.StateRejected {
		t.Errorf("another end made it %s", ended)
	}
}

// An end that is not allowed leaves nothing half done.
func TestEnd_Illegal(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)

	err := db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		_, err := s.End(t.Context(), store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateSucceeded, At: noon})
		return err
	})

	if !errors.Is(err, store.ErrIllegalMove) {
		t.Errorf("%v, want an illegal move", err)
	}
	if diff := cmp.Diff(a, storetest.Read(t, db, a)); diff != "" {
		t.Errorf("-before +after\n%s", diff)
	}
}

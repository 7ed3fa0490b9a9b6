package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestInsertActivation(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	d := storetest.Make(t, storetest.Config{Now: clock.Now})
	sub := storetest.Subscription(t, d.DB, storetest.Tenant(t, d.DB))
	want := storetest.NewActivation(sub)
	want.NameOverride, want.EmailOverride, want.Next = "Other Name", "other@example.com", "Check the subscription"

	tenantly(t, d.DB, sub.Tenant, func(ctx context.Context, s *store.Store) error {
		return s.InsertActivation(ctx, want, `{"patience":"1s"}`)
	})

	want.Revision, want.State, want.Since, want.Created, want.Updated = 1, mobile.StateAccepted, noon, noon, noon
	for _, name := range mobile.TypeNewLine.Plan() {
		want.Steps = append(want.Steps, mobile.Step{Name: name, State: mobile.StepPending})
	}
	for name, key := range map[string]store.Key{
		"by id":           {ID: want.ID},
		"by workflow":     {WorkflowID: want.WorkflowID},
		"by subscription": {Subscription: sub.ID},
	} {
		tenantly(t, d.DB, sub.Tenant, func(ctx context.Context, s *store.Store) error {
			got, err := s.Activation(ctx, sub.Tenant, key)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: -want +got\n%s", name, diff)
			}
			return err
		})
	}
	if diff := cmp.Diff([]string{string(mobile.EventWorkflowStateChanged)}, feed(t, d.Connect(t), want.ID)); diff != "" {
		t.Errorf("the feed: -want +got\n%s", diff)
	}
}

// Two launches at one moment: one row, and the loser gets the winner's id.
func TestInsertActivation_Racers(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	for range 20 {
		sub := storetest.Subscription(t, d.DB, tenant)
		launches := [4]mobile.Activation{}
		results := [len(launches)]error{}

		var all sync.WaitGroup
		for i := range launches {
			launches[i] = storetest.NewActivation(sub)
			all.Go(func() {
				results[i] = d.InTenant(t.Context(), sub.Tenant, func(s *store.Store) error {
					return s.InsertActivation(t.Context(), launches[i], "")
				})
			})
		}
		all.Wait()

		var open mobile.ActivationID
		tenantly(t, d.DB, sub.Tenant, func(ctx context.Context, s *store.Store) (err error) {
			open, _, err = s.OpenActivation(ctx, sub.Tenant, sub.ID)
			return err
		})
		won := 0
		for i, err := range results {
			switch {
			case err == nil && launches[i].ID == open:
				won++
			case !errors.Is(err, store.ErrActivationInProgress) || fault.Of(err).Meta["activation_id"] != string(open):
				t.Errorf("launch of %s: %v, open is %s", launches[i].ID, err, open)
			}
		}
		if won != 1 {
			t.Fatalf("%d launches won", won)
		}
	}
	conn := d.Connect(t)
	if n := ask[int](t, conn, `SELECT count(*) FROM outbox`); n != 20 {
		t.Errorf("%d starts filed for 20 activations", n)
	}
}

// An ended activation is in nobody's way.
func TestInsertActivation_AfterTheEnd(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	sub := storetest.Subscription(t, db, storetest.Tenant(t, db))
	first := storetest.Activation(t, db, sub)
	tenantly(t, db, sub.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.End(ctx, store.Move{Tenant: sub.Tenant, Activation: first.ID, To: mobile.StateRejected, At: noon})
		return err
	})

	second := storetest.Activation(t, db, sub)

	tenantly(t, db, sub.Tenant, func(ctx context.Context, s *store.Store) error {
		newest, err := s.Activation(ctx, sub.Tenant, store.Key{Subscription: sub.ID})
		if newest.ID != second.ID {
			t.Errorf("the newest is %s, want %s", newest.ID, second.ID)
		}
		return err
	})
}

func TestCancelActivation(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	by := mobile.Doer{Principal: mobile.PrincipalOperator, Actor: "op", RequestID: uuid.NewString()}
	cancel := func(t *testing.T, a mobile.Activation, revision int64) error {
		t.Helper()
		return db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
			return s.CancelActivation(t.Context(), store.Cancel{
				Tenant: a.Tenant, Activation: a.ID, Revision: revision, Reason: "wrong plan", By: by,
			})
		})
	}

	t.Run("IsKept", func(t *testing.T) {
		t.Parallel()
		a := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))

		must(t, cancel(t, a, a.Revision))

		got := storetest.Read(t, db, a)
		if got.CancelRequested.IsZero() || got.CancelReason != "wrong plan" || got.Cancelled != by || got.Revision != a.Revision+1 {
			t.Errorf("kept %v %q %v at revision %d", got.CancelRequested, got.CancelReason, got.Cancelled, got.Revision)
		}
	})
	t.Run("TwiceIsOnce", func(t *testing.T) {
		t.Parallel()
		a := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))

		must(t, cancel(t, a, 0))
		once := storetest.Read(t, db, a)
		must(t, cancel(t, a, a.Revision)) // stale by now, but it asks for what is so

		if diff := cmp.Diff(once, storetest.Read(t, db, a)); diff != "" {
			t.Errorf("-once +twice\n%s", diff)
		}
	})
	t.Run("StaleRevision", func(t *testing.T) {
		t.Parallel()
		a := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))

		err := cancel(t, a, a.Revision+1)

		if !errors.Is(err, store.ErrStaleRevision) || fault.Of(err).Meta["revision"] != "1" {
			t.Errorf("%v with %v", err, fault.Of(err).Meta)
		}
	})
	t.Run("TooLateOnceLive", func(t *testing.T) {
		t.Parallel()
		a := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
		tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
			return s.RecordLive(ctx, a.Tenant, a.ID, noon)
		})

		if err := cancel(t, a, 0); !errors.Is(err, store.ErrTooLateToCancel) {
			t.Errorf("%v, want too late", err)
		}
	})
	t.Run("AfterTheEnd", func(t *testing.T) {
		t.Parallel()
		ended := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
		cancelled := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
		must(t, cancel(t, cancelled, 0))
		for _, a := range []mobile.Activation{ended, cancelled} {
			tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
				_, err := s.End(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateCancelled, At: noon})
				return err
			})
		}

		if err := cancel(t, ended, 0); !errors.Is(err, store.ErrActivationEnded) {
			t.Errorf("ended otherwise: %v", err)
		}
		if err := cancel(t, cancelled, 0); err != nil {
			t.Errorf("ended by a cancel: %v", err)
		}
	})
	t.Run("Unknown", func(t *testing.T) {
		t.Parallel()
		if err := cancel(t, mobile.Activation{Tenant: tenant.ID, ID: mobile.ActivationID(newID())}, 0); !errors.Is(err, store.ErrActivationNotFound) {
			t.Errorf("%v", err)
		}
	})
}

// A line that comes up and a cancel meet at the row's lock: exactly one of them is first,
// and the other is told.
func TestRecordLive_AgainstCancel(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	firsts := map[string]int{}
	for range 60 {
		a := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
		var lived, cancelled error

		var both sync.WaitGroup
		both.Go(func() {
			lived = db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
				return s.RecordLive(t.Context(), a.Tenant, a.ID, noon)
			})
		})
		both.Go(func() {
			cancelled = db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
				return s.CancelActivation(t.Context(), store.Cancel{Tenant: a.Tenant, Activation: a.ID})
			})
		})
		both.Wait()

		got := storetest.Read(t, db, a)
		switch {
		case lived == nil && errors.Is(cancelled, store.ErrTooLateToCancel) && !got.Live.IsZero() && got.CancelRequested.IsZero():
			firsts["live"]++
		case cancelled == nil && errors.Is(lived, store.ErrCancelCameFirst) && got.Live.IsZero() && !got.CancelRequested.IsZero():
			firsts["cancel"]++
		default:
			t.Fatalf("live: %v, cancel: %v; row: live %v, cancelled %v", lived, cancelled, got.Live, got.CancelRequested)
		}
	}
	t.Logf("first came %v", firsts)
}

func TestRecordLive_FirstMomentStays(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)

	for _, at := range []time.Time{noon, noon.Add(time.Hour)} {
		tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
			return s.RecordLive(ctx, a.Tenant, a.ID, at)
		})
	}

	if got := storetest.Read(t, db, a); !got.Live.Equal(noon) || got.Revision != a.Revision+1 {
		t.Errorf("live since %v at revision %d", got.Live, got.Revision)
	}
}

func TestRecordLine_TwiceIsOnce(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	db := storetest.Make(t, storetest.Config{Now: clock.Now}).DB
	a := storetest.Launched(t, db)

	for range 2 {
		clock.Advance(time.Second)
		tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
			return s.RecordLine(ctx, a.Tenant, a.ID, "line-1", "+12125550123")
		})
	}

	got := storetest.Read(t, db, a)
	if got.LineReference != "line-1" || got.PhoneNumber != "+12125550123" || got.Revision != a.Revision || !got.Updated.Equal(noon.Add(time.Second)) {
		t.Errorf("kept %q %q, revision %d, updated %v", got.LineReference, got.PhoneNumber, got.Revision, got.Updated)
	}
}

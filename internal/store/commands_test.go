package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// asked lets an activation wait for an operator, and gives what is asked.
func asked(t *testing.T, db *store.DB, a mobile.Activation, item mobile.Item) mobile.Item {
	t.Helper()
	item.Activation = a.ID
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		must(t, s.OpenItem(ctx, a.Tenant, item))
		if item.FollowUp != "" {
			return nil
		}
		must(t, s.Move(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateRunning, At: noon}))
		return s.Move(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateWaitingForOperator, At: noon})
	})
	for _, open := range storetest.Read(t, db, a).OpenItems() {
		if open.Kind == item.Kind && open.FollowUp == item.FollowUp {
			return open
		}
	}
	t.Fatal("nothing is asked")
	return item
}

// ordered files an operator's command about an item.
func ordered(t *testing.T, db *store.DB, a mobile.Activation, item mobile.Item) store.Command {
	t.Helper()
	c := store.Command{
		ID: newID(), Tenant: a.Tenant, Activation: a.ID, ItemID: item.ID, Choice: mobile.ResolutionDone, Said: "8901-said",
		By: mobile.Doer{Principal: mobile.PrincipalOperator, Actor: "Ann Lee", RequestID: newID()},
	}
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		must(t, s.Audit(ctx, store.Deed{ID: c.ID, Tenant: a.Tenant, Method: "ResolveAction", Resource: string(a.ID)}))
		return s.FileCommand(ctx, c)
	})
	return c
}

func readCommand(t *testing.T, db *store.DB, c store.Command) (found store.Command) {
	t.Helper()
	tenantly(t, db, c.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		found, err = s.Command(ctx, c.Tenant, c.ID)
		return err
	})
	return found
}

// A command is found by its own id and by its request's, with what was said.
func TestCommand(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	c := ordered(t, d.DB, a, asked(t, d.DB, a, mobile.Item{Kind: mobile.ItemRunLost}))

	if diff := cmp.Diff(c, readCommand(t, d.DB, c)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		found, err := s.CommandOf(ctx, a.Tenant, c.By.RequestID)
		if diff := cmp.Diff(c, found); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		return err
	})
	sealed := ask[[]byte](t, d.Connect(t), `SELECT said_sealed FROM commands WHERE command_id = $1`, c.ID)
	if plain, err := storetest.Sealer().Open(sealed, "command.said", string(a.Tenant), c.ID); err != nil || string(plain) != c.Said {
		t.Errorf("sealed is %q, %v", plain, err)
	}
}

func TestCommand_NotFound(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a, other := storetest.Launched(t, db), storetest.Launched(t, db)
	c := ordered(t, db, a, asked(t, db, a, mobile.Item{Kind: mobile.ItemRunLost}))

	for name, read := range map[string]func(*store.Store) error{
		"absent": func(s *store.Store) error {
			_, err := s.Command(t.Context(), other.Tenant, newID())
			return err
		},
		"another's": func(s *store.Store) error {
			_, err := s.Command(t.Context(), other.Tenant, c.ID)
			return err
		},
		"another's, by its own name": func(s *store.Store) error {
			_, err := s.Command(t.Context(), a.Tenant, c.ID)
			return err
		},
		"of another's request": func(s *store.Store) error {
			_, err := s.CommandOf(t.Context(), other.Tenant, c.By.RequestID)
			return err
		},
	} {
		err := db.InTenant(t.Context(), other.Tenant, func(s *store.Store) error { return read(s) })
		if !errors.Is(err, store.ErrCommandNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What came of a command stays as it was first said.
func TestCommandTaken_Once(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	d := storetest.Make(t, storetest.Config{Now: clock.Now})
	a := storetest.Launched(t, d.DB)
	c := ordered(t, d.DB, a, asked(t, d.DB, a, mobile.Item{Kind: mobile.ItemRunLost}))

	for _, outcome := range []store.CommandOutcome{store.OutcomeOvertaken, store.OutcomeDone, store.OutcomeRefused} {
		tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error { return s.CommandTaken(ctx, c, outcome) })
		clock.Advance(time.Minute)
	}

	if got := readCommand(t, d.DB, c); got.Outcome != store.OutcomeOvertaken || !got.Taken.Equal(noon) {
		t.Errorf("%+v", got)
	}
}

// An item closes as a person settled it, once, and the activation goes on.
func TestResolve(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	item := asked(t, d.DB, a, mobile.Item{Kind: mobile.ItemOutcomeUnknown, Step: mobile.StepReserveESIM})
	other := asked(t, d.DB, a, mobile.Item{Kind: mobile.ItemMailNotDelivered, FollowUp: ""})
	c := ordered(t, d.DB, a, item)
	to := store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateRunning, Next: "on", At: noon}
	before := storetest.Read(t, d.DB, a).Revision

	for _, want := range []bool{true, false} {
		tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
			settled, err := s.Resolve(ctx, item, c, to)
			if settled != want {
				t.Errorf("settled %t, want %t", settled, want)
			}
			return err
		})
	}

	got := storetest.Read(t, d.DB, a)
	if got.State != mobile.StateRunning || got.Next != "on" || got.Revision <= before {
		t.Errorf("it is %s, next %q, revision %d after %d", got.State, got.Next, got.Revision, before)
	}
	if open := got.OpenItems(); len(open) != 1 || open[0].ID != other.ID {
		t.Errorf("open: %+v", open)
	}
	closed := got.Items[1]
	closed.Closed = time.Time{}
	want := item
	want.Resolution, want.Actor = mobile.ResolutionDone, "Ann Lee"
	if diff := cmp.Diff(want, closed, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if n := ask[int](t, d.Connect(t), `SELECT count(*) FROM events WHERE type = 'item.closed' AND activation_id = $1`, a.ID); n != 1 {
		t.Errorf("the feed tells it %d times", n)
	}
}

// What closed by itself, or by another's word, is not settled a second time.
func TestResolve_ClosedMeanwhile(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	item := asked(t, db, a, mobile.Item{Kind: mobile.ItemStepStuck, Step: mobile.StepReserveESIM})
	c := ordered(t, db, a, item)
	to := store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateRunning, At: noon}
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error { return s.Answered(ctx, to, mobile.StepReserveESIM) })

	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		settled, err := s.Resolve(ctx, item, c, to)
		if settled {
			t.Error("settled once more")
		}
		return err
	})

	if got := storetest.Read(t, db, a).Items[0]; got.Resolution != "" || got.Actor != "" {
		t.Errorf("it says %+v", got)
	}
}

// An answer to a follow-up moves nothing but the follow-up.
func TestResolve_FollowUp(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	f := resend(t, db, a)
	mine := asked(t, db, a, mobile.Item{Kind: mobile.ItemStepRefused, Step: mobile.StepSendActivationEmail})
	item := asked(t, db, a, mobile.Item{Kind: mobile.ItemOutcomeUnknown, Step: mobile.StepResendActivationEmail, FollowUp: f.ID})
	c := ordered(t, db, a, item)

	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.Resolve(ctx, item, c, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateRunning, At: noon})
		return err
	})

	got := storetest.Read(t, db, a)
	if open := got.OpenItems(); got.State != mobile.StateWaitingForOperator || len(open) != 1 || open[0].ID != mine.ID {
		t.Errorf("it is %s, open %+v", got.State, open)
	}
}

// Another run holds what a lost one held, of the activation or of the follow-up.
func TestClaimRun(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	f := resend(t, db, a)

	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		must(t, s.ClaimRun(ctx, a.ID, "", "run-a"))
		must(t, s.ClaimRun(ctx, a.ID, f.ID, "run-f"))
		got, err := s.FollowUp(ctx, a.Tenant, f.ID)
		if got.RunID != "run-f" {
			t.Errorf("the follow-up is held by %q", got.RunID)
		}
		return err
	})

	if got := storetest.Read(t, db, a).RunID; got != "run-a" {
		t.Errorf("the activation is held by %q", got)
	}
}

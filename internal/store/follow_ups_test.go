package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func replacing(a mobile.Activation) mobile.FollowUp {
	return mobile.FollowUp{
		Tenant: a.Tenant, Activation: a.ID, Kind: mobile.FollowUpReplace, IMEI: storetest.IMEI,
		Asked: mobile.Doer{Principal: mobile.PrincipalOperator, Actor: "Ann Lee", RequestID: newID()},
	}
}

// fileFollowUp files one, or tells why not.
func fileFollowUp(t *testing.T, db *store.DB, f mobile.FollowUp) (mobile.FollowUp, error) {
	t.Helper()
	err := db.InTenant(t.Context(), f.Tenant, func(s *store.Store) (err error) {
		f, err = s.FileFollowUp(t.Context(), f, `{"patience":"1s"}`)
		return err
	})
	return f, err
}

func readFollowUp(t *testing.T, db *store.DB, f mobile.FollowUp) (found mobile.FollowUp) {
	t.Helper()
	tenantly(t, db, f.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		found, err = s.FollowUp(ctx, f.Tenant, f.ID)
		return err
	})
	return found
}

func endFollowUp(t *testing.T, db *store.DB, f mobile.FollowUp, to mobile.FollowUpState) {
	t.Helper()
	tenantly(t, db, f.Tenant, func(ctx context.Context, s *store.Store) error { return s.EndFollowUp(ctx, f, to, noon) })
}

// What is filed is read again as it was, and filed with the relay under an id of its own.
func TestFileFollowUp(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{Now: storetest.NewClock(noon).Now})
	a := storetest.Launched(t, d.DB)
	want := replacing(a)

	f, err := fileFollowUp(t, d.DB, want)
	must(t, err)

	want.ID, want.State, want.Created = f.ID, mobile.FollowUpOpen, noon
	want.WorkflowID = "followup/" + string(a.Tenant) + "/" + string(a.ID) + "/" + string(f.ID)
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("filed: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(want, readFollowUp(t, d.DB, f)); diff != "" {
		t.Errorf("read: -want +got\n%s", diff)
	}
	got := ask[string](t, d.Connect(t), `
		SELECT o.kind || ' ' || f.policies FROM outbox o JOIN follow_ups f USING (follow_up_id) WHERE follow_up_id = $1`, f.ID)
	if got != `START {"patience":"1s"}` {
		t.Errorf("the relay has %q", got)
	}
	if before, after := a.Revision, storetest.Read(t, d.DB, a).Revision; after <= before {
		t.Errorf("revision %d after %d", after, before)
	}
}

// One eSIM is replaced at a time, whoever asks at the same moment; mails are sent as often as
// somebody asks.
func TestFileFollowUp_OneReplacementAtATime(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a, other := storetest.Launched(t, db), storetest.Launched(t, db)
	filed := make([]mobile.FollowUp, 6)
	errs := make([]error, len(filed))
	var all sync.WaitGroup
	for i := range filed {
		all.Go(func() { filed[i], errs[i] = fileFollowUp(t, db, replacing(a)) })
	}
	all.Wait()

	var one mobile.FollowUp
	taken := 0
	for i, err := range errs {
		switch {
		case err == nil:
			one = filed[i]
			taken++
		case !errors.Is(err, store.ErrProfileBeingReplaced):
			t.Error(err)
		}
	}
	if taken != 1 {
		t.Fatalf("%d were filed", taken)
	}
	resend(t, db, a)
	resend(t, db, a)
	if _, err := fileFollowUp(t, db, replacing(other)); err != nil {
		t.Errorf("another activation's: %v", err)
	}
	endFollowUp(t, db, one, mobile.FollowUpGivenUp)
	if _, err := fileFollowUp(t, db, replacing(a)); err != nil {
		t.Errorf("once it has ended: %v", err)
	}
}

// The first run that comes holds it, whoever comes at the same moment; its repeat is the same
// claim, and once it has ended any run may read that.
func TestOpenFollowUp(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	f := resend(t, db, storetest.Launched(t, db))
	open := func(run string) (got mobile.FollowUp, err error) {
		err = db.InTenant(t.Context(), f.Tenant, func(s *store.Store) (err error) {
			got, err = s.OpenFollowUp(t.Context(), f.Tenant, f.ID, run)
			return err
		})
		return got, err
	}
	runs := []string{"a", "b", "c", "d"}
	errs := make([]error, len(runs))
	var all sync.WaitGroup
	for i, run := range runs {
		all.Go(func() { _, errs[i] = open(run) })
	}
	all.Wait()

	holder := readFollowUp(t, db, f).RunID
	for i, run := range runs {
		want := store.ErrNotThisRun
		if run == holder {
			want = nil
		}
		if want == nil && errs[i] != nil || want != nil && !errors.Is(errs[i], want) {
			t.Errorf("run %s got %v; %s holds it", run, errs[i], holder)
		}
	}
	if _, err := open(holder); err != nil {
		t.Errorf("the same run again: %v", err)
	}
	got, err := open("e")
	if !errors.Is(err, store.ErrNotThisRun) || got.ID != f.ID {
		t.Errorf("another run: %+v, %v", got, err)
	}
	endFollowUp(t, db, f, mobile.FollowUpDone)
	if got, err = open("e"); err != nil || got.State != mobile.FollowUpDone || got.RunID != holder {
		t.Errorf("once it has ended: %+v, %v", got, err)
	}
}

func TestFollowUp_NotFound(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	other := storetest.Launched(t, db)
	f := resend(t, db, storetest.Launched(t, db))

	for name, read := range map[string]func(*store.Store) error{
		"absent": func(s *store.Store) error {
			_, err := s.FollowUp(t.Context(), other.Tenant, mobile.FollowUpID(newID()))
			return err
		},
		"another's": func(s *store.Store) error {
			_, err := s.OpenFollowUp(t.Context(), other.Tenant, f.ID, "run")
			return err
		},
		"another's, by its own name": func(s *store.Store) error {
			_, err := s.FollowUp(t.Context(), f.Tenant, f.ID)
			return err
		},
	} {
		err := db.InTenant(t.Context(), other.Tenant, func(s *store.Store) error { return read(s) })
		if !errors.Is(err, store.ErrFollowUpNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The first end stays, and closes what the follow-up asked, and nothing that others ask.
func TestEndFollowUp(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	f, other := resend(t, d.DB, a), resend(t, d.DB, a)
	asked(t, d.DB, a, mobile.Item{Kind: mobile.ItemOutcomeUnknown, Step: mobile.StepResendActivationEmail, FollowUp: f.ID})
	asked(t, d.DB, a, mobile.Item{Kind: mobile.ItemStepRefused, Step: mobile.StepResendActivationEmail, FollowUp: other.ID})
	asked(t, d.DB, a, mobile.Item{Kind: mobile.ItemMailNotDelivered})

	endFollowUp(t, d.DB, f, mobile.FollowUpGivenUp)
	endFollowUp(t, d.DB, f, mobile.FollowUpDone)

	if got := readFollowUp(t, d.DB, f); got.State != mobile.FollowUpGivenUp || !got.Ended.Equal(noon) {
		t.Errorf("%+v", got)
	}
	open := map[mobile.ItemKind]mobile.FollowUpID{}
	for _, item := range storetest.Read(t, d.DB, a).OpenItems() {
		open[item.Kind] = item.FollowUp
	}
	if diff := cmp.Diff(map[mobile.ItemKind]mobile.FollowUpID{mobile.ItemStepRefused: other.ID, mobile.ItemMailNotDelivered: ""}, open); diff != "" {
		t.Errorf("open: -want +got\n%s", diff)
	}
	if n := ask[int](t, d.Connect(t), `SELECT count(*) FROM events WHERE type = 'item.closed' AND activation_id = $1`, a.ID); n != 1 {
		t.Errorf("the feed tells it %d times", n)
	}
}

// What got through by itself is not asked any more.
func TestAnsweredFollowUp(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	f := resend(t, db, a)
	asked(t, db, a, mobile.Item{Kind: mobile.ItemStepStuck, Step: mobile.StepResendActivationEmail, FollowUp: f.ID})
	lost := asked(t, db, a, mobile.Item{Kind: mobile.ItemRunLost})

	for range 2 {
		tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
			return s.AnsweredFollowUp(ctx, a.Tenant, a.ID, f.ID)
		})
	}

	got := storetest.Read(t, db, a)
	if open := got.OpenItems(); len(open) != 1 || open[0].ID != lost.ID || got.State != mobile.StateWaitingForOperator {
		t.Errorf("it is %s, open %+v", got.State, open)
	}
	if got := readFollowUp(t, db, f); got.State != mobile.FollowUpOpen {
		t.Errorf("the follow-up is %s", got.State)
	}
}

// Two runs that ask the same thing ask one after the other: the second is told to try again,
// and is not taken for the first.
func TestOpenItem_OneAfterTheOther(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	first, second := resend(t, db, a), resend(t, db, a)
	ask := func(f mobile.FollowUp) error {
		return db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
			return s.OpenItem(t.Context(), a.Tenant, mobile.Item{
				Activation: a.ID, Kind: mobile.ItemOutcomeUnknown, Step: mobile.StepResendActivationEmail, FollowUp: f.ID,
			})
		})
	}
	must(t, ask(first))
	must(t, ask(first))

	if err := ask(second); !errors.Is(err, store.ErrAnotherAsks) {
		t.Errorf("the second got %v", err)
	}

	endFollowUp(t, db, first, mobile.FollowUpDone)
	must(t, ask(second))
	if open := storetest.Read(t, db, a).OpenItems(); len(open) != 1 || open[0].FollowUp != second.ID {
		t.Errorf("open: %+v", open)
	}
}

// A lost follow-up is looked after at once, also after the activation's end.
func TestReviveActivation_ItsFollowUps(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	f := resend(t, d.DB, a)
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		if _, err := s.End(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateRejected, At: time.Now()}); err != nil {
			return err
		}
		return s.ReviveActivation(ctx, store.Revival{Tenant: a.Tenant, Activation: a.ID})
	})

	got := ask[int](t, d.Connect(t), `SELECT count(*) FROM outbox WHERE kind = 'INTAKE' AND follow_up_id = $1`, f.ID)
	if got != 1 {
		t.Errorf("%d messages for the follow-up", got)
	}
	endFollowUp(t, d.DB, f, mobile.FollowUpDone)
	err := d.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		return s.ReviveActivation(t.Context(), store.Revival{Tenant: a.Tenant, Activation: a.ID})
	})
	if !errors.Is(err, store.ErrActivationEnded) {
		t.Errorf("with nothing open: %v", err)
	}
}

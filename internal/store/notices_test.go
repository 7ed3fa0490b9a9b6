package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// prepare keeps a notice of an activation and gives its id.
func prepare(t *testing.T, db *store.DB, a mobile.Activation, message string) string {
	t.Helper()
	return prepareFor(t, db, a, "", message)
}

// prepareFor is prepare for a follow-up.
func prepareFor(t *testing.T, db *store.DB, a mobile.Activation, of mobile.FollowUpID, message string) string {
	t.Helper()
	n := noticeOf(newID())
	n.FollowUp = of
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		return s.PrepareNotice(ctx, a.Tenant, a.ID, n, []byte(message))
	})
	return n.ID
}

// resend files a follow-up that sends the mail again.
func resend(t *testing.T, db *store.DB, a mobile.Activation) (f mobile.FollowUp) {
	t.Helper()
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		f, err = s.FileFollowUp(ctx, mobile.FollowUp{
			Tenant: a.Tenant, Activation: a.ID, Kind: mobile.FollowUpResend, Asked: mobile.Doer{RequestID: newID()},
		}, "")
		return err
	})
	return f
}

// end ends an activation.
func end(t *testing.T, db *store.DB, a mobile.Activation) {
	t.Helper()
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.End(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateFailed, At: noon})
		return err
	})
}

func TestPrepareNotice_FirstMessageStays(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	err := db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		_, _, err := s.Notice(t.Context(), a.Tenant, a.ID, mobile.NoticeActivation, "")
		return err
	})
	if !errors.Is(err, store.ErrNoticeNotFound) {
		t.Errorf("before: %v", err)
	}

	first := prepare(t, db, a, "the first bytes")
	prepare(t, db, a, "other bytes")

	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		got, message, err := s.Notice(ctx, a.Tenant, a.ID, mobile.NoticeActivation, "")
		if got.ID != first || got.State != mobile.NoticePrepared || string(message) != "the first bytes" {
			t.Errorf("notice %s %s says %q", got.ID, got.State, message)
		}
		return err
	})
}

// Each owner has notices of its own, and the generations of a kind are counted over all.
func TestNotice_Owners(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	first, second := resend(t, db, a), resend(t, db, a)

	own := prepare(t, db, a, "own")
	prepareFor(t, db, a, first.ID, "the first resend")
	prepareFor(t, db, a, first.ID, "the first resend, repeated")
	prepareFor(t, db, a, second.ID, "the second resend")
	again := noticeOf(newID())
	again.FollowUp = first.ID
	for range 2 { // twice is once, by its id
		tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
			return s.RepeatNotice(ctx, a.Tenant, a.ID, again, []byte("the first resend, sent again"))
		})
	}

	for _, c := range []struct {
		of         mobile.FollowUpID
		generation int
		says       string
	}{{"", 0, "own"}, {first.ID, 3, "the first resend, sent again"}, {second.ID, 2, "the second resend"}} {
		tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
			n, message, err := s.Notice(ctx, a.Tenant, a.ID, mobile.NoticeActivation, c.of)
			if n.Generation != c.generation || n.FollowUp != c.of || string(message) != c.says {
				t.Errorf("of %q: generation %d of %q says %q", c.of, n.Generation, n.FollowUp, message)
			}
			return err
		})
	}
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		latest, _, err := s.LatestNotice(ctx, a.Tenant, a.ID, mobile.NoticeActivation)
		must(t, err)
		byID, message, err := s.NoticeByID(ctx, a.Tenant, own)
		must(t, err)
		asked, err := s.RequestedNotice(ctx, a.Tenant, a.ID, first.Asked.RequestID)
		must(t, err)
		if latest.ID != again.ID || byID.ID != own || string(message) != "own" || asked.Generation != 1 {
			t.Errorf("latest %d, by id %q, asked for %d", latest.Generation, message, asked.Generation)
		}
		for _, id := range []string{newID(), "not-a-uuid", ""} {
			if _, _, err := s.NoticeByID(ctx, a.Tenant, id); !errors.Is(err, store.ErrNoticeNotFound) {
				t.Errorf("%q: %v", id, err)
			}
		}
		if _, err := s.RequestedNotice(ctx, a.Tenant, a.ID, newID()); !errors.Is(err, store.ErrNoticeNotFound) {
			t.Errorf("a request of nobody's: %v", err)
		}
		return nil
	})
	var generations []int
	for _, n := range storetest.Read(t, db, a).Notices {
		generations = append(generations, n.Generation)
	}
	if diff := cmp.Diff([]int{0, 1, 2, 3}, generations); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Follow-ups that prepare at one moment draw different generations, and none is lost.
func TestPrepareNotice_Racers(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	const many = 8
	var all sync.WaitGroup
	for range many {
		f := resend(t, db, a)
		for range 2 { // and each in two attempts
			all.Go(func() {
				n := noticeOf(newID())
				n.FollowUp = f.ID
				err := db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
					return s.PrepareNotice(t.Context(), a.Tenant, a.ID, n, []byte("mail"))
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()

	var generations []int
	for _, n := range storetest.Read(t, db, a).Notices {
		generations = append(generations, n.Generation)
	}
	slices.Sort(generations)
	if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5, 6, 7}, generations); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestOpenItem_AsksOnce(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	ask := func(kind mobile.ItemKind, step mobile.StepName) {
		tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
			return s.OpenItem(ctx, a.Tenant, mobile.Item{Activation: a.ID, Kind: kind, Step: step, Detail: "look"})
		})
	}

	ask(mobile.ItemStepStuck, mobile.StepReserveESIM)
	ask(mobile.ItemStepStuck, mobile.StepReserveESIM)
	ask(mobile.ItemStepStuck, mobile.StepActivateLine)
	ask(mobile.ItemNumberAtRisk, "")

	got := storetest.Read(t, db, a)
	if len(got.Items) != 3 || got.Revision != a.Revision+3 {
		t.Errorf("%d items at revision %d", len(got.Items), got.Revision)
	}
	if last := got.Items[2]; last.Severity != mobile.SeverityAtRisk {
		t.Errorf("a number at risk is %s", last.Severity)
	}
}

package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// subscribe makes a subscription with this id, whose event has it, too.
func subscribe(ctx context.Context, s *store.Store, tenant mobile.TenantID, id mobile.SubscriptionID) error {
	return s.InsertSubscription(ctx, mobile.Subscription{
		ID: id, Tenant: tenant, AccountID: "acct", CustomerName: "Ann", CustomerEmail: "ann@example.com",
		Plan: storetest.PlanName, Status: mobile.SubscriptionPending,
	})
}

func number(t *testing.T, db *store.DB) int64 {
	t.Helper()
	var numbered int64
	systemly(t, db, func(ctx context.Context, s *store.Store) (err error) {
		numbered, err = s.NumberFeed(ctx, 100)
		return err
	})
	return numbered
}

func list(t *testing.T, db *store.DB, tenant mobile.TenantID, after int64, types ...string) []mobile.Event {
	t.Helper()
	var events []mobile.Event
	tenantly(t, db, tenant, func(ctx context.Context, s *store.Store) (err error) {
		page, err := s.ListEvents(ctx, tenant, store.EventFilter{After: after, Types: types}, 1000)
		events = page.Events
		return err
	})
	return events
}

// A transaction that was open while others committed must not come out behind a reader's
// cursor.
func TestNumberFeed_HeldOpen(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	written, release := make(chan struct{}), make(chan struct{})

	var slow sync.WaitGroup
	slow.Go(func() {
		err := db.InTenant(t.Context(), tenant.ID, func(s *store.Store) error {
			if err := subscribe(t.Context(), s, tenant.ID, "slow"); err != nil {
				return err
			}
			close(written)
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-written
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error { return subscribe(ctx, s, tenant.ID, "fast") })
	if n := number(t, db); n != 1 {
		t.Errorf("numbered %d while one was open", n)
	}
	seen := list(t, db, tenant.ID, 0)
	close(release)
	slow.Wait()
	if n := number(t, db); n != 1 {
		t.Errorf("numbered %d afterwards", n)
	}
	seen = append(seen, list(t, db, tenant.ID, seen[len(seen)-1].Sequence)...)

	if len(seen) != 2 || seen[0].Subscription != "fast" || seen[1].Subscription != "slow" || seen[1].Sequence != 2 {
		t.Errorf("a reader saw %v", seen)
	}
}

func TestNumberFeed_Unnumbered(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	one, two := storetest.Tenant(t, db), storetest.Tenant(t, db)
	for _, tenant := range []mobile.Tenant{one, two} {
		storetest.Subscription(t, db, tenant)
		storetest.Subscription(t, db, tenant)
	}

	if seen := list(t, db, one.ID, 0); len(seen) != 0 {
		t.Errorf("before they have a number: %v", seen)
	}
	if n := number(t, db); n != 4 {
		t.Errorf("numbered %d of 4", n)
	}
	if n := number(t, db); n != 0 {
		t.Errorf("numbered %d again", n)
	}
	for _, tenant := range []mobile.Tenant{one, two} {
		if seen := list(t, db, tenant.ID, 0); len(seen) != 2 || seen[0].Sequence != 1 || seen[1].Sequence != 2 {
			t.Errorf("each tenant's feed starts at 1: %v", seen)
		}
	}
}

// Many write and several number while one reads: its cursor passes over nothing, and the
// numbers have no gap.
func TestNumberFeed_Reader(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	const writers, each = 8, 25
	var writing, numbering sync.WaitGroup
	var done atomic.Bool

	for w := range writers {
		writing.Go(func() {
			for i := range each {
				id := mobile.SubscriptionID(fmt.Sprintf("sub-%d-%d", w, i))
				err := db.InTenant(t.Context(), tenant.ID, func(s *store.Store) error { return subscribe(t.Context(), s, tenant.ID, id) })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 3 {
		numbering.Go(func() {
			for !done.Load() {
				err := db.InSystem(t.Context(), func(s *store.Store) error {
					_, err := s.NumberFeed(t.Context(), 10)
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	reading := make(chan []mobile.Event, 1)
	go func() {
		var seen []mobile.Event
		var cursor int64
		defer func() { reading <- seen }()
		for len(seen) < writers*each && !t.Failed() {
			err := db.InTenant(t.Context(), tenant.ID, func(s *store.Store) error {
				page, err := s.ListEvents(t.Context(), tenant.ID, store.EventFilter{After: cursor}, 7)
				seen, cursor = append(seen, page.Events...), page.Next
				return err
			})
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
	writing.Wait()
	seen := <-reading
	done.Store(true)
	numbering.Wait()

	subs := map[mobile.SubscriptionID]bool{}
	for i, e := range seen {
		if e.Sequence != int64(i+1) {
			t.Fatalf("number %d at place %d", e.Sequence, i)
		}
		subs[e.Subscription] = true
	}
	if len(subs) != writers*each {
		t.Errorf("a reader saw %d of %d", len(subs), writers*each)
	}
}

func TestListEvents(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	db := storetest.Make(t, storetest.Config{Now: clock.Now}).DB
	a := storetest.Launched(t, db)
	number(t, db)

	all := list(t, db, a.Tenant, 0)
	if len(all) != 2 {
		t.Fatalf("the feed has %v", all)
	}
	want := mobile.Event{
		ID: all[1].ID, Sequence: 2, Tenant: a.Tenant, Type: mobile.EventWorkflowStateChanged, Activation: a.ID,
		Subscription: a.Subscription, Created: noon,
		Data: mobile.EventData{AccountID: a.AccountID, WorkflowType: a.Type, Revision: 1, State: mobile.StateAccepted},
	}
	if diff := cmp.Diff(want, all[1]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := list(t, db, a.Tenant, 1); len(got) != 1 || got[0].Sequence != 2 {
		t.Errorf("after the first: %v", got)
	}
	if got := list(t, db, a.Tenant, 0, string(mobile.EventSubscriptionCreated)); len(got) != 1 || got[0].Sequence != 1 {
		t.Errorf("of one type: %v", got)
	}
	if got := list(t, db, a.Tenant, 2); len(got) != 0 {
		t.Errorf("after the last: %v", got)
	}
}

package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func readSubscription(t *testing.T, db *store.DB, sub mobile.Subscription) mobile.Subscription {
	t.Helper()
	var now mobile.Subscription
	tenantly(t, db, sub.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		now, err = s.Subscription(ctx, sub.Tenant, sub.ID)
		return err
	})
	return now
}

func TestInsertSubscription(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	db := storetest.Make(t, storetest.Config{Now: clock.Now}).DB
	tenant, other := storetest.Tenant(t, db), storetest.Tenant(t, db)
	want := mobile.Subscription{
		ID: "their-own.id_~1", Tenant: tenant.ID, AccountID: "acct-1", CustomerName: "Zoë O’Hara-李",
		CustomerEmail: "zoe@example.com", Plan: storetest.PlanName, Status: mobile.SubscriptionPending,
	}
	insert := func(sub mobile.Subscription) error {
		return db.InTenant(t.Context(), sub.Tenant, func(s *store.Store) error { return s.InsertSubscription(t.Context(), sub) })
	}

	must(t, insert(want))

	want.Created, want.Updated, want.PlanKind = noon, noon, mobile.PlanMobile
	if diff := cmp.Diff(want, readSubscription(t, db, want)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if err := insert(want); !errors.Is(err, store.ErrSubscriptionExists) {
		t.Errorf("again: %v", err)
	}
	same := want
	same.Tenant = other.ID
	if err := insert(same); err != nil {
		t.Errorf("another tenant's with the same id: %v", err)
	}
}

func TestActivateSubscription(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	a.PhoneNumber, a.Live = "+12125550123", noon
	activate := func(a mobile.Activation) error {
		return d.InTenant(t.Context(), a.Tenant, func(s *store.Store) error { return s.ActivateSubscription(t.Context(), a) })
	}

	must(t, activate(a))
	must(t, activate(a))

	got := readSubscription(t, d.DB, mobile.Subscription{Tenant: a.Tenant, ID: a.Subscription})
	if got.Status != mobile.SubscriptionActive || got.PhoneNumber != a.PhoneNumber || !got.Activated.Equal(noon) || got.Activation != a.ID {
		t.Errorf("%+v", got)
	}
	told := slices.DeleteFunc(feed(t, d.Connect(t), a.ID), func(kind string) bool { return kind != string(mobile.EventSubscriptionActivated) })
	if len(told) != 1 {
		t.Errorf("billing was told %d times", len(told))
	}
	a.PhoneNumber = "+12125550199"
	if err := activate(a); !errors.Is(err, store.ErrSubscriptionNotPending) {
		t.Errorf("with another number: %v", err)
	}
}

// A subscription that is cancelled and activated at one moment is one of the two.
func TestSubscription_CancelAgainstActivate(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	for range 15 {
		a := storetest.Launched(t, db)
		a.PhoneNumber, a.Live = "+12125550123", noon
		var activated, cancelled error

		var both sync.WaitGroup
		both.Go(func() {
			activated = db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error { return s.ActivateSubscription(t.Context(), a) })
		})
		both.Go(func() {
			cancelled = db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
				return s.CancelSubscription(t.Context(), a.Tenant, a.Subscription)
			})
		})
		both.Wait()

		status := readSubscription(t, db, mobile.Subscription{Tenant: a.Tenant, ID: a.Subscription}).Status
		switch {
		case activated == nil && errors.Is(cancelled, store.ErrSubscriptionNotPending) && status == mobile.SubscriptionActive:
		case cancelled == nil && errors.Is(activated, store.ErrSubscriptionNotPending) && status == mobile.SubscriptionCancelled:
		default:
			t.Fatalf("%s; activated: %v, cancelled: %v", status, activated, cancelled)
		}
	}
}

// Pages hold everything once, also when many were made at the same moment.
func TestLists_Pages(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	db := storetest.Make(t, storetest.Config{Now: clock.Now}).DB
	tenant := storetest.Tenant(t, db)
	want := map[mobile.SubscriptionID]mobile.ActivationID{}
	for i := range 11 {
		if i%4 == 3 {
			clock.Advance(time.Second)
		}
		a := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
		want[a.Subscription] = a.ID
	}
	storetest.Launched(t, db) // another tenant's

	subs, activations := map[mobile.SubscriptionID]mobile.ActivationID{}, map[mobile.SubscriptionID]mobile.ActivationID{}
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		for after := (store.Cursor{}); ; {
			page, err := s.ListSubscriptions(ctx, tenant.ID, store.SubscriptionFilter{}, after, 3)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, sub := range page {
				if _, twice := subs[sub.ID]; twice {
					t.Errorf("%s is on two pages", sub.ID)
				}
				subs[sub.ID] = sub.Activation
				after = store.Cursor{Created: sub.Created, ID: string(sub.ID)}
			}
		}
	})
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		for after := (store.Cursor{}); ; {
			page, err := s.ListActivations(ctx, tenant.ID, store.ActivationFilter{}, after, 3)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, a := range page {
				if len(a.Steps) != len(a.Type.Plan()) {
					t.Errorf("%s has %d steps", a.ID, len(a.Steps))
				}
				activations[a.Subscription] = a.ID
				after = store.Cursor{Created: a.Created, ID: string(a.ID)}
			}
		}
	})

	if diff := cmp.Diff(want, subs); diff != "" {
		t.Errorf("subscriptions: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(want, activations); diff != "" {
		t.Errorf("activations: -want +got\n%s", diff)
	}
}

func TestListActivations_Filters(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	db := storetest.Make(t, storetest.Config{Now: clock.Now}).DB
	tenant := storetest.Tenant(t, db)
	stuck := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
	clock.Advance(time.Hour)
	rejected := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
	_, err := reserve(t, db, rejected, iccid(1))
	must(t, err)
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		must(t, s.RecordAttempt(ctx, store.Attempt{Tenant: tenant.ID, Activation: stuck.ID, Step: step, State: mobile.StepRetrying, At: noon}))
		must(t, s.OpenItem(ctx, tenant.ID, mobile.Item{Activation: stuck.ID, Kind: mobile.ItemStepStuck, Step: step}))
		_, err := s.End(ctx, store.Move{Tenant: tenant.ID, Activation: rejected.ID, To: mobile.StateRejected, Reason: "DEVICE_BLOCKED", At: noon})
		return err
	})

	for name, c := range map[string]struct {
		filter store.ActivationFilter
		want   []mobile.ActivationID
	}{
		"none":           {store.ActivationFilter{}, []mobile.ActivationID{rejected.ID, stuck.ID}},
		"state":          {store.ActivationFilter{States: []mobile.State{mobile.StateRejected, mobile.StateFailed}}, []mobile.ActivationID{rejected.ID}},
		"reason":         {store.ActivationFilter{Reason: "DEVICE_BLOCKED"}, []mobile.ActivationID{rejected.ID}},
		"step":           {store.ActivationFilter{Step: step}, []mobile.ActivationID{stuck.ID}},
		"needs operator": {store.ActivationFilter{NeedsOperator: true}, []mobile.ActivationID{stuck.ID}},
		"install state":  {store.ActivationFilter{InstallStates: []mobile.InstallState{mobile.InstallNotDownloaded}}, []mobile.ActivationID{rejected.ID}},
		"subscription":   {store.ActivationFilter{Subscription: stuck.Subscription}, []mobile.ActivationID{stuck.ID}},
		"account":        {store.ActivationFilter{AccountID: stuck.AccountID}, []mobile.ActivationID{stuck.ID}},
		"before":         {store.ActivationFilter{Before: noon.Add(time.Minute)}, []mobile.ActivationID{stuck.ID}},
		"from":           {store.ActivationFilter{From: noon.Add(time.Minute)}, []mobile.ActivationID{rejected.ID}},
		"open":           {store.ActivationFilter{Open: true}, []mobile.ActivationID{stuck.ID}},
		"stuck":          {store.ActivationFilter{Stuck: true}, []mobile.ActivationID{stuck.ID}},
		"type":           {store.ActivationFilter{Type: mobile.TypePortIn}, nil},
		"nothing":        {store.ActivationFilter{Reason: "NO_SUCH"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []mobile.ActivationID
			tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
				all, err := s.ListActivations(ctx, tenant.ID, c.filter, store.Cursor{}, 10)
				for _, a := range all {
					got = append(got, a.ID)
				}
				return err
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

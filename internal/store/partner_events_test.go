package store_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func carrierEvent(key string, a mobile.ActivationID) store.PartnerEvent {
	return store.PartnerEvent{
		Partner: mobile.PartnerCarrier, DedupKey: key, Kind: "line.active", Activation: a, Body: []byte(`{}`), Occurred: noon,
	}
}

func TestKeepPartnerEvent_OnceHoweverOften(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	var fresh atomic.Int32

	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			err := db.InSystem(t.Context(), func(s *store.Store) error {
				kept, err := s.KeepPartnerEvent(t.Context(), carrierEvent("evt-1", a.ID))
				if kept {
					fresh.Add(1)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	if n := fresh.Load(); n != 1 {
		t.Errorf("%d deliveries of one event were the first", n)
	}
	// Another partner may use the same id.
	systemly(t, db, func(ctx context.Context, s *store.Store) error {
		e := carrierEvent("evt-1", a.ID)
		e.Partner = mobile.PartnerSendGrid
		kept, err := s.KeepPartnerEvent(ctx, e)
		if !kept {
			t.Error("another partner's event was taken for the carrier's")
		}
		return err
	})
}

func TestKeepPartnerEvent_Matching(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	conn := d.Connect(t)
	for key, c := range map[string]struct {
		of      mobile.ActivationID
		matched bool
	}{
		"ours":          {a.ID, true},
		"a stranger's":  {mobile.ActivationID(newID()), false},
		"nobody's":      {"", false},
		"no id of ours": {"port-7", false},
		"a urn":         {mobile.ActivationID("urn:uuid:" + string(a.ID)), false},
	} {
		t.Run(key, func(t *testing.T) {
			systemly(t, d.DB, func(ctx context.Context, s *store.Store) error {
				kept, err := s.KeepPartnerEvent(ctx, carrierEvent(key, c.of))
				if !kept {
					t.Error("it was not kept")
				}
				return err
			})
			matched := ask[bool](t, conn, `SELECT activation_id IS NOT NULL AND tenant_id <> '' FROM partner_events WHERE dedup_key = $1`, key)
			if matched != c.matched {
				t.Errorf("matched: %t", matched)
			}
		})
	}
}

func TestTakeFacts(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a, other := storetest.Launched(t, db), storetest.Launched(t, db)
	systemly(t, db, func(ctx context.Context, s *store.Store) error {
		for key, of := range map[string]mobile.ActivationID{"1": a.ID, "2": a.ID, "3": other.ID} {
			if _, err := s.KeepPartnerEvent(ctx, carrierEvent(key, of)); err != nil {
				return err
			}
		}
		return nil
	})
	take := func() (facts store.Facts) {
		tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) (err error) {
			facts, err = s.TakeFacts(ctx, a.Tenant, a.ID, "")
			return err
		})
		return facts
	}

	if facts := take(); facts.LineEvents != 2 || facts.Cancelled {
		t.Errorf("took %+v", facts)
	}
	if facts := take(); facts.LineEvents != 0 {
		t.Errorf("took %+v again", facts)
	}
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		return s.CancelActivation(ctx, store.Cancel{Tenant: a.Tenant, Activation: a.ID})
	})
	if facts := take(); !facts.Cancelled {
		t.Error("the cancel is no fact")
	}
	if facts := take(); !facts.Cancelled {
		t.Error("the cancel is a fact only once")
	}
}

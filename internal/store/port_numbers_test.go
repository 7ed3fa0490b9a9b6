package store_test

import (
	"context"
	"testing"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestBeingPorted(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	mine := storetest.Tenant(t, db)
	a := storetest.NewActivation(storetest.Subscription(t, db, mine))
	a.Type = mobile.TypePortIn
	const number = "+12125550123"
	port := mobile.Port{ID: mobile.PortID(newID()), Tenant: mine.ID, Activation: a.ID, Number: number, Donor: "att"}
	by := func(tenant mobile.TenantID, number string) (id mobile.ActivationID) {
		tenantly(t, db, tenant, func(ctx context.Context, s *store.Store) error {
			found, ok, err := s.BeingPorted(ctx, tenant, number)
			if ok != (found != "") {
				t.Errorf("%q, %t", found, ok)
			}
			id = found
			return err
		})
		return id
	}

	if got := by(mine.ID, number); got != "" {
		t.Errorf("%s before there is any", got)
	}
	tenantly(t, db, mine.ID, func(ctx context.Context, s *store.Store) error {
		if err := s.InsertActivation(ctx, a, ""); err != nil {
			return err
		}
		return s.InsertPort(ctx, port)
	})
	if got := by(mine.ID, number); got != a.ID {
		t.Errorf("%q, want %s", got, a.ID)
	}
	if got := by(mine.ID, "+12125550124"); got != "" {
		t.Errorf("%s for another number", got)
	}
	if got := by(storetest.Tenant(t, db).ID, number); got != "" {
		t.Errorf("%s for another tenant", got)
	}
	tenantly(t, db, mine.ID, func(ctx context.Context, s *store.Store) error {
		return s.ClosePort(ctx, mine.ID, a.ID, port.ID, mobile.PortCancelled)
	})
	if got := by(mine.ID, number); got != "" {
		t.Errorf("%s after its end", got)
	}
}

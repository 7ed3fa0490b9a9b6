package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestCorrectContact(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a, other := storetest.Launched(t, db), storetest.Launched(t, db)
	correct := func(tenant mobile.TenantID, name, email string) error {
		return db.InTenant(t.Context(), tenant, func(s *store.Store) error {
			return s.CorrectContact(t.Context(), tenant, a.ID, name, email)
		})
	}

	must(t, correct(a.Tenant, canaryNameOverride, ""))
	must(t, correct(a.Tenant, "", canaryMailOverride))
	if err := correct(other.Tenant, "Eve", "eve@example.com"); !errors.Is(err, store.ErrActivationNotFound) {
		t.Errorf("another tenant: %v", err)
	}

	got := storetest.Read(t, db, a)
	if got.NameOverride != canaryNameOverride || got.EmailOverride != canaryMailOverride || got.Revision != a.Revision+2 || !got.Updated.After(a.Updated) {
		t.Errorf("%q %q at revision %d", got.NameOverride, got.EmailOverride, got.Revision)
	}
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		sub, err := s.Subscription(ctx, a.Tenant, a.Subscription)
		if sub.CustomerName != storetest.CustomerName || sub.CustomerEmail != storetest.CustomerEmail {
			t.Errorf("the account has %q %q", sub.CustomerName, sub.CustomerEmail)
		}
		return err
	})
}

package relay_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/relay"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// portEnded launches a port for which the customer has given the details, and ends it.
func portEnded(t *testing.T, db *store.DB, tenant mobile.Tenant, number string) mobile.Activation {
	t.Helper()
	a := storetest.NewActivation(storetest.Subscription(t, db, tenant))
	a.Type = mobile.TypePortIn
	port := mobile.PortID(uuid.Must(uuid.NewV7()).String())
	must(t, db.InTenant(t.Context(), tenant.ID, func(s *store.Store) error {
		if err := s.InsertActivation(t.Context(), a, ""); err != nil {
			return err
		}
		return s.InsertPort(t.Context(), mobile.Port{ID: port, Tenant: tenant.ID, Activation: a.ID, Number: number, Donor: "att"})
	}))
	for _, what := range []func(context.Context, *store.Store) error{
		func(ctx context.Context, s *store.Store) error {
			return s.Move(ctx, store.Move{Tenant: tenant.ID, Activation: a.ID, To: mobile.StateRunning, At: time.Now()})
		},
		func(ctx context.Context, s *store.Store) error {
			_, err := s.OpenPrompt(ctx, mobile.Prompt{
				Activation: a.ID, Port: port, Kind: mobile.PromptProvideInfo, Fields: []mobile.PortingField{mobile.FieldAccountNumber},
				Opened: time.Now(), Deadline: time.Now().Add(time.Hour),
			}, 0, store.Move{Tenant: tenant.ID, To: mobile.StateWaitingForCustomer, At: time.Now()}, mobile.StepCollectPortingInfo)
			return err
		},
		func(ctx context.Context, s *store.Store) error {
			_, err := s.Submit(ctx, store.Submission{
				ID: uuid.NewString(), Tenant: tenant.ID, Activation: a.ID, Act: mobile.ActSubmitPortingInfo, Revision: 1,
				Said: mobile.PortingInfo{AccountNumber: "0001234567"},
			})
			return err
		},
		func(ctx context.Context, s *store.Store) error {
			_, err := s.End(ctx, store.Move{Tenant: tenant.ID, Activation: a.ID, To: mobile.StateCancelled, At: time.Now()})
			return err
		},
	} {
		must(t, db.InTenant(t.Context(), tenant.ID, func(s *store.Store) error { return what(t.Context(), s) }))
	}
	return a
}

// held tells whether what the customer gave is there.
func held(t *testing.T, db *store.DB, a mobile.Activation) bool {
	t.Helper()
	return storetest.Read(t, db, a).Port.InfoPresent
}

// untilErased returns once so many ports were erased.
func (b bundle) untilErased(t *testing.T, n float64) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for b.metric(t, "dialtone_ports_erased_total") < n {
		select {
		case <-ticker.C:
		case <-t.Context().Done():
			t.Fatal("the test ended first")
		}
	}
}

// A day after its end a port keeps nothing of what was given for it, however many they are; a
// younger one keeps it.
func TestRelay_Erase(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(time.Now())
	d := storetest.Make(t, storetest.Config{Now: clock.Now})
	tenant := storetest.Tenant(t, d.DB)
	const many = 55 // more than one transaction takes
	old := make([]mobile.Activation, many)
	for i := range old {
		old[i] = portEnded(t, d.DB, tenant, "+12125550123")
	}
	clock.Advance(23 * time.Hour)
	young := portEnded(t, d.DB, tenant, "+12125550123")
	if !held(t, d.DB, old[0]) || !held(t, d.DB, young) {
		t.Fatal("nothing was given")
	}
	clock.Advance(2 * time.Hour)

	b := start(t, relay.Config{DB: d.DB, Engine: newEngine(), Every: never})
	b.untilErased(t, many)

	for _, a := range old {
		if held(t, d.DB, a) {
			t.Fatal("an old one keeps what was given")
		}
	}
	if !held(t, d.DB, young) {
		t.Error("one of two hours ago has lost what was given")
	}
}

// It erases again and again, by itself.
func TestRelay_EraseLater(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	b := start(t, relay.Config{DB: d.DB, Engine: newEngine(), Every: never, EraseAfter: 50 * time.Millisecond})

	for n := range 3 {
		a := portEnded(t, d.DB, tenant, "+12125550123")
		b.untilErased(t, float64(n+1))
		if held(t, d.DB, a) {
			t.Errorf("the port %d keeps what was given", n)
		}
	}
}

package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// reserve tries to keep a profile for an activation.
func reserve(t *testing.T, db *store.DB, a mobile.Activation, id mobile.ICCID) (mobile.Profile, error) {
	t.Helper()
	var held mobile.Profile
	err := db.InTenant(t.Context(), a.Tenant, func(s *store.Store) (err error) {
		held, err = s.ReserveProfile(t.Context(), a.Tenant, mobile.Profile{
			Activation: a.ID, ICCID: id, ProfileType: storetest.ProfileType,
		}, "MATCHING-"+string(a.ID[len(a.ID)-4:]))
		return err
	})
	return held, err
}

func TestReserveProfile_TwiceIsOnce(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)

	first, err := reserve(t, db, a, iccid(1))
	must(t, err)
	again, err := reserve(t, db, a, iccid(1))
	must(t, err)

	if diff := cmp.Diff(first, again); diff != "" || first.State != mobile.ProfileReserved || first.InstallState != mobile.InstallNotDownloaded {
		t.Errorf("%s %s, -first +again\n%s", first.State, first.InstallState, diff)
	}
}

// An SM-DP+ that gives one ICCID to two orders is found out, also across tenants, and
// neither learns of the other.
func TestReserveProfile_OneHolder(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	first := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
	sameTenant := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
	otherTenant := storetest.Launched(t, db)
	holdsAnother := storetest.Launched(t, db)
	_, err := reserve(t, db, first, iccid(1))
	must(t, err)
	_, err = reserve(t, db, holdsAnother, iccid(2))
	must(t, err)

	for name, a := range map[string]mobile.Activation{
		"of the same tenant": sameTenant, "of another tenant": otherTenant, "that holds another profile": holdsAnother,
	} {
		if _, err := reserve(t, db, a, iccid(1)); !errors.Is(err, store.ErrICCIDTaken) {
			t.Errorf("an activation %s: %v", name, err)
		}
	}
}

func TestReserveProfile_Racers(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	activations := make([]mobile.Activation, 10)
	for i := range activations {
		activations[i] = storetest.Launched(t, db)
	}
	results := make([]error, len(activations))

	var all sync.WaitGroup
	for i, a := range activations {
		all.Go(func() { _, results[i] = reserve(t, db, a, iccid(1)) })
	}
	all.Wait()

	won := 0
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, store.ErrICCIDTaken):
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d activations hold the profile", won)
	}
}

func giveBack(t *testing.T, db *store.DB, a mobile.Activation, p mobile.Profile, to mobile.ProfileState) {
	t.Helper()
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error { return s.GiveBackProfile(ctx, p, to, "why") })
}

func TestGiveBackProfile(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	returns, retires, next := storetest.Launched(t, db), storetest.Launched(t, db), storetest.Launched(t, db)
	returned, err := reserve(t, db, returns, iccid(1))
	must(t, err)
	retired, err := reserve(t, db, retires, iccid(2))
	must(t, err)

	giveBack(t, db, returns, returned, mobile.ProfileReturned)
	giveBack(t, db, retires, retired, mobile.ProfileRetired)

	if _, err := reserve(t, db, next, iccid(1)); err != nil {
		t.Errorf("a returned profile for another: %v", err)
	}
	if _, err := reserve(t, db, next, iccid(2)); !errors.Is(err, store.ErrICCIDTaken) {
		t.Errorf("a retired profile for another: %v", err)
	}
	// Late repeats change nothing: the first word stays.
	giveBack(t, db, returns, returned, mobile.ProfileRetired)
	giveBack(t, db, retires, retired, mobile.ProfileReturned)
	if _, err := reserve(t, db, returns, iccid(1)); !errors.Is(err, store.ErrICCIDTaken) {
		t.Errorf("the one that gave it back asks again: %v", err)
	}
	for _, c := range []struct {
		of   mobile.Activation
		want mobile.ProfileState
	}{{returns, mobile.ProfileReturned}, {retires, mobile.ProfileRetired}, {next, mobile.ProfileReserved}} {
		if got := storetest.Read(t, db, c.of).Profile; got.State != c.want {
			t.Errorf("%s, want %s", got.State, c.want)
		}
	}
}

func TestReleaseProfile(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	p, err := reserve(t, db, a, iccid(1))
	must(t, err)
	code, err := mobile.NewActivationCode("smdp.example.com", "MATCHING-1")
	must(t, err)
	other, err := mobile.NewActivationCode("smdp.example.com", "MATCHING-2")
	must(t, err)

	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		if _, err := s.ActivationCode(ctx, a.Tenant, p); !errors.Is(err, store.ErrProfileNotFound) {
			t.Errorf("before the release: %v", err)
		}
		must(t, s.ReleaseProfile(ctx, a.Tenant, p, code))
		must(t, s.ReleaseProfile(ctx, a.Tenant, p, other))
		got, err := s.ActivationCode(ctx, a.Tenant, p)
		if err != nil || got != code {
			t.Errorf("the code of the first release is not kept: %v", err)
		}
		matching, err := s.MatchingID(ctx, a.Tenant, p)
		if matching != "MATCHING-"+string(a.ID[len(a.ID)-4:]) {
			t.Errorf("matching id %q", matching)
		}
		return err
	})

	giveBack(t, db, a, p, mobile.ProfileReturned)
	err = db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		must(t, s.ReleaseProfile(t.Context(), a.Tenant, p, code))
		_, err := s.ActivationCode(t.Context(), a.Tenant, p)
		return err
	})
	if !errors.Is(err, store.ErrProfileNotFound) {
		t.Errorf("a profile that was given back has a code: %v", err)
	}
}

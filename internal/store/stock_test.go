package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// stock brings profiles into a tenant's stock.
func stock(t *testing.T, db *store.DB, tenant mobile.TenantID, iccids ...mobile.ICCID) store.Import {
	t.Helper()
	var came store.Import
	tenantly(t, db, tenant, func(ctx context.Context, s *store.Store) (err error) {
		came, err = s.ImportProfiles(ctx, tenant, storetest.ProfileType, iccids, "order 4711")
		return err
	})
	return came
}

// take takes a profile out of the stock, for the activation or a follow-up of it.
func take(t *testing.T, db *store.DB, a mobile.Activation, followUp mobile.FollowUpID) (p mobile.Profile, found bool, err error) {
	t.Helper()
	err = db.InTenant(t.Context(), a.Tenant, func(s *store.Store) (err error) {
		p, found, err = s.TakeProfile(t.Context(), a.Tenant, storetest.ProfileType, a.ID, followUp, "MATCHING-"+newID())
		return err
	})
	return p, found, err
}

// taken takes one that must be there.
func taken(t *testing.T, db *store.DB, a mobile.Activation, followUp mobile.FollowUpID) mobile.Profile {
	t.Helper()
	p, found, err := take(t, db, a, followUp)
	must(t, err)
	if !found {
		t.Fatal("the stock is empty")
	}
	return p
}

// listed reads a tenant's profiles, the newest change first.
func listed(t *testing.T, db *store.DB, tenant mobile.TenantID, f store.ProfileFilter) (all []mobile.Profile) {
	t.Helper()
	tenantly(t, db, tenant, func(ctx context.Context, s *store.Store) (err error) {
		all, err = s.ListProfiles(ctx, tenant, f, store.Cursor{}, 100)
		return err
	})
	return all
}

// card gives ICCIDs that rise with their number.
func card(n int) mobile.ICCID { return mobile.ICCID(fmt.Sprintf("8901%016d", n)) }

func cards(from, count int) []mobile.ICCID {
	all := make([]mobile.ICCID, 0, count)
	for n := range count {
		all = append(all, card(from+n))
	}
	return all
}

func iccidsOf(profiles []mobile.Profile) []mobile.ICCID {
	var all []mobile.ICCID
	for _, p := range profiles {
		all = append(all, p.ICCID)
	}
	return all
}

func TestImportProfiles(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{Now: func() time.Time { return noon }})
	tenant, other := storetest.Tenant(t, d.DB), storetest.Tenant(t, d.DB)
	stock(t, d.DB, other.ID, card(3), card(4))

	first := stock(t, d.DB, tenant.ID, card(1), card(2))
	second := stock(t, d.DB, tenant.ID, card(4), card(5), card(2), card(3))

	if diff := cmp.Diff(store.Import{Imported: 2, Available: 2}, first); diff != "" {
		t.Errorf("the first import: -want +got\n%s", diff)
	}
	want := store.Import{Imported: 1, Known: 1, Refused: []mobile.ICCID{card(4), card(3)}, Available: 3}
	if diff := cmp.Diff(want, second); diff != "" {
		t.Errorf("the second import: -want +got\n%s", diff)
	}
	got := listed(t, d.DB, tenant.ID, store.ProfileFilter{ICCID: card(5)})
	wantRow := []mobile.Profile{{
		ICCID: card(5), ProfileType: storetest.ProfileType, State: mobile.ProfileAvailable,
		InstallState: mobile.InstallNotDownloaded, Imported: noon, Source: "order 4711", Created: noon, Updated: noon,
	}}
	if diff := cmp.Diff(wantRow, got, cmpopts.IgnoreFields(mobile.Profile{}, "ID")); diff != "" {
		t.Errorf("in the stock: -want +got\n%s", diff)
	}
	if n := ask[int](t, d.Connect(t), `SELECT count(*) FROM profiles WHERE matching_id_sealed IS NOT NULL`); n != 0 {
		t.Errorf("%d of the stock have a matching id", n)
	}
}

// Whatever has become of a profile of the tenant's, it is known; but one that went back to
// the SM-DP+ may have been assigned anew.
func TestImportProfiles_Known(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	launched := func() mobile.Activation { return storetest.Activation(t, db, storetest.Subscription(t, db, tenant)) }
	holder, retirer, returner, stocked := launched(), launched(), launched(), launched()
	_, err := reserve(t, db, holder, card(1))
	must(t, err)
	retired, err := reserve(t, db, retirer, card(2))
	must(t, err)
	returned, err := reserve(t, db, returner, card(3))
	must(t, err)
	giveBack(t, db, retirer, retired, mobile.ProfileRetired)
	giveBack(t, db, returner, returned, mobile.ProfileReturned)
	stock(t, db, tenant.ID, card(4))
	giveBack(t, db, stocked, taken(t, db, stocked, ""), mobile.ProfileReturned)

	came := stock(t, db, tenant.ID, cards(1, 4)...)

	if diff := cmp.Diff(store.Import{Imported: 1, Known: 3, Available: 2}, came); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	free := listed(t, db, tenant.ID, store.ProfileFilter{States: []mobile.ProfileState{mobile.ProfileAvailable}})
	if diff := cmp.Diff([]mobile.ICCID{card(3), card(4)}, iccidsOf(free)); diff != "" {
		t.Errorf("free: -want +got\n%s", diff)
	}
}

// An import that was accepted before tells the same again, although its profiles have moved.
func TestRepeatedImport(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	stock(t, db, a.Tenant, card(1))
	request := store.Request{Tenant: a.Tenant, Method: "ImportProfiles", ID: newID()}
	var first, again store.Import
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		_, _, err = s.Accept(ctx, request)
		must(t, err)
		first, err = s.ImportProfiles(ctx, a.Tenant, storetest.ProfileType, cards(1, 3), "")
		return err
	})
	taken(t, db, a, "")
	giveBack(t, db, a, taken(t, db, a, ""), mobile.ProfileRetired)

	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		again, err = s.RepeatedImport(ctx, request, a.Tenant, storetest.ProfileType, cards(1, 3))
		return err
	})

	if diff := cmp.Diff(store.Import{Imported: 2, Known: 1, Available: 3}, first); diff != "" {
		t.Errorf("first: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(store.Import{Imported: 2, Known: 1, Available: 2}, again); diff != "" {
		t.Errorf("again: -want +got\n%s", diff)
	}
}

// Imports of the same profiles at one moment wait for each other, whatever their order: each
// profile is added once, and none is called somebody else's.
func TestImportProfiles_AtOnce(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	const racers = 8
	results := make([]store.Import, racers)

	var all sync.WaitGroup
	for i := range racers {
		all.Go(func() {
			batch := cards(0, 300)
			if i%2 == 1 {
				slices.Reverse(batch)
			}
			err := db.InTenant(t.Context(), tenant.ID, func(s *store.Store) (err error) {
				results[i], err = s.ImportProfiles(t.Context(), tenant.ID, storetest.ProfileType, batch, "")
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	added := 0
	for _, came := range results {
		added += came.Imported
		if came.Imported+came.Known != 300 || len(came.Refused) != 0 {
			t.Errorf("an import answers %+v", came)
		}
	}
	if added != 300 {
		t.Errorf("%d were added, want 300", added)
	}
}

// Two tenants that are given one file share it out; what one got the other is refused.
func TestImportProfiles_TwoTenantsAtOnce(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenants := []mobile.Tenant{storetest.Tenant(t, db), storetest.Tenant(t, db)}
	results := make([]store.Import, len(tenants))

	var all sync.WaitGroup
	for i, tenant := range tenants {
		all.Go(func() {
			err := db.InTenant(t.Context(), tenant.ID, func(s *store.Store) (err error) {
				results[i], err = s.ImportProfiles(t.Context(), tenant.ID, storetest.ProfileType, cards(0, 300), "")
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	if results[0].Imported+results[1].Imported != 300 {
		t.Errorf("%+v and %+v", results[0], results[1])
	}
	for _, came := range results {
		if came.Imported+len(came.Refused) != 300 || came.Known != 0 || came.Available != came.Imported {
			t.Errorf("%d imported, %d known, %d refused", came.Imported, came.Known, len(came.Refused))
		}
	}
}

// The greatest import is one statement, not one for each profile.
func TestImportProfiles_Many(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	began := time.Now()

	came := stock(t, db, tenant.ID, cards(0, 2000)...)
	again := stock(t, db, tenant.ID, cards(0, 2000)...)

	t.Logf("2000 twice in %s", time.Since(began))
	if came.Imported != 2000 || again.Known != 2000 || again.Available != 2000 {
		t.Errorf("%+v, then %+v", came, again)
	}
}

// Installation-wide, the system's door imports for the tenant that it names.
func TestImportProfiles_BySystem(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant, other := storetest.Tenant(t, db), storetest.Tenant(t, db)
	stock(t, db, other.ID, card(1))
	var came store.Import
	systemly(t, db, func(ctx context.Context, s *store.Store) (err error) {
		came, err = s.ImportProfiles(ctx, tenant.ID, storetest.ProfileType, cards(1, 2), "")
		return err
	})

	if diff := cmp.Diff(store.Import{Imported: 1, Refused: []mobile.ICCID{card(1)}, Available: 1}, came); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// The oldest import is taken first, and within it the first of the list.
func TestTakeProfile_OldestFirst(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	stock(t, db, tenant.ID, card(9), card(2))
	stock(t, db, tenant.ID, card(1))
	var got []mobile.ICCID

	for range 3 {
		a := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
		got = append(got, taken(t, db, a, "").ICCID)
	}

	if diff := cmp.Diff([]mobile.ICCID{card(9), card(2), card(1)}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestTakeProfile(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{Now: func() time.Time { return noon }})
	a := storetest.Launched(t, d.DB)
	stock(t, d.DB, a.Tenant, card(1), card(2))
	var p, again mobile.Profile
	var matching string

	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		p, _, err = s.TakeProfile(ctx, a.Tenant, storetest.ProfileType, a.ID, "", "MATCHING-1")
		must(t, err)
		again, _, err = s.TakeProfile(ctx, a.Tenant, storetest.ProfileType, a.ID, "", "MATCHING-2")
		must(t, err)
		matching, err = s.MatchingID(ctx, a.Tenant, again)
		return err
	})

	want := mobile.Profile{
		ID: p.ID, Activation: a.ID, ICCID: card(1), ProfileType: storetest.ProfileType, State: mobile.ProfileReserved,
		InstallState: mobile.InstallNotDownloaded, Adopted: noon, Imported: noon, Source: "order 4711", Created: noon, Updated: noon,
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("taken: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(p, again); diff != "" || matching != "MATCHING-1" {
		t.Errorf("twice is not once: %q, -first +again\n%s", matching, diff)
	}
	if got := storetest.Read(t, d.DB, a).Profile; got.ICCID != card(1) {
		t.Errorf("the activation shows %+v", got)
	}
}

// A replacement is not the activation's own until the line shows it.
func TestTakeProfile_ForAFollowUp(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	stock(t, d.DB, a.Tenant, cards(1, 3)...)
	own := taken(t, d.DB, a, "")
	followUp := replacement(t, d, a)

	p := taken(t, d.DB, a, followUp)
	again := taken(t, d.DB, a, followUp)

	if !p.Adopted.IsZero() || p.FollowUp != followUp || p.ICCID == own.ICCID || p.ID != again.ID {
		t.Errorf("own %+v, replacement %+v, again %+v", own, p, again)
	}
	if got := storetest.Read(t, d.DB, a).Profile; got.ICCID != own.ICCID {
		t.Errorf("the activation shows %s, want its own", got.ICCID)
	}
}

// replacement makes a follow-up past all doors.
func replacement(t *testing.T, d *storetest.Database, a mobile.Activation) mobile.FollowUpID {
	t.Helper()
	id := newID()
	_, err := d.Connect(t).Exec(t.Context(), `
		INSERT INTO follow_ups (follow_up_id, tenant_id, activation_id, kind, workflow_id, state, principal, actor, request_id, created_at)
		VALUES ($1, $2, $3, 'REPLACE', 'w', 'OPEN', 'OPERATOR', 'op', 'r', now())`, id, a.Tenant, a.ID)
	must(t, err)
	return mobile.FollowUpID(id)
}

// Only what is free, of the type and the tenant's own is taken.
func TestTakeProfile_Nothing(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a, other := storetest.Launched(t, db), storetest.Launched(t, db)
	stock(t, db, other.Tenant, card(1))
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.ImportProfiles(ctx, a.Tenant, "ANOTHER-TYPE", cards(2, 1), "")
		return err
	})

	p, found, err := take(t, db, a, "")
	if err != nil || found || p.ID != "" {
		t.Errorf("took %+v, %t, %v", p, found, err)
	}
	if _, _, err := take(t, db, mobile.Activation{ID: mobile.ActivationID(newID()), Tenant: a.Tenant}, ""); !errors.Is(err, store.ErrActivationNotFound) {
		t.Errorf("for nobody: %v", err)
	}
}

// Fifty who take at one moment share thirty out: each is taken once, and nobody waits for
// another's.
func TestTakeProfile_Racers(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	stock(t, db, tenant.ID, cards(0, 30)...)
	racers := make([]mobile.Activation, 50)
	for i := range racers {
		racers[i] = storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
	}
	got := make([]mobile.Profile, len(racers))
	found := make([]bool, len(racers))

	var all sync.WaitGroup
	for i, a := range racers {
		all.Go(func() {
			var err error
			if got[i], found[i], err = take(t, db, a, ""); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	holders := map[mobile.ICCID]mobile.ActivationID{}
	empty := 0
	for i, p := range got {
		if !found[i] {
			empty++
			continue
		}
		if before, twice := holders[p.ICCID]; twice || p.Activation != racers[i].ID {
			t.Errorf("%s is held by %s and %s", p.ICCID, before, p.Activation)
		}
		holders[p.ICCID] = p.Activation
	}
	if len(holders) != 30 || empty != 20 {
		t.Errorf("%d were taken, %d got nothing", len(holders), empty)
	}
}

// Two tries for one activation take one profile.
func TestTakeProfile_OneActivationRaces(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	stock(t, db, a.Tenant, cards(0, 10)...)
	got := make([]mobile.Profile, 10)

	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], _, err = take(t, db, a, ""); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	for _, p := range got {
		if p.ID != got[0].ID {
			t.Errorf("one has %s, another %s", got[0].ICCID, p.ICCID)
		}
	}
}

// One that was given back unused is in the stock again, with its import; what is retired is
// not.
func TestTakeProfile_AfterGivingBack(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	a := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
	stock(t, db, tenant.ID, card(1), card(2))
	stock(t, db, tenant.ID, card(3))
	var got []mobile.ICCID

	for _, end := range []mobile.ProfileState{mobile.ProfileReturned, mobile.ProfileRetired, mobile.ProfileReturned, mobile.ProfileRetired} {
		p := taken(t, db, a, "")
		got = append(got, p.ICCID)
		giveBack(t, db, a, p, end)
	}

	if diff := cmp.Diff([]mobile.ICCID{card(1), card(2), card(1), card(1)}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestListProfiles(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a, other := storetest.Launched(t, db), storetest.Launched(t, db)
	stock(t, db, a.Tenant, cards(1, 3)...)
	stock(t, db, other.Tenant, card(9))
	p := taken(t, db, a, "")
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		return s.LeakProfile(ctx, a.Tenant, mobile.Profile{
			Activation: a.ID, ProfileType: "BY-TYPE", Detail: "the answer was lost", OrderReference: "call-1",
		})
	})

	for name, c := range map[string]struct {
		filter store.ProfileFilter
		want   []mobile.ICCID
	}{
		"all, newest change first": {store.ProfileFilter{}, []mobile.ICCID{"", card(1), card(3), card(2)}},
		"by state":                 {store.ProfileFilter{States: []mobile.ProfileState{mobile.ProfileLeaked, mobile.ProfileReserved}}, []mobile.ICCID{"", card(1)}},
		"by type":                  {store.ProfileFilter{ProfileType: "BY-TYPE"}, []mobile.ICCID{""}},
		"by ICCID":                 {store.ProfileFilter{ICCID: card(3)}, []mobile.ICCID{card(3)}},
		"by another's ICCID":       {store.ProfileFilter{ICCID: card(9)}, nil},
		"by activation":            {store.ProfileFilter{Activation: a.ID}, []mobile.ICCID{"", card(1)}},
		"by another's activation":  {store.ProfileFilter{Activation: other.ID}, nil},
		"by installation":          {store.ProfileFilter{InstallStates: []mobile.InstallState{mobile.InstallUnknown}}, []mobile.ICCID{""}},
		"by all of them":           {store.ProfileFilter{ICCID: p.ICCID, Activation: a.ID, ProfileType: p.ProfileType, States: []mobile.ProfileState{mobile.ProfileReserved}}, []mobile.ICCID{p.ICCID}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, iccidsOf(listed(t, db, a.Tenant, c.filter))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	leaked := listed(t, db, a.Tenant, store.ProfileFilter{States: []mobile.ProfileState{mobile.ProfileLeaked}})[0]
	if leaked.Activation != a.ID || leaked.Detail != "the answer was lost" || leaked.OrderReference != "call-1" {
		t.Errorf("leaked: %+v", leaked)
	}
}

// Pages do not overlap, also where many rows changed at one moment.
func TestListProfiles_Pages(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	stock(t, db, tenant.ID, cards(0, 5)...)
	stock(t, db, tenant.ID, cards(5, 2)...)
	whole := iccidsOf(listed(t, db, tenant.ID, store.ProfileFilter{}))
	var paged []mobile.ICCID

	for after := (store.Cursor{}); ; {
		var page []mobile.Profile
		tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) (err error) {
			page, err = s.ListProfiles(ctx, tenant.ID, store.ProfileFilter{}, after, 2)
			return err
		})
		if len(page) == 0 {
			break
		}
		paged = append(paged, iccidsOf(page)...)
		last := page[len(page)-1]
		after = store.Cursor{Created: last.Updated, ID: last.ID}
	}

	if diff := cmp.Diff(whole, paged); diff != "" || len(paged) != 7 {
		t.Errorf("%d in pages, -whole +paged\n%s", len(paged), diff)
	}
}

func TestCountProfiles(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a, b := storetest.Launched(t, db), storetest.Launched(t, db)
	stock(t, db, a.Tenant, cards(0, 3)...)
	stock(t, db, b.Tenant, cards(3, 2)...)
	taken(t, db, a, "")
	var got []store.ProfileCount

	systemly(t, db, func(ctx context.Context, s *store.Store) (err error) {
		got, err = s.CountProfiles(ctx)
		return err
	})

	want := []store.ProfileCount{
		{ProfileType: storetest.ProfileType, State: mobile.ProfileAvailable, Count: 4},
		{ProfileType: storetest.ProfileType, State: mobile.ProfileReserved, Count: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

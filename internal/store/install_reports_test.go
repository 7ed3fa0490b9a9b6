package store_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// installs tells what the SM-DP+ reports of a profile.
func installs(t *testing.T, db *store.DB, id mobile.ICCID, r store.InstallReport) (holder mobile.ActivationID, known bool) {
	t.Helper()
	systemly(t, db, func(ctx context.Context, s *store.Store) (err error) {
		holder, known, err = s.RecordInstall(ctx, id, r)
		return err
	})
	return holder, known
}

func reports(point mobile.InstallPoint, outcome mobile.InstallOutcome) store.InstallReport {
	r := store.InstallReport{InstallReport: mobile.InstallReport{Point: point, Outcome: outcome}}
	if outcome == mobile.OutcomeFailed {
		r.Code = "error reason 5"
	}
	return r
}

// What each report makes of the profile, of the feed, and of what an operator is asked.
func TestRecordInstall(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	conn := d.Connect(t)
	downloaded, installed := reports(mobile.PointDownload, mobile.OutcomeDone), reports(mobile.PointInstall, mobile.OutcomeDone)
	failed, unclear := reports(mobile.PointInstall, mobile.OutcomeFailed), reports(mobile.PointDownload, mobile.OutcomeUnclear)
	const changed, inPhone, opened, closed = "profile.install_state_changed", "profile.installed", "item.opened", "item.closed"
	n := 0
	for name, c := range map[string]struct {
		reports []store.InstallReport
		want    mobile.InstallState
		told    []string
	}{
		"downloaded":                 {[]store.InstallReport{downloaded}, mobile.InstallDownloaded, []string{changed}},
		"downloaded twice":           {[]store.InstallReport{downloaded, downloaded}, mobile.InstallDownloaded, []string{changed}},
		"installed":                  {[]store.InstallReport{downloaded, installed, downloaded}, mobile.InstallInstalled, []string{changed, inPhone}},
		"not understood":             {[]store.InstallReport{unclear, unclear}, mobile.InstallUnknown, []string{changed}},
		"downloaded, not understood": {[]store.InstallReport{downloaded, unclear}, mobile.InstallDownloaded, []string{changed}},
		"failed":                     {[]store.InstallReport{downloaded, failed, failed}, mobile.InstallFailed, []string{changed, changed, opened}},
		"failed, then installed":     {[]store.InstallReport{failed, installed}, mobile.InstallInstalled, []string{changed, opened, inPhone, closed}},
		"installed, then failed":     {[]store.InstallReport{installed, failed}, mobile.InstallInstalled, []string{inPhone}},
		"can be tried again":         {[]store.InstallReport{reports(mobile.PointInstall, mobile.OutcomeFailedForNow)}, mobile.InstallNotDownloaded, nil},
	} {
		n++
		id := iccid(n)
		t.Run(name, func(t *testing.T) {
			a := storetest.Activation(t, d.DB, storetest.Subscription(t, d.DB, tenant))
			_, err := reserve(t, d.DB, a, id)
			must(t, err)

			for _, r := range c.reports {
				if holder, known := installs(t, d.DB, id, r); !known || holder != a.ID {
					t.Errorf("of %q, known %t", holder, known)
				}
			}

			got := storetest.Read(t, d.DB, a)
			if got.Profile.InstallState != c.want || got.Profile.InstallMoved.IsZero() != (c.told == nil) {
				t.Errorf("%s since %s, want %s", got.Profile.InstallState, got.Profile.InstallMoved, c.want)
			}
			told := slices.DeleteFunc(feed(t, conn, a.ID), func(kind string) bool { return kind == string(mobile.EventWorkflowStateChanged) })
			if diff := cmp.Diff(c.told, told, sameWhenEmpty); diff != "" {
				t.Errorf("the feed: -want +got\n%s", diff)
			}
			if asked := c.want == mobile.InstallFailed; asked != (openOnes(got.Items) == 1) {
				t.Errorf("an operator is asked %v", got.Items)
			} else if asked && (got.Items[0].Kind != mobile.ItemInstallFailed || got.Items[0].Detail != "The SM-DP+ says: error reason 5." || got.Profile.InstallDetail != "error reason 5") {
				t.Errorf("an operator is asked %v, and the profile says %q", got.Items, got.Profile.InstallDetail)
			}
			if len(got.Items) == 0 && got.Revision != a.Revision {
				t.Errorf("revision %d of a fact that decides nothing", got.Revision)
			}
		})
	}
	if holder, known := installs(t, d.DB, iccid(99), installed); known || holder != "" {
		t.Errorf("a stranger's ICCID is of %q", holder)
	}
}

// sameWhenEmpty makes no difference between no list and an empty one.
var sameWhenEmpty = cmp.Transformer("NoneIsEmpty", func(all []string) []string { return append([]string{}, all...) })

// The install state has a time of its own, that no other change of the profile moves.
func TestRecordInstall_Time(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	db := storetest.Make(t, storetest.Config{Now: clock.Now}).DB
	a := storetest.Launched(t, db)
	p, err := reserve(t, db, a, iccid(1))
	must(t, err)
	if moved := storetest.Read(t, db, a).Profile.InstallMoved; !moved.IsZero() {
		t.Errorf("moved at %s before the first word", moved)
	}

	clock.Advance(time.Hour)
	installs(t, db, p.ICCID, reports(mobile.PointDownload, mobile.OutcomeDone))
	clock.Advance(time.Hour)
	code, err := mobile.NewActivationCode("smdp.example.com", "MATCHING-1")
	must(t, err)
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error { return s.ReleaseProfile(ctx, a.Tenant, p, code) })
	installs(t, db, p.ICCID, reports(mobile.PointDownload, mobile.OutcomeDone))

	got := storetest.Read(t, db, a).Profile
	if !got.InstallMoved.Equal(noon.Add(time.Hour)) || !got.Updated.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("moved at %s, and the profile at %s", got.InstallMoved, got.Updated)
	}
}

// What becomes of an eSIM that was replaced is told and asks nobody.
func TestRecordInstall_Replaced(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	_, err := reserve(t, d.DB, a, iccid(1))
	must(t, err)
	installs(t, d.DB, iccid(1), reports(mobile.PointDownload, mobile.OutcomeFailed))
	replace(t, d.Connect(t), a, iccid(2))

	installs(t, d.DB, iccid(1), reports(mobile.PointInstall, mobile.OutcomeDone))
	if n := openOnes(storetest.Read(t, d.DB, a).Items); n != 1 {
		t.Errorf("%d items after the old one was installed, want the one of its failure", n)
	}
	if n := withInstall(t, d.DB, a, mobile.InstallInstalled); n != 0 {
		t.Error("it is listed by the eSIM that was replaced")
	}
	installs(t, d.DB, iccid(2), reports(mobile.PointInstall, mobile.OutcomeDone))
	if n := withInstall(t, d.DB, a, mobile.InstallInstalled); n != 1 {
		t.Error("it is not listed by the eSIM that it has")
	}
	if n := openOnes(storetest.Read(t, d.DB, a).Items); n != 0 {
		t.Errorf("%d items after the new one was installed", n)
	}
}

// withInstall counts the activations of a tenant with an install state.
func withInstall(t *testing.T, db *store.DB, a mobile.Activation, state mobile.InstallState) (n int) {
	t.Helper()
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		all, err := s.ListActivations(ctx, a.Tenant, store.ActivationFilter{InstallStates: []mobile.InstallState{state}}, store.Cursor{}, 10)
		n = len(all)
		return err
	})
	return n
}

// replace makes another profile the activation's own.
func replace(t *testing.T, conn *pgx.Conn, a mobile.Activation, id mobile.ICCID) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `
		INSERT INTO profiles (profile_id, tenant_id, activation_id, iccid, profile_type, state, install_state, adopted_at,
		                      created_at, updated_at)
		VALUES ($1, $2, $3, $4, 'T', 'RELEASED', 'NOT_DOWNLOADED', now() + '1 min', now(), now())`,
		newID(), a.Tenant, a.ID, id)
	must(t, err)
}

// Reports that arrive at one moment are applied one after the other, so that none undoes
// what another proved.
func TestRecordInstall_Racers(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	for n := range 10 {
		a := storetest.Launched(t, db)
		_, err := reserve(t, db, a, iccid(n))
		must(t, err)

		var all sync.WaitGroup
		for _, point := range []mobile.InstallPoint{mobile.PointEligibility, mobile.PointDownload, mobile.PointInstall} {
			all.Go(func() {
				err := db.InSystem(t.Context(), func(s *store.Store) error {
					_, _, err := s.RecordInstall(t.Context(), iccid(n), reports(point, mobile.OutcomeDone))
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()

		if got := storetest.Read(t, db, a).Profile.InstallState; got != mobile.InstallInstalled {
			t.Fatalf("%s after all three", got)
		}
	}
}

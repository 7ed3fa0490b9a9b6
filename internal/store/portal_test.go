package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// What a customer has said comes out masked, and tells when nothing more is heard.
func TestHearing(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.NewActivation(storetest.Subscription(t, db, storetest.Tenant(t, db)))
	a.Type = mobile.TypePortIn
	in := func(what func(*store.Store) error) {
		t.Helper()
		if err := db.InTenant(t.Context(), a.Tenant, what); err != nil {
			t.Fatal(err)
		}
	}
	port := mobile.PortID(uuid.Must(uuid.NewV7()).String())
	hearing := func() (h store.Hearing) {
		in(func(s *store.Store) error {
			whole, err := s.Activation(t.Context(), a.Tenant, store.Key{ID: a.ID})
			if err != nil {
				return err
			}
			h, err = s.Hearing(t.Context(), whole, *whole.Port)
			return err
		})
		return h
	}
	say := func(act mobile.CustomerAct, info mobile.PortingInfo) (v mobile.SubmissionVerdict) {
		in(func(s *store.Store) (err error) {
			v, err = s.Submit(t.Context(), store.Submission{
				ID: uuid.NewString(), Tenant: a.Tenant, Activation: a.ID, Act: act, Revision: 1, Said: info,
				By: mobile.Doer{Principal: mobile.PrincipalPortal, Actor: "link", RequestID: uuid.NewString()},
			})
			return err
		})
		return v
	}
	in(func(s *store.Store) error {
		if err := s.InsertActivation(t.Context(), a, ""); err != nil {
			return err
		}
		if err := s.InsertPort(t.Context(), mobile.Port{ID: port, Tenant: a.Tenant, Activation: a.ID, Number: "+12127365000", Donor: "att"}); err != nil {
			return err
		}
		return s.Move(t.Context(), store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateRunning, At: time.Now()})
	})
	in(func(s *store.Store) error {
		_, err := s.OpenPrompt(t.Context(), mobile.Prompt{
			Activation: a.ID, Port: port, Kind: mobile.PromptProvideInfo, Fields: []mobile.PortingField{mobile.FieldPIN},
			Opened: time.Now(), Deadline: time.Now().Add(time.Hour),
		}, 0, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateWaitingForCustomer, At: time.Now()}, mobile.StepCollectPortingInfo)
		return err
	})

	if h := hearing(); h.Over || len(h.Held) != 0 {
		t.Errorf("before: %+v", h)
	}
	say(mobile.ActSubmitPortingInfo, mobile.PortingInfo{PIN: "0042"})
	h := hearing()
	if mask, held := h.Held[mobile.FieldPIN]; h.Over || !held || mask != "" {
		t.Errorf("answered: %+v", h)
	}
	say(mobile.ActStopPort, mobile.PortingInfo{})
	if h := hearing(); !h.Over {
		t.Errorf("stopped: %+v", h)
	}
}

func TestCodeGiven(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a, other := storetest.Launched(t, db), storetest.Launched(t, db)
	given := func(tenant mobile.TenantID, id mobile.ActivationID) (is bool) {
		if err := db.InTenant(t.Context(), tenant, func(s *store.Store) (err error) {
			is, err = s.CodeGiven(t.Context(), tenant, id)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return is
	}

	before := given(a.Tenant, a.ID)
	for range 2 {
		if err := db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error { return s.GaveCode(t.Context(), a.Tenant, a.ID) }); err != nil {
			t.Fatal(err)
		}
	}

	if before || !given(a.Tenant, a.ID) || given(other.Tenant, a.ID) || given(other.Tenant, other.ID) {
		t.Error("it is remembered for another, or not at all")
	}
}

func TestLinksSent(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(time.Now())
	db := storetest.Make(t, storetest.Config{Now: clock.Now})
	a := storetest.Launched(t, db.DB)
	sent := func() (n int) {
		if err := db.InTenant(t.Context(), a.Tenant, func(s *store.Store) (err error) {
			n, err = s.LinksSent(t.Context(), a.ID, time.Hour)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, kind := range []mobile.FollowUpKind{mobile.FollowUpLink, mobile.FollowUpResend, mobile.FollowUpLink} {
		if err := db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
			_, err := s.FileFollowUp(t.Context(), mobile.FollowUp{Tenant: a.Tenant, Activation: a.ID, Kind: kind}, "")
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}

	if n := sent(); n != 2 {
		t.Errorf("%d links", n)
	}
	clock.Advance(time.Hour)
	if n := sent(); n != 0 {
		t.Errorf("%d links in the hour after", n)
	}
}

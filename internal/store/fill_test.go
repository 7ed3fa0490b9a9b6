package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// Canaries stand in every place where a secret goes; none may be found in the database.
const (
	canaryName         = "Canary-Wilhelmina"
	canaryEmail        = "canary-mailbox@example.com"
	canaryNameOverride = "Canary-Override"
	canaryMailOverride = "canary-override@example.com"
	canaryCancel       = "canary: the customer said so"
	canaryAudit        = "canary: an operator's own words"
	canaryMatching     = "CANARY-MATCHING-1"
	canaryMessage      = "canary: the whole mail"
	canaryEvent        = "canary: the partner's body"
	canaryField        = "canary: a field of a request"
	canarySaid         = "canary: what an operator found out"
	canaryPIN          = "canarypin7781"
	canaryAccount      = "CANARY-ACCOUNT-4471"
	canaryHolder       = "Canary-Holder"
	canaryRefusal      = "canary: the carrier's own words"
)

func canaries() []string {
	return []string{
		canaryName, canaryEmail, canaryNameOverride, canaryMailOverride, canaryCancel, canaryAudit,
		canaryMatching, canaryMessage, canaryEvent, canaryField, canarySaid, "LPA:1$",
		canaryPIN, canaryAccount, canaryHolder, canaryRefusal,
	}
}

// fill makes a tenant that has at least one row in every table, each by way of the room's
// own methods. The number keeps what must be unique apart.
func fill(t *testing.T, db *store.DB, n int) mobile.Activation {
	t.Helper()
	tenant := storetest.Tenant(t, db)
	sub := mobile.Subscription{
		ID: "sub-filled", Tenant: tenant.ID, AccountID: "acct-filled", CustomerName: canaryName,
		CustomerEmail: canaryEmail, Plan: storetest.PlanName, Status: mobile.SubscriptionPending,
	}
	a := storetest.NewActivation(sub)
	a.NameOverride, a.EmailOverride = canaryNameOverride, canaryMailOverride
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		_, _, err := s.Accept(ctx, store.Request{
			Tenant: tenant.ID, Method: "LaunchWorkflow", ID: newID(), Fields: []string{canaryField}, Resource: string(a.ID),
		})
		must(t, err)
		must(t, s.InsertSubscription(ctx, sub))
		must(t, s.InsertActivation(ctx, a, ""))
		return s.Audit(ctx, store.Deed{
			Tenant: tenant.ID, Principal: mobile.PrincipalOperator, Actor: "op", Method: "AddNote",
			Resource: string(a.ID), RequestID: newID(), Reason: canaryAudit,
		})
	})
	fillActs(t, db, a, n)
	fillOrders(t, db, a)
	fillPort(t, db, tenant, n)
	return a
}

// fillPort makes a port that was refused once.
func fillPort(t *testing.T, db *store.DB, tenant mobile.Tenant, n int) {
	t.Helper()
	p := refusedPort(t, db, tenant, fmt.Sprintf("+1212555%04d", n), canaryPIN)
	if len(p.Refused) != 1 {
		t.Fatalf("the port is %+v", p)
	}
}

// fillOrders writes what operators would.
func fillOrders(t *testing.T, db *store.DB, a mobile.Activation) {
	t.Helper()
	command := store.Command{
		ID: newID(), Tenant: a.Tenant, Activation: a.ID, ItemID: storetest.Read(t, db, a).Items[0].ID,
		Choice: mobile.ResolutionDone, Said: canarySaid,
	}
	resend(t, db, a)
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		must(t, s.Audit(ctx, store.Deed{ID: command.ID, Tenant: a.Tenant, Method: "ResolveAction", Resource: string(a.ID)}))
		return s.FileCommand(ctx, command)
	})
}

// fillActs writes what activities and partners would.
func fillActs(t *testing.T, db *store.DB, a mobile.Activation, n int) {
	t.Helper()
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.LockEffect(ctx, effectOf(a, mobile.SettleBlind))
		must(t, err)
		p, err := s.ReserveProfile(ctx, a.Tenant, mobile.Profile{Activation: a.ID, ICCID: iccid(n), ProfileType: storetest.ProfileType}, canaryMatching)
		must(t, err)
		code, err := mobile.NewActivationCode("smdp.example.com", canaryMatching)
		must(t, err)
		must(t, s.ReleaseProfile(ctx, a.Tenant, p, code))
		must(t, s.PrepareNotice(ctx, a.Tenant, a.ID, noticeOf(newID()), []byte(canaryMessage)))
		must(t, s.OpenItem(ctx, a.Tenant, mobile.Item{Activation: a.ID, Kind: mobile.ItemStepStuck, Step: mobile.StepReserveESIM}))
		must(t, s.InsertToken(ctx, mobile.Token{ID: newID(), Principal: mobile.PrincipalBilling, Tenant: a.Tenant}, []byte(newID())))
		return s.CancelActivation(ctx, store.Cancel{Tenant: a.Tenant, Activation: a.ID, Reason: canaryCancel})
	})
	systemly(t, db, func(ctx context.Context, s *store.Store) error {
		_, err := s.KeepPartnerEvent(ctx, store.PartnerEvent{
			Partner: mobile.PartnerCarrier, DedupKey: newID(), Kind: "line.active", Activation: a.ID,
			Body: []byte(canaryEvent), Occurred: noon,
		})
		return err
	})
}

func effectOf(a mobile.Activation, settle mobile.Settle) mobile.Effect {
	return mobile.Effect{
		Tenant: a.Tenant, Activation: a.ID, Act: mobile.ActOrderProfile, Partner: mobile.PartnerSMDPPlus, Settle: settle,
	}
}

func noticeOf(id string) mobile.Notice {
	return mobile.Notice{ID: id, Kind: mobile.NoticeActivation, MaskedAddress: "c***@example.com"}
}

package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/workflows"
)

// setupPort is setup for an activation that brings this number along, from AT&T. The pretend
// carrier lives in the workflow's time.
func setupPort(t *testing.T, number string, o order) *bundle {
	t.Helper()
	b := &bundle{db: storetest.New(t)}
	b.launchPort(t, number, o)
	b.carrierNow = func() time.Time { return b.env.Now() }
	b.partners(t, time.Millisecond)
	b.engine(t, b.activation.WorkflowID)
	return b
}

func (b *bundle) launchPort(t *testing.T, number string, o order) {
	t.Helper()
	tenant := storetest.Tenant(t, b.db)
	a := storetest.NewActivation(storetest.Subscription(t, b.db, tenant))
	a.Type = mobile.TypePortIn
	if o.imei != "" {
		a.IMEI = o.imei
	}
	donor := o.donor
	if donor == "" {
		donor = "att"
	}
	b.tenant(t, tenant.ID, func(s *store.Store) error {
		if err := s.InsertActivation(t.Context(), a, ""); err != nil {
			return err
		}
		return s.InsertPort(t.Context(), mobile.Port{
			ID: mobile.PortID(uuid.Must(uuid.NewV7()).String()), Tenant: tenant.ID, Activation: a.ID, Number: number, Donor: donor,
		})
	})
	b.activation = storetest.Read(t, b.db, a)
}

// given is what a customer gives who has everything at hand.
var given = mobile.PortingInfo{
	AccountNumber: "123456789012", PIN: "445566", AccountZIP: "90012", FirstName: "Ada", LastName: "Lovelace",
	AddressLine: "1 Main St", City: "Los Angeles", Region: "CA", NumberInService: new(true), AcceptsLineLosses: true,
}

// says files an act of the customer on the prompt that is there, as the front does, and wakes
// the run as the relay does.
func (b *bundle) says(t *testing.T, sub store.Submission) mobile.SubmissionVerdict {
	t.Helper()
	var verdict mobile.SubmissionVerdict
	b.tenant(t, b.activation.Tenant, func(s *store.Store) error {
		ctx := context.WithoutCancel(t.Context())
		port, err := s.Port(ctx, b.activation.ID)
		if err != nil {
			return err
		}
		if sub.Revision == 0 && port.Prompt != nil {
			sub.Revision = port.Prompt.Revision
		}
		sub.ID, sub.Tenant, sub.Activation = uuid.NewString(), b.activation.Tenant, b.activation.ID
		sub.By = mobile.Doer{Principal: mobile.PrincipalPortal, RequestID: uuid.NewString()}
		verdict, err = s.Submit(ctx, sub)
		return err
	})
	b.env.SignalWorkflow("intake", workflows.Intake{ID: uuid.NewString()})
	return verdict
}

// gives says what the donor asks for.
func (b *bundle) gives(t *testing.T, info mobile.PortingInfo) {
	t.Helper()
	if v := b.says(t, store.Submission{Act: mobile.ActSubmitPortingInfo, Said: info}); v != mobile.VerdictAccepted {
		t.Errorf("what was given is %s", v)
	}
}

// confirms says that something was done at the donor.
func (b *bundle) confirms(t *testing.T, action mobile.DonorAction) {
	t.Helper()
	if v := b.says(t, store.Submission{Act: mobile.ActConfirmDonorAction, Action: action}); v != mobile.VerdictAccepted {
		t.Errorf("what was done is %s", v)
	}
}

// whenAsked does something once, a minute after the customer was asked for the nth time.
func (b *bundle) whenAsked(t *testing.T, nth int64, what func()) {
	t.Helper()
	var look func()
	look = func() {
		a := b.now(t)
		switch p := a.Port.Prompt; {
		case a.State.Final(), p != nil && p.Revision > nth:
		case p.Open() && p.Revision == nth:
			b.after(time.Minute, what)
		default:
			b.after(time.Minute, look)
		}
	}
	b.after(time.Minute, look)
}

// orders counts what went to the donor: orders and corrections.
func (b *bundle) orders(t *testing.T) int {
	t.Helper()
	return b.carrier.count(t, carriertest.ActSubmitPort) + b.carrier.count(t, carriertest.ActSupplementPort)
}

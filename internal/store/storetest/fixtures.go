package storetest

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// What the fixtures are made of. Each call makes another tenant, subscription or activation;
// these are in all of them.
const (
	// PlanName is a mobile plan of every tenant.
	PlanName = "mobile-10gb"
	// FibrePlanName is a plan of every tenant that is not mobile.
	FibrePlanName = "fibre-300"
	// CarrierPlan and ProfileType are what partners call PlanName.
	CarrierPlan = "MVNO-10GB"
	ProfileType = "DIALTONE-GENERIC-1"
	// CustomerName and CustomerEmail are of every subscription.
	CustomerName  = "Ada Okafor"
	CustomerEmail = "ada@example.com"
	// IMEI and ZIP are of every activation.
	IMEI mobile.IMEI = "490154203237518"
	ZIP  mobile.ZIP  = "10001"
)

// Tenant makes a tenant with a mobile plan and another one.
func Tenant(t testing.TB, db *store.DB) mobile.Tenant {
	t.Helper()
	tenant := mobile.Tenant{
		ID:                mobile.TenantID("tenant-" + short()),
		DisplayName:       "Lakeside Fibre",
		MailFrom:          "mobile@lakeside.example",
		MailReplyTo:       "help@lakeside.example",
		SupportPhone:      "+1 212 555 0100",
		SupportHours:      "Mon-Fri 8-20 ET",
		PortalURLTemplate: "https://portal.lakeside.example/mobile?token={token}",
		TimeZone:          "America/New_York",
		Plans: []mobile.Plan{
			{Name: FibrePlanName, Kind: mobile.PlanInternet},
			{Name: PlanName, Kind: mobile.PlanMobile, CarrierPlan: CarrierPlan, ProfileType: ProfileType},
		},
	}
	must(t, db.InSystem(t.Context(), func(s *store.Store) error { return s.InsertTenant(t.Context(), tenant) }))
	must(t, db.InSystem(t.Context(), func(s *store.Store) (err error) {
		tenant, err = s.Tenant(t.Context(), tenant.ID)
		return err
	}))
	return tenant
}

// Subscription makes a pending subscription to the tenant's mobile plan.
func Subscription(t testing.TB, db *store.DB, tenant mobile.Tenant) mobile.Subscription {
	t.Helper()
	id := mobile.SubscriptionID("sub-" + short())
	var made mobile.Subscription
	must(t, db.InTenant(t.Context(), tenant.ID, func(s *store.Store) error {
		err := s.InsertSubscription(t.Context(), mobile.Subscription{
			ID: id, Tenant: tenant.ID, AccountID: "acct-" + short(), CustomerName: CustomerName,
			CustomerEmail: CustomerEmail, Plan: PlanName, Status: mobile.SubscriptionPending,
		})
		if err != nil {
			return err
		}
		made, err = s.Subscription(t.Context(), tenant.ID, id)
		return err
	}))
	return made
}

// NewActivation is an activation as a launch makes it, not yet in the record.
func NewActivation(sub mobile.Subscription) mobile.Activation {
	id := mobile.ActivationID(uuid.Must(uuid.NewV7()).String())
	return mobile.Activation{
		ID: id, Tenant: sub.Tenant, Subscription: sub.ID, AccountID: sub.AccountID, Type: mobile.TypeNewLine,
		WorkflowID: strings.Join([]string{"activation", string(sub.Tenant), string(sub.ID), string(id)}, "/"),
		IMEI:       IMEI, ZIP: ZIP, CarrierPlan: CarrierPlan, ProfileType: ProfileType,
		Launched: mobile.Doer{Principal: mobile.PrincipalBilling, Actor: "billing", RequestID: uuid.NewString()},
	}
}

// Activation launches the activation of a new line for the subscription.
func Activation(t testing.TB, db *store.DB, sub mobile.Subscription) mobile.Activation {
	t.Helper()
	a := NewActivation(sub)
	must(t, db.InTenant(t.Context(), sub.Tenant, func(s *store.Store) error {
		return s.InsertActivation(t.Context(), a, "")
	}))
	return Read(t, db, a)
}

// Launched makes a tenant, a subscription of it, and the activation of that.
func Launched(t testing.TB, db *store.DB) mobile.Activation {
	t.Helper()
	return Activation(t, db, Subscription(t, db, Tenant(t, db)))
}

// Read reads an activation whole, as it is now.
func Read(t testing.TB, db *store.DB, a mobile.Activation) mobile.Activation {
	t.Helper()
	var now mobile.Activation
	must(t, db.InTenant(t.Context(), a.Tenant, func(s *store.Store) (err error) {
		now, err = s.Activation(t.Context(), a.Tenant, store.Key{ID: a.ID})
		return err
	}))
	return now
}

func short() string { return strings.ToLower(rand.Text()[:10]) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
}

package server

import (
	"context"
	"errors"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// CreateTenant adds a provider.
func (r *rpcs) CreateTenant(ctx context.Context, request *dialtonev1.CreateTenantRequest) (*dialtonev1.CreateTenantResponse, error) {
	tenant, m, err := readTenant(request)
	if err != nil {
		return nil, err
	}
	if request.GetValidateOnly() {
		return r.tryTenant(ctx, tenant)
	}
	err = r.db.InSystem(ctx, func(s *store.Store) error {
		id, repeated, err := r.accept(ctx, s, m)
		if err != nil {
			return err
		}
		if !repeated {
			if err := s.InsertTenant(ctx, tenant); err != nil {
				return err
			}
		}
		tenant, err = s.Tenant(ctx, mobile.TenantID(id))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &dialtonev1.CreateTenantResponse{Tenant: r.show.tenant(tenant)}, nil
}

func readTenant(request *dialtonev1.CreateTenantRequest) (mobile.Tenant, mutation, error) {
	var f form
	requestID := f.requestID(request.GetRequestId())
	given := mobile.Tenant{
		ID:                mobile.TenantID(request.GetTenantId()),
		DisplayName:       request.GetDisplayName(),
		MailFrom:          request.GetMailFrom(),
		MailReplyTo:       request.GetMailReplyTo(),
		SupportPhone:      request.GetSupportPhone(),
		SupportHours:      request.GetSupportHours(),
		PortalURLTemplate: request.GetPortalUrlTemplate(),
		TimeZone:          request.GetTimeZone(),
		Plans:             f.plans(request.GetPlans()),
	}
	if given.ID == "" {
		given.ID = mobile.TenantIDFrom(given.DisplayName)
	}
	tenant, violations := mobile.NewTenant(given, "")
	f.violations = append(f.violations, violations...)
	return tenant, mutation{
		method: "CreateTenant", requestID: requestID, tenant: tenant.ID, resource: string(tenant.ID),
		fields: tenantFields(tenant),
	}, f.err()
}

// plans reads a table of plans. Their fields are checked by mobile.NewTenant.
func (f *form) plans(given []*dialtonev1.Plan) []mobile.Plan {
	plans := make([]mobile.Plan, 0, len(given))
	for _, p := range given {
		plans = append(plans, mobile.Plan{
			Name: p.GetPlan(), CarrierPlan: p.GetCarrierPlan(), ProfileType: p.GetProfileType(),
			Kind: chosen[mobile.PlanKind](f, "plans", dialtonev1.PlanKind_name, "PLAN_KIND_", p.GetKind()),
		})
	}
	return plans
}

// tenantFields are a tenant's normalised settings, by which a repeat is recognised.
func tenantFields(t mobile.Tenant) []string {
	fields := []string{
		string(t.ID), t.DisplayName, t.MailFrom, t.MailReplyTo, t.SupportPhone, t.SupportHours,
		t.PortalURLTemplate, t.TimeZone,
	}
	for _, p := range t.Plans {
		fields = append(fields, p.Name, string(p.Kind), p.CarrierPlan, p.ProfileType)
	}
	return fields
}

// tryTenant makes the checks and keeps nothing.
func (r *rpcs) tryTenant(ctx context.Context, tenant mobile.Tenant) (*dialtonev1.CreateTenantResponse, error) {
	err := r.db.InSystem(ctx, func(s *store.Store) error {
		_, err := s.Tenant(ctx, tenant.ID)
		switch {
		case err == nil:
			return store.ErrTenantExists
		case errors.Is(err, store.ErrTenantNotFound):
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &dialtonev1.CreateTenantResponse{Tenant: r.show.tenant(tenant)}, nil
}

package server

import (
	"context"
	"slices"
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// UpdateTenant changes some of a provider's settings. What they are together is checked on
// the locked tenant, so that two changes at the same moment cannot make a bad one.
func (r *rpcs) UpdateTenant(ctx context.Context, request *dialtonev1.UpdateTenantRequest) (*dialtonev1.UpdateTenantResponse, error) {
	change, m, err := readTenantChange(request)
	if err != nil {
		return nil, err
	}
	var tenant mobile.Tenant
	err = r.db.InSystem(ctx, func(s *store.Store) (err error) {
		if request.GetValidateOnly() {
			tenant, err = tryTenantChange(ctx, s, change)
			return err
		}
		tenant, err = r.updateTenant(ctx, s, change, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &dialtonev1.UpdateTenantResponse{Tenant: r.show.tenant(tenant)}, nil
}

// tryTenantChange makes the checks and keeps nothing.
func tryTenantChange(ctx context.Context, s *store.Store, change tenantChange) (mobile.Tenant, error) {
	tenant, err := s.Tenant(ctx, change.id)
	if err != nil {
		return mobile.Tenant{}, err
	}
	return change.check(ctx, s, tenant)
}

func (r *rpcs) updateTenant(ctx context.Context, s *store.Store, change tenantChange, m mutation) (mobile.Tenant, error) {
	_, repeated, err := r.accept(ctx, s, m)
	if err != nil {
		return mobile.Tenant{}, err
	}
	if !repeated {
		tenant, err := s.LockTenant(ctx, change.id)
		if err != nil {
			return mobile.Tenant{}, err
		}
		if tenant, err = change.check(ctx, s, tenant); err != nil {
			return mobile.Tenant{}, err
		}
		if err := s.UpdateTenant(ctx, tenant); err != nil {
			return mobile.Tenant{}, err
		}
	}
	return s.Tenant(ctx, change.id)
}

// tenantChange is what of a tenant is to become what.
type tenantChange struct {
	id    mobile.TenantID
	paths []string
	to    *dialtonev1.Tenant
	plans []mobile.Plan
}

// tenantPaths are the fields that can be changed.
func tenantPaths() []string {
	return []string{
		"display_name", "mail_from", "mail_reply_to", "support_phone", "support_hours", "portal_url_template",
		"time_zone", "plans",
	}
}

// text finds the field of a path; nil for plans.
func (c tenantChange) text(path string) string {
	switch path {
	case "display_name":
		return c.to.GetDisplayName()
	case "mail_from":
		return c.to.GetMailFrom()
	case "mail_reply_to":
		return c.to.GetMailReplyTo()
	case "support_phone":
		return c.to.GetSupportPhone()
	case "support_hours":
		return c.to.GetSupportHours()
	case "portal_url_template":
		return c.to.GetPortalUrlTemplate()
	case "time_zone":
		return c.to.GetTimeZone()
	}
	return ""
}

func readTenantChange(request *dialtonev1.UpdateTenantRequest) (tenantChange, mutation, error) {
	var f form
	change := tenantChange{
		id: mobile.TenantID(f.id("tenant.tenant_id", request.GetTenant().GetTenantId())), to: request.GetTenant(),
	}
	change.plans = f.plans(request.GetTenant().GetPlans())
	change.paths = f.tenantMask(request, change)
	fields := []string{string(change.id), strings.Join(change.paths, ",")}
	for _, path := range change.paths {
		fields = append(fields, strings.TrimSpace(change.text(path)))
	}
	if slices.Contains(change.paths, "plans") {
		fields = append(fields, tenantFields(mobile.Tenant{Plans: sortedPlans(change.plans)})...)
	}
	return change, mutation{
		method: "UpdateTenant", requestID: f.requestID(request.GetRequestId()), tenant: change.id,
		resource: string(change.id), fields: fields,
	}, f.err()
}

func sortedPlans(plans []mobile.Plan) []mobile.Plan {
	return slices.SortedFunc(slices.Values(plans), func(a, b mobile.Plan) int { return strings.Compare(a.Name, b.Name) })
}

// tenantMask reads which fields change: those that the mask names, or without one those that
// are not empty. They come in the order of the schema.
func (f *form) tenantMask(request *dialtonev1.UpdateTenantRequest, change tenantChange) []string {
	named := request.GetUpdateMask().GetPaths()
	for _, path := range named {
		if !slices.Contains(tenantPaths(), path) {
			f.refuse("update_mask", "MASK_UNKNOWN", "The mask can name: "+strings.Join(tenantPaths(), ", ")+".")
			return nil
		}
	}
	var paths []string
	for _, path := range tenantPaths() {
		set := change.text(path) != "" || path == "plans" && len(change.plans) > 0
		if slices.Contains(named, path) || len(named) == 0 && set {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		f.refuse("tenant", "FIELD_REQUIRED", "Nothing is to be changed. Set fields of tenant, or name them in update_mask.")
	}
	return paths
}

// check gives the tenant after the change, or refuses what would come of it.
func (c tenantChange) check(ctx context.Context, s *store.Store, now mobile.Tenant) (mobile.Tenant, error) {
	changed := now
	for _, path := range c.paths {
		switch path {
		case "display_name":
			changed.DisplayName = c.text(path)
		case "mail_from":
			changed.MailFrom = c.text(path)
		case "mail_reply_to":
			changed.MailReplyTo = c.text(path)
		case "support_phone":
			changed.SupportPhone = c.text(path)
		case "support_hours":
			changed.SupportHours = c.text(path)
		case "portal_url_template":
			changed.PortalURLTemplate = c.text(path)
		case "time_zone":
			changed.TimeZone = c.text(path)
		case "plans":
			changed.Plans = c.plans
		}
	}
	changed, violations := mobile.NewTenant(changed, "tenant.")
	kept, err := keepPlans(ctx, s, now, changed)
	if err != nil {
		return mobile.Tenant{}, err
	}
	f := form{violations: append(violations, kept...)}
	return changed, f.err()
}

// keepPlans finds the plans that a subscription uses and that would be removed or change
// their kind.
func keepPlans(ctx context.Context, s *store.Store, now, changed mobile.Tenant) ([]fault.Violation, error) {
	used, err := s.PlansInUse(ctx, now.ID)
	if err != nil {
		return nil, err
	}
	kinds := make(map[string]mobile.PlanKind, len(changed.Plans))
	for _, p := range changed.Plans {
		kinds[p.Name] = p.Kind
	}
	var f form
	for _, p := range now.Plans {
		if slices.Contains(used, p.Name) && kinds[p.Name] != p.Kind {
			f.refuse("tenant.plans", "PLAN_IN_USE",
				"A subscription uses the plan "+p.Name+", so it cannot be removed or change its kind.")
		}
	}
	return f.violations, nil
}

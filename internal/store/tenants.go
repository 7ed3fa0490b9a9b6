package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Refusals about tenants.
var (
	ErrTenantNotFound = fault.New(fault.NotFound, "TENANT_NOT_FOUND", "There is no such tenant. List what you may see, or make it first.")
	ErrTenantExists   = fault.New(fault.Exists, "TENANT_EXISTS", "A tenant with this id exists already. Choose another id, or update that one.")
)

// InsertTenant makes a tenant with its plans. InSystem only. It refuses ErrTenantExists.
func (s *Store) InsertTenant(ctx context.Context, t mobile.Tenant) error {
	n, err := s.exec(ctx, `
		INSERT INTO tenants (tenant_id, display_name, mail_from, mail_reply_to, support_phone, support_hours,
		                     portal_url_template, time_zone, created_at, updated_at)
		VALUES (@tenant, @display_name, @mail_from, @mail_reply_to, @support_phone, @support_hours,
		        @portal_url_template, @time_zone, @now, @now)
		ON CONFLICT (tenant_id) DO NOTHING`, s.tenantArgs(t))
	switch {
	case err != nil:
		return fmt.Errorf("insert tenant %s: %w", t.ID, err)
	case n == 0:
		return ErrTenantExists
	}
	return s.replacePlans(ctx, t)
}

// UpdateTenant replaces a tenant's settings and plans. It refuses ErrTenantNotFound.
func (s *Store) UpdateTenant(ctx context.Context, t mobile.Tenant) error {
	n, err := s.exec(ctx, `
		UPDATE tenants
		SET display_name = @display_name, mail_from = @mail_from, mail_reply_to = @mail_reply_to,
		    support_phone = @support_phone, support_hours = @support_hours,
		    portal_url_template = @portal_url_template, time_zone = @time_zone, updated_at = @now
		WHERE tenant_id = @tenant`, s.tenantArgs(t))
	switch {
	case err != nil:
		return fmt.Errorf("update tenant %s: %w", t.ID, err)
	case n == 0:
		return ErrTenantNotFound
	}
	return s.replacePlans(ctx, t)
}

func (s *Store) tenantArgs(t mobile.Tenant) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"tenant": t.ID, "display_name": t.DisplayName, "mail_from": t.MailFrom, "mail_reply_to": t.MailReplyTo,
		"support_phone": t.SupportPhone, "support_hours": t.SupportHours,
		"portal_url_template": t.PortalURLTemplate, "time_zone": t.TimeZone, "now": s.now,
	}
}

func (s *Store) replacePlans(ctx context.Context, t mobile.Tenant) error {
	if _, err := s.exec(ctx, `DELETE FROM plans WHERE tenant_id = @tenant`, pgx.StrictNamedArgs{"tenant": t.ID}); err != nil {
		return fmt.Errorf("clear plans of %s: %w", t.ID, err)
	}
	for _, p := range t.Plans {
		_, err := s.exec(ctx, `
			INSERT INTO plans (tenant_id, plan, kind, carrier_plan, profile_type)
			VALUES (@tenant, @plan, @kind, @carrier_plan, @profile_type)`, pgx.StrictNamedArgs{
			"tenant": t.ID, "plan": p.Name, "kind": p.Kind, "carrier_plan": p.CarrierPlan, "profile_type": p.ProfileType,
		})
		if err != nil {
			return fmt.Errorf("insert plan %s of %s: %w", p.Name, t.ID, err)
		}
	}
	return nil
}

// LockTenant reads a tenant with its plans and holds it until the transaction ends, so that
// two changes take turns. It refuses ErrTenantNotFound.
func (s *Store) LockTenant(ctx context.Context, id mobile.TenantID) (mobile.Tenant, error) {
	return s.tenant(ctx, id, "FOR NO KEY UPDATE")
}

// Tenant reads a tenant with its plans. It refuses ErrTenantNotFound.
func (s *Store) Tenant(ctx context.Context, id mobile.TenantID) (mobile.Tenant, error) {
	return s.tenant(ctx, id, "")
}

func (s *Store) tenant(ctx context.Context, id mobile.TenantID, lock string) (mobile.Tenant, error) {
	t := mobile.Tenant{ID: id}
	err := s.tx.QueryRow(ctx, `
		SELECT display_name, mail_from, mail_reply_to, support_phone, support_hours, portal_url_template,
		       time_zone, created_at, updated_at
		FROM tenants
		WHERE tenant_id = @tenant `+lock, pgx.StrictNamedArgs{"tenant": id}).
		Scan(&t.DisplayName, &t.MailFrom, &t.MailReplyTo, &t.SupportPhone, &t.SupportHours, &t.PortalURLTemplate,
			&t.TimeZone, &t.Created, &t.Updated)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return mobile.Tenant{}, ErrTenantNotFound
	case err != nil:
		return mobile.Tenant{}, fmt.Errorf("read tenant %s: %w", id, err)
	}
	rows, err := s.tx.Query(ctx, `
		SELECT plan, kind, carrier_plan, profile_type
		FROM plans
		WHERE tenant_id = @tenant
		ORDER BY plan`, pgx.StrictNamedArgs{"tenant": id})
	if err != nil {
		return mobile.Tenant{}, fmt.Errorf("read plans of %s: %w", id, err)
	}
	t.Plans, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p mobile.Plan, err error) {
		err = row.Scan(&p.Name, &p.Kind, &p.CarrierPlan, &p.ProfileType)
		return p, err
	})
	if err != nil {
		return mobile.Tenant{}, fmt.Errorf("read plans of %s: %w", id, err)
	}
	return t, nil
}

// Plan reads one plan of a tenant; false when the tenant has no such plan.
func (s *Store) Plan(ctx context.Context, tenant mobile.TenantID, name string) (mobile.Plan, bool, error) {
	p := mobile.Plan{Name: name}
	err := s.tx.QueryRow(ctx, `
		SELECT kind, carrier_plan, profile_type
		FROM plans
		WHERE tenant_id = @tenant AND plan = @plan`, pgx.StrictNamedArgs{"tenant": tenant, "plan": name}).
		Scan(&p.Kind, &p.CarrierPlan, &p.ProfileType)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return mobile.Plan{}, false, nil
	case err != nil:
		return mobile.Plan{}, false, fmt.Errorf("read plan %s of %s: %w", name, tenant, err)
	}
	return p, true, nil
}

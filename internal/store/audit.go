package store

import (
	"cmp"
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// Deed is who did what to what, and why.
type Deed struct {
	// ID is that of the row; made when empty.
	ID        string
	Tenant    mobile.TenantID
	Principal mobile.Principal
	// Actor is who acted, by name, with the id of the token.
	Actor     string
	Method    string
	Resource  string
	RequestID string
	// Reason is the person's own words; it is sealed.
	Reason string
}

// Audit appends a deed. Nothing ever changes or removes one.
func (s *Store) Audit(ctx context.Context, d Deed) error {
	row := cmp.Or(d.ID, uuid.Must(uuid.NewV7()).String())
	reason, err := s.sealOptional(d.Reason, "audit.reason", d.Tenant, row)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `
		INSERT INTO audit (audit_id, tenant_id, principal, actor, method, resource_id, request_id, reason_sealed, at)
		VALUES (@id, @tenant, @principal, @actor, @method, @resource, @request, @reason, @now)`, pgx.StrictNamedArgs{
		"id": row, "tenant": d.Tenant, "principal": d.Principal, "actor": d.Actor, "method": d.Method,
		"resource": d.Resource, "request": d.RequestID, "reason": reason, "now": s.now,
	})
	if err != nil {
		return fmt.Errorf("audit %s of %s: %w", d.Method, d.Resource, err)
	}
	return nil
}

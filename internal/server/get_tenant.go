package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// GetTenant reads a provider's settings: ADMIN anyone's, all others their own.
func (r *rpcs) GetTenant(ctx context.Context, request *dialtonev1.GetTenantRequest) (*dialtonev1.GetTenantResponse, error) {
	var f form
	id, err := f.tenant(access.From(ctx), "tenant_id", request.GetTenantId())
	if err != nil {
		return nil, err
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	var tenant mobile.Tenant
	err = r.db.InTenant(ctx, id, func(s *store.Store) (err error) {
		tenant, err = s.Tenant(ctx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &dialtonev1.GetTenantResponse{Tenant: r.show.tenant(tenant)}, nil
}

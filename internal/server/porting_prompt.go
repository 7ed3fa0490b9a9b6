package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// GetPortingPrompt reads what to show the customer and what to ask. An activation that has
// ended can still be looked at, for as long as the link lives.
func (r *rpcs) GetPortingPrompt(ctx context.Context, request *dialtonev1.GetPortingPromptRequest) (*dialtonev1.GetPortingPromptResponse, error) {
	caller := access.From(ctx)
	var f form
	id, err := f.whose(caller, request.GetActivationId())
	if err != nil {
		return nil, err
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	var c customer
	var tenant mobile.Tenant
	err = r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) (err error) {
		if c, err = readCustomer(ctx, s, caller.Tenant, id); err != nil {
			return err
		}
		tenant, err = s.Tenant(ctx, caller.Tenant)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &dialtonev1.GetPortingPromptResponse{Prompt: c.prompt(), View: c.view(tenant)}, nil
}

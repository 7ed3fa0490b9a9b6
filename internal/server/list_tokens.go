package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// ListTokens pages through the installation's credentials, or one tenant's, newest first.
func (r *rpcs) ListTokens(ctx context.Context, request *dialtonev1.ListTokensRequest) (*dialtonev1.ListTokensResponse, error) {
	var f form
	tenant := mobile.TenantID(f.optionalID("tenant_id", request.GetTenantId()))
	after, size := f.page(r.pages, "", request)
	if err := f.err(); err != nil {
		return nil, err
	}
	var tokens []mobile.Token
	err := r.db.InSystem(ctx, func(s *store.Store) (err error) {
		if tenant != "" {
			if _, err := s.Tenant(ctx, tenant); err != nil {
				return err
			}
		}
		tokens, err = s.ListTokens(ctx, store.TokenFilter{Tenant: tenant, Ended: request.GetIncludeEnded()}, after, size+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	response := &dialtonev1.ListTokensResponse{}
	for _, t := range tokens[:min(size, len(tokens))] {
		response.Tokens = append(response.Tokens, r.show.token(t))
	}
	if len(tokens) > size {
		last := tokens[size-1]
		response.NextPageToken = r.pages.next("", request, store.Cursor{Created: last.Created, ID: last.ID})
	}
	return response, nil
}

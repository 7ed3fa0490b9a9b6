package server

import (
	"context"
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// tokenNameLengthMax bounds who holds a token.
const tokenNameLengthMax = 100

// CreateToken makes a credential and shows its secret, once: a repeat finds the same token
// and answers without it, since only its hash is kept.
func (r *rpcs) CreateToken(ctx context.Context, request *dialtonev1.CreateTokenRequest) (*dialtonev1.CreateTokenResponse, error) {
	wanted, m, err := readToken(request)
	if err != nil {
		return nil, err
	}
	text, token, hash := access.NewToken(wanted.Principal)
	token.Tenant, token.Name, token.Expires = wanted.Tenant, wanted.Name, wanted.Expires
	m.resource = token.ID

	response := &dialtonev1.CreateTokenResponse{}
	err = r.db.InSystem(ctx, func(s *store.Store) error {
		id, repeated, err := r.accept(ctx, s, m)
		if err != nil {
			return err
		}
		response.Secret = ""
		if !repeated {
			if err := r.insertToken(ctx, s, token, hash); err != nil {
				return err
			}
			response.Secret = text.Reveal()
		}
		made, err := s.Token(ctx, id)
		response.Token = r.show.token(made)
		return err
	})
	if err != nil {
		return nil, err
	}
	return response, nil
}

func (r *rpcs) insertToken(ctx context.Context, s *store.Store, token mobile.Token, hash []byte) error {
	// What depends on the clock is checked here, so that a repeat is never refused for it.
	if !token.Expires.IsZero() && !token.Expires.After(r.now()) {
		var f form
		f.refuse("expire_time", "FIELD_MALFORMED", "This moment is over. Give one in the future, or leave the field out.")
		return f.err()
	}
	if token.Tenant != "" {
		if _, err := s.Tenant(ctx, token.Tenant); err != nil {
			return err
		}
	}
	return s.InsertToken(ctx, token, hash)
}

func readToken(request *dialtonev1.CreateTokenRequest) (mobile.Token, mutation, error) {
	var f form
	token := mobile.Token{
		Principal: chosen[mobile.Principal](&f, "principal", dialtonev1.Principal_name, "PRINCIPAL_", request.GetPrincipal()),
		Name:      f.text("name", request.GetName(), tokenNameLengthMax),
		Expires:   f.time("expire_time", request.GetExpireTime()),
	}
	switch token.Principal {
	case "":
		if request.GetPrincipal() == dialtonev1.Principal_PRINCIPAL_UNSPECIFIED {
			f.refuse("principal", "FIELD_REQUIRED", "Say what the token is to stand for.")
		}
	case mobile.PrincipalPortal:
		f.refuse("principal", "FIELD_NOT_ALLOWED", "A PORTAL token comes from CreatePortalLink.")
	case mobile.PrincipalAdmin:
		if request.GetTenantId() != "" {
			f.refuse("tenant_id", "FIELD_NOT_ALLOWED", "ADMIN belongs to no tenant. Leave this field out.")
		}
	case mobile.PrincipalBilling, mobile.PrincipalOperator, mobile.PrincipalConsole, mobile.PrincipalPortalBackend:
		token.Tenant = mobile.TenantID(f.id("tenant_id", request.GetTenantId()))
	}
	expires := ""
	if !token.Expires.IsZero() {
		expires = token.Expires.Format(time.RFC3339Nano)
	}
	return token, mutation{
		method: "CreateToken", requestID: f.requestID(request.GetRequestId()), tenant: token.Tenant,
		fields: []string{string(token.Principal), string(token.Tenant), token.Name, expires},
	}, f.err()
}

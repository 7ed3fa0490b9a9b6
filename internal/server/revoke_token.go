package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// RevokeToken ends a credential: here at once, at other processes once they ask the record
// again. One that is revoked already answers as it is.
func (r *rpcs) RevokeToken(ctx context.Context, request *dialtonev1.RevokeTokenRequest) (*dialtonev1.RevokeTokenResponse, error) {
	var f form
	id := f.uuid("token_id", request.GetTokenId())
	m := mutation{
		method: "RevokeToken", requestID: f.requestID(request.GetRequestId()), resource: id,
		reason: f.reason(request.GetReason()),
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	m.fields = []string{id, m.reason}

	var token mobile.Token
	err := r.db.InSystem(ctx, func(s *store.Store) error {
		_, repeated, err := r.accept(ctx, s, m)
		switch {
		case err != nil:
			return err
		case repeated:
			token, err = s.Token(ctx, id)
		default:
			token, err = s.RevokeToken(ctx, id)
		}
		return withToken(err, id)
	})
	if err != nil {
		return nil, err
	}
	r.gate.Forget(id)
	return &dialtonev1.RevokeTokenResponse{Token: r.show.token(token)}, nil
}

// withToken adds to a refusal which token it is about.
func withToken(err error, id string) error {
	if f := fault.Of(err); f != nil {
		return f.With("token_id", id)
	}
	return err
}

package store

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// ErrRequestIDReused refuses a request id that was accepted before with other content.
var ErrRequestIDReused = fault.New(fault.Invalid, "REQUEST_ID_REUSED",
	"This request_id was used before with other content. Use a new request_id for a new request; repeat a request only as it was.")

// Request is one accepted request, remembered for ever.
type Request struct {
	Tenant mobile.TenantID
	// Method is the short name of the RPC.
	Method string
	ID     string
	// Fields are the normalised fields. Only their HMAC is stored.
	Fields []string
	// Resource is the id of what the request made or changed.
	Resource string
}

// Accept remembers a request. When it was accepted before with the same fields, it gives
// the resource of that time and true, and nothing is to be done again; with other fields it
// refuses ErrRequestIDReused. It is to be the first statement of its transaction: it makes
// repeats that arrive at the same moment wait for the first. With ErrRequestIDReused it
// gives the resource too, so that the caller can be told what the id stands for.
func (s *Store) Accept(ctx context.Context, r Request) (resource string, repeated bool, err error) {
	digest := s.sealer.Digest("request/"+r.Method, append([]string{string(r.Tenant)}, r.Fields...)...)
	n, err := s.exec(ctx, `
		INSERT INTO requests (tenant_id, method, request_id, digest, resource_id, created_at)
		VALUES (@tenant, @method, @id, @digest, @resource, @now)
		ON CONFLICT ON CONSTRAINT requests_key DO NOTHING`, pgx.StrictNamedArgs{
		"tenant": r.Tenant, "method": r.Method, "id": r.ID, "digest": digest, "resource": r.Resource, "now": s.now,
	})
	if err != nil {
		return "", false, fmt.Errorf("remember request %s: %w", r.ID, err)
	}
	if n == 1 {
		return r.Resource, false, nil
	}
	var first []byte
	err = s.tx.QueryRow(ctx, `
		SELECT digest, resource_id
		FROM requests
		WHERE tenant_id = @tenant AND method = @method AND request_id = @id`, pgx.StrictNamedArgs{
		"tenant": r.Tenant, "method": r.Method, "id": r.ID,
	}).Scan(&first, &resource)
	switch {
	case err != nil:
		return "", false, fmt.Errorf("read request %s: %w", r.ID, err)
	case !bytes.Equal(first, digest):
		return resource, false, ErrRequestIDReused
	}
	return resource, true, nil
}

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// What the customer's portal reads beside a port.

// Hearing is what the portal must know of what a customer has said already.
type Hearing struct {
	// Over tells that nothing which the customer says can change anything any more: an answer
	// would be DUPLICATE or TOO_LATE.
	Over bool
	// Held is what was given for the donor, each field masked.
	Held map[mobile.PortingField]string
}

// Hearing reads what the customer of a port-in has said. Of the values it gives masks only.
func (s *Store) Hearing(ctx context.Context, a mobile.Activation, port mobile.Port) (Hearing, error) {
	said, err := s.submissionsOf(ctx, port)
	if err != nil {
		return Hearing{}, err
	}
	j := judgement{a: a, port: port, before: said}
	return Hearing{Over: j.late() != "", Held: j.held().Masks()}, nil
}

// methodInstallCode is the RPC by which a portal shows an eSIM's code.
const methodInstallCode = "GetInstallCode"

// GaveCode remembers that a portal was given the code of an activation's eSIM. Twice is once.
func (s *Store) GaveCode(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID) error {
	_, _, err := s.Accept(ctx, Request{
		Tenant: tenant, Method: methodInstallCode, ID: string(id), Fields: []string{string(id)}, Resource: string(id),
	})
	return err
}

// CodeGiven tells whether a portal was ever given the code of an activation's eSIM.
func (s *Store) CodeGiven(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID) (given bool, err error) {
	err = s.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM requests WHERE tenant_id = @tenant AND method = @method AND request_id = @id)`,
		pgx.StrictNamedArgs{"tenant": tenant, "method": methodInstallCode, "id": id}).Scan(&given)
	if err != nil {
		return false, fmt.Errorf("look whether the code of %s was given: %w", id, err)
	}
	return given, nil
}

// LinksSent counts the mails with a new link to the portal that were filed for an activation
// in this time. Whoever decides on it holds the activation, so that it stands.
func (s *Store) LinksSent(ctx context.Context, id mobile.ActivationID, within time.Duration) (n int, err error) {
	err = s.tx.QueryRow(ctx, `
		SELECT count(*) FROM follow_ups WHERE activation_id = @id AND kind = @kind AND created_at > @after`,
		pgx.StrictNamedArgs{"id": id, "kind": mobile.FollowUpLink, "after": s.now.Add(-within)}).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the links of %s: %w", id, err)
	}
	return n, nil
}

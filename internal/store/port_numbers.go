package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// BeingPorted gives the activation that brings a number in now; false when none does. It looks
// only: what keeps a second one out is the index that InsertPort meets.
func (s *Store) BeingPorted(ctx context.Context, tenant mobile.TenantID, number string) (mobile.ActivationID, bool, error) {
	var id mobile.ActivationID
	err := s.tx.QueryRow(ctx, `
		SELECT activation_id
		FROM ports
		WHERE tenant_id = @tenant AND phone_number = @number AND closed_at IS NULL AND replaced_by IS NULL`,
		pgx.StrictNamedArgs{"tenant": tenant, "number": number}).Scan(&id)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("look for a port of a number: %w", err)
	}
	return id, true, nil
}

package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// CorrectContact keeps another name or address for an activation; an empty one stays as it
// is, and so does the account. The feed is told nothing: it holds no personal data.
func (s *Store) CorrectContact(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, name, email string) error {
	sealedName, err := s.sealOptional(name, "activation.name", tenant, string(id))
	if err != nil {
		return err
	}
	sealedEmail, err := s.sealOptional(email, "activation.email", tenant, string(id))
	if err != nil {
		return err
	}
	n, err := s.exec(ctx, `
		UPDATE activations
		SET name_override_sealed = coalesce(@name, name_override_sealed),
		    email_override_sealed = coalesce(@email, email_override_sealed)
		WHERE tenant_id = @tenant AND activation_id = @id`, pgx.StrictNamedArgs{
		"tenant": tenant, "id": id, "name": sealedName, "email": sealedEmail,
	})
	switch {
	case err != nil:
		return fmt.Errorf("correct the contact of %s: %w", id, err)
	case n == 0:
		return ErrActivationNotFound
	}
	return s.touch(ctx, id, touchRevision)
}

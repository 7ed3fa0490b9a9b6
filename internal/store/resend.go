package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// RequestedNotice reads the notice that a request to send one again has made. It refuses
// ErrNoticeNotFound.
func (s *Store) RequestedNotice(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, requestID string) (mobile.Notice, error) {
	n, _, err := s.readNotice(ctx, tenant, `follow_up_id = (SELECT follow_up_id FROM follow_ups
		WHERE activation_id = @activation AND kind = 'RESEND' AND request_id = @request)
		AND NOT EXISTS (SELECT FROM notices earlier WHERE earlier.follow_up_id = notices.follow_up_id
		                AND earlier.generation < notices.generation)`,
		pgx.StrictNamedArgs{"activation": id, "request": requestID})
	return n, err
}

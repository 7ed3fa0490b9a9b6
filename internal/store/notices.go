package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// ErrNoticeNotFound refuses a notice that was never prepared.
var ErrNoticeNotFound = fault.New(fault.NotFound, "NOTICE_NOT_FOUND", "There is no such notice.")

// PrepareNotice keeps a notice with its whole message before it is sent. Twice is once: the
// first message of its owner (n.FollowUp, or the activation's own run) stays, so that every
// attempt sends the same bytes. The generation is the next one of its kind, over all owners.
func (s *Store) PrepareNotice(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, n mobile.Notice, message []byte) error {
	return s.insertNotice(ctx, tenant, id, n, message, true)
}

// RepeatNotice keeps another notice for an owner that may have one already: what is sent
// again deliberately is a notice of its own. The same notice id is the same notice.
func (s *Store) RepeatNotice(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, n mobile.Notice, message []byte) error {
	return s.insertNotice(ctx, tenant, id, n, message, false)
}

// insertNotice holds the activation, so that generations are drawn one after the other.
func (s *Store) insertNotice(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, n mobile.Notice, message []byte, once bool) error {
	if _, err := s.lockActivation(ctx, tenant, id); err != nil {
		return err
	}
	sealed, err := s.sealer.Seal(message, "notice.message", string(tenant), n.ID)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, `
		INSERT INTO notices (notice_id, tenant_id, activation_id, follow_up_id, kind, generation, state, address_masked,
		                     install_state, message_sealed, created_at, updated_at)
		SELECT @id, @tenant, @activation, @follow_up, @kind, coalesce(max(generation) + 1, 0), 'PREPARED', @address,
		       @install, @message, @now, @now
		FROM notices
		WHERE activation_id = @activation AND kind = @kind
		HAVING NOT @once OR coalesce(bool_and(follow_up_id IS DISTINCT FROM @follow_up::uuid), true)
		ON CONFLICT (notice_id) DO NOTHING`, pgx.StrictNamedArgs{
		"id": n.ID, "tenant": tenant, "activation": id, "follow_up": emptyNull(string(n.FollowUp)), "kind": n.Kind,
		"address": n.MaskedAddress, "install": n.InstallState, "message": sealed, "once": once, "now": s.now,
	}); err != nil {
		return fmt.Errorf("prepare notice %s of %s: %w", n.Kind, id, err)
	}
	return s.touch(ctx, id, touchTime)
}

const noticeColumns = `notice_id, kind, generation, coalesce(follow_up_id::text, ''), install_state, state, address_masked, reason,
	created_at, sent_at, settled_at`

// scanNotice reads the columns of a notice, and more behind them.
func scanNotice(row pgx.CollectableRow, more ...any) (n mobile.Notice, err error) {
	var sent, settled *time.Time
	err = row.Scan(append([]any{
		&n.ID, &n.Kind, &n.Generation, &n.FollowUp, &n.InstallState, &n.State, &n.MaskedAddress, &n.Reason, &n.Prepared, &sent, &settled,
	}, more...)...)
	n.Sent, n.Settled = value(sent), value(settled)
	return n, err
}

// Notice reads the latest notice of a kind that one owner has prepared, with the message that
// it sends: a follow-up, or with an empty one the activation's own run. It refuses
// ErrNoticeNotFound.
func (s *Store) Notice(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, kind mobile.NoticeKind, followUp mobile.FollowUpID) (mobile.Notice, []byte, error) {
	return s.readNotice(ctx, tenant, `activation_id = @activation AND kind = @kind
		AND follow_up_id IS NOT DISTINCT FROM @follow_up::uuid`, pgx.StrictNamedArgs{
		"activation": id, "kind": kind, "follow_up": emptyNull(string(followUp)),
	})
}

// LatestNotice reads the latest notice of a kind, whoever has prepared it, with its message.
// It refuses ErrNoticeNotFound.
func (s *Store) LatestNotice(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, kind mobile.NoticeKind) (mobile.Notice, []byte, error) {
	return s.readNotice(ctx, tenant, `activation_id = @activation AND kind = @kind`,
		pgx.StrictNamedArgs{"activation": id, "kind": kind})
}

// NoticeByID reads a notice with its message. It refuses ErrNoticeNotFound.
func (s *Store) NoticeByID(ctx context.Context, tenant mobile.TenantID, id string) (mobile.Notice, []byte, error) {
	if !isUUID(id) {
		return mobile.Notice{}, nil, ErrNoticeNotFound
	}
	return s.readNotice(ctx, tenant, `notice_id = @id`, pgx.StrictNamedArgs{"id": id})
}

// readNotice reads the latest of those that where describes.
func (s *Store) readNotice(ctx context.Context, tenant mobile.TenantID, where string, args pgx.StrictNamedArgs) (mobile.Notice, []byte, error) {
	args["tenant"] = tenant
	rows, err := s.tx.Query(ctx, `
		SELECT `+noticeColumns+`, message_sealed
		FROM notices
		WHERE tenant_id = @tenant AND `+where+`
		ORDER BY generation DESC
		LIMIT 1`, args)
	if err != nil {
		return mobile.Notice{}, nil, fmt.Errorf("read a notice: %w", err)
	}
	var sealed []byte
	n, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (mobile.Notice, error) {
		return scanNotice(row, &sealed)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return mobile.Notice{}, nil, ErrNoticeNotFound
	case err != nil:
		return n, nil, fmt.Errorf("read a notice: %w", err)
	}
	message, err := s.sealer.Open(sealed, "notice.message", string(tenant), n.ID)
	if err != nil {
		return n, nil, fmt.Errorf("open notice %s: %w", n.ID, err)
	}
	return n, message, nil
}

// notices reads the notices of activations, oldest first.
func (s *Store) notices(ctx context.Context, ids []string) (map[mobile.ActivationID][]mobile.Notice, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+noticeColumns+`, activation_id
		FROM notices
		WHERE activation_id = ANY (@ids::uuid[])
		ORDER BY created_at, generation, notice_id`, pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	defer rows.Close()
	all := make(map[mobile.ActivationID][]mobile.Notice, len(ids))
	for rows.Next() {
		var id mobile.ActivationID
		n, err := scanNotice(rows, &id)
		if err != nil {
			return nil, fmt.Errorf("read notices: %w", err)
		}
		all[id] = append(all[id], n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	return all, nil
}

// RewriteNotice replaces the message of a notice that has not gone out.
func (s *Store) RewriteNotice(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, n mobile.Notice, message []byte) error {
	sealed, err := s.sealer.Seal(message, "notice.message", string(tenant), n.ID)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, `
		UPDATE notices
		SET message_sealed = @message, address_masked = @address, updated_at = @now
		WHERE notice_id = @id AND sent_at IS NULL`, pgx.StrictNamedArgs{
		"id": n.ID, "message": sealed, "address": n.MaskedAddress, "now": s.now,
	}); err != nil {
		return fmt.Errorf("rewrite notice %s: %w", n.ID, err)
	}
	return s.touch(ctx, id, touchTime)
}

// SupersedeNotice ends a notice of which nobody knows whether it went out, because another one
// takes its place. A later word about it still counts.
func (s *Store) SupersedeNotice(ctx context.Context, id mobile.ActivationID, notice string) error {
	if _, err := s.exec(ctx, `
		UPDATE notices
		SET state = 'NO_WORD', settled_at = @now, updated_at = @now
		WHERE notice_id = @id AND state = 'PREPARED'`, pgx.StrictNamedArgs{"id": notice, "now": s.now}); err != nil {
		return fmt.Errorf("supersede notice %s: %w", notice, err)
	}
	return s.touch(ctx, id, touchTime)
}

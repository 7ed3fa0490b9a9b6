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
// first message stays, so that every attempt sends the same bytes.
func (s *Store) PrepareNotice(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, n mobile.Notice, message []byte) error {
	sealed, err := s.sealer.Seal(message, "notice.message", string(tenant), n.ID)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, `
		INSERT INTO notices (notice_id, tenant_id, activation_id, kind, state, address_masked, message_sealed,
		                     created_at, updated_at)
		VALUES (@id, @tenant, @activation, @kind, 'PREPARED', @address, @message, @now, @now)
		ON CONFLICT ON CONSTRAINT notices_key DO NOTHING`, pgx.StrictNamedArgs{
		"id": n.ID, "tenant": tenant, "activation": id, "kind": n.Kind, "address": n.MaskedAddress,
		"message": sealed, "now": s.now,
	}); err != nil {
		return fmt.Errorf("prepare notice %s of %s: %w", n.Kind, id, err)
	}
	return s.touch(ctx, id, touchTime)
}

// Notice reads the first notice of a kind with the message that it sends. It refuses
// ErrNoticeNotFound.
func (s *Store) Notice(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, kind mobile.NoticeKind) (mobile.Notice, []byte, error) {
	n := mobile.Notice{Kind: kind}
	var sealed []byte
	err := s.tx.QueryRow(ctx, `
		SELECT notice_id, state, address_masked, message_sealed
		FROM notices
		WHERE activation_id = @id AND kind = @kind AND generation = 0`, pgx.StrictNamedArgs{"id": id, "kind": kind}).
		Scan(&n.ID, &n.State, &n.MaskedAddress, &sealed)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return n, nil, ErrNoticeNotFound
	case err != nil:
		return n, nil, fmt.Errorf("read notice %s of %s: %w", kind, id, err)
	}
	message, err := s.sealer.Open(sealed, "notice.message", string(tenant), n.ID)
	if err != nil {
		return n, nil, fmt.Errorf("open notice %s: %w", n.ID, err)
	}
	return n, message, nil
}

// NoticeSent says that SendGrid accepted a notice, under this message id, and tells the
// feed. An event that came before it (delivered, bounced) stays.
func (s *Store) NoticeSent(ctx context.Context, a mobile.Activation, notice mobile.Notice, messageID string) error {
	n, err := s.exec(ctx, `
		UPDATE notices
		SET sent_at = @now, message_id = @message, updated_at = @now,
		    state = CASE WHEN state = 'PREPARED' THEN 'SENT' ELSE state END
		WHERE notice_id = @id AND sent_at IS NULL`, pgx.StrictNamedArgs{"id": notice.ID, "message": messageID, "now": s.now})
	switch {
	case err != nil:
		return fmt.Errorf("note that notice %s was sent: %w", notice.ID, err)
	case n == 0:
		return nil
	}
	if err := s.touch(ctx, a.ID, touchTime); err != nil {
		return err
	}
	return s.emit(ctx, mobile.Event{
		Tenant: a.Tenant, Type: mobile.EventNoticeSent, Activation: a.ID, Subscription: a.Subscription,
		Data: mobile.EventData{AccountID: a.AccountID, NoticeID: notice.ID, Notice: notice.Kind, NoticeState: mobile.NoticeSent},
	})
}

// SettleNotice moves a notice by SendGrid's word: DELIVERED or BOUNCED, tells the feed, and
// asks an operator when it bounced. A bounce after a delivery counts, a delivery after a
// bounce does not. It gives false when there is no such notice. InSystem only.
func (s *Store) SettleNotice(ctx context.Context, id string, to mobile.NoticeState, reason string) (bool, error) {
	if !isUUID(id) {
		return false, nil
	}
	var n mobile.Notice
	var a mobile.Activation
	err := s.tx.QueryRow(ctx, `
		SELECT n.kind, n.state, n.activation_id, n.tenant_id, a.subscription_id, a.account_id
		FROM notices n
		JOIN activations a ON a.activation_id = n.activation_id
		WHERE n.notice_id = @id
		FOR UPDATE OF n`, pgx.StrictNamedArgs{"id": id}).
		Scan(&n.Kind, &n.State, &a.ID, &a.Tenant, &a.Subscription, &a.AccountID)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("find notice %s: %w", id, err)
	case n.State == to || n.State == mobile.NoticeBounced:
		return true, nil
	}
	if _, err := s.exec(ctx, `
		UPDATE notices
		SET state = @to, reason = @reason, settled_at = @now, updated_at = @now
		WHERE notice_id = @id`, pgx.StrictNamedArgs{"id": id, "to": to, "reason": reason, "now": s.now}); err != nil {
		return false, fmt.Errorf("settle notice %s: %w", id, err)
	}
	kind := mobile.EventNoticeDelivered
	if to == mobile.NoticeBounced {
		kind = mobile.EventNoticeBounced
	}
	if err := s.emit(ctx, mobile.Event{
		Tenant: a.Tenant, Type: kind, Activation: a.ID, Subscription: a.Subscription,
		Data: mobile.EventData{AccountID: a.AccountID, NoticeID: id, Notice: n.Kind, NoticeState: to, Reason: reason},
	}); err != nil {
		return false, err
	}
	if to == mobile.NoticeBounced {
		item := mobile.Item{Activation: a.ID, Kind: mobile.ItemMailNotDelivered, Detail: reason}
		if err := s.OpenItem(ctx, a.Tenant, item); err != nil {
			return false, err
		}
	}
	return true, s.touch(ctx, a.ID, touchTime)
}

// notices reads the notices of activations, oldest first.
func (s *Store) notices(ctx context.Context, ids []string) (map[mobile.ActivationID][]mobile.Notice, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT activation_id, notice_id, kind, state, address_masked, reason, created_at, sent_at, settled_at
		FROM notices
		WHERE activation_id = ANY (@ids::uuid[])
		ORDER BY created_at, notice_id`, pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	defer rows.Close()
	all := make(map[mobile.ActivationID][]mobile.Notice, len(ids))
	for rows.Next() {
		var id mobile.ActivationID
		var n mobile.Notice
		var sent, settled *time.Time
		if err := rows.Scan(&id, &n.ID, &n.Kind, &n.State, &n.MaskedAddress, &n.Reason, &n.Prepared, &sent, &settled); err != nil {
			return nil, fmt.Errorf("read notices: %w", err)
		}
		n.Sent, n.Settled = value(sent), value(settled)
		all[id] = append(all[id], n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	return all, nil
}

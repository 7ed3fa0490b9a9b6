package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// What became of notices. Whoever moves one holds its activation first, so that the feed
// tells "sent" before all else, and each thing once.

// NoticeSent says that SendGrid accepted a notice, under this message id, and tells the feed.
// Twice is once, and one that an event of SendGrid's has told of before stays as it is. What
// an operator was asked about an earlier one is being dealt with, and closed.
func (s *Store) NoticeSent(ctx context.Context, a mobile.Activation, notice mobile.Notice, messageID string) error {
	a, err := s.lockActivation(ctx, a.Tenant, a.ID)
	if err != nil {
		return err
	}
	return s.noticeSent(ctx, a, notice.ID, messageID, s.now)
}

// noticeSent marks a notice of an activation that this transaction holds.
func (s *Store) noticeSent(ctx context.Context, a mobile.Activation, id, messageID string, at time.Time) error {
	n, ok, err := s.moveNotice(ctx, `
		UPDATE notices
		SET state = 'SENT', sent_at = @at, message_id = @message, updated_at = @now
		WHERE notice_id = @id AND sent_at IS NULL AND state = 'PREPARED'`, pgx.StrictNamedArgs{
		"id": id, "message": messageID, "at": at, "now": s.now,
	})
	if err != nil || !ok {
		return err
	}
	if err := s.tellNotice(ctx, a, n, mobile.EventNoticeSent); err != nil {
		return err
	}
	return s.closeMailItem(ctx, a, n)
}

// NoticeWord is what an event of SendGrid's says about a notice.
type NoticeWord struct {
	// Notice is the id that the mail bore.
	Notice string
	// State is DELIVERED or BOUNCED; empty when it says no more than that SendGrid has it.
	State  mobile.NoticeState
	Reason string
	// MessageID is SendGrid's own name of the mail; may be empty.
	MessageID string
	At        time.Time
}

// HearOfNotice takes an event of SendGrid's about a notice. Whatever it says, it proves that
// SendGrid has accepted the mail: a sending whose outcome was not known is settled by it, and
// who waits for that is woken. DELIVERED and BOUNCED move the notice and tell the feed, and a
// bounce asks an operator: after a delivery it counts, a delivery after it does not. It gives
// false when there is no such notice. InSystem only.
func (s *Store) HearOfNotice(ctx context.Context, w NoticeWord) (known bool, err error) {
	a, n, err := s.findNotice(ctx, w.Notice)
	switch {
	case errors.Is(err, ErrNoticeNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	var settled bool
	if n.Sent.IsZero() {
		// The effect's row before the activation's, as where acts are done.
		if settled, err = s.sendingProved(ctx, a, n, w); err != nil {
			return false, err
		}
	}
	if a, err = s.lockActivation(ctx, a.Tenant, a.ID); err != nil {
		return false, err
	}
	if settled {
		if err := s.wake(ctx, a, n.FollowUp); err != nil {
			return false, err
		}
	}
	if err := s.noticeSent(ctx, a, n.ID, w.MessageID, w.At); err != nil || w.State == "" {
		return true, err
	}
	return true, s.settleNotice(ctx, a, w)
}

// findNotice finds a notice and says whose it is. It refuses ErrNoticeNotFound.
func (s *Store) findNotice(ctx context.Context, id string) (a mobile.Activation, n mobile.Notice, err error) {
	if !isUUID(id) {
		return a, n, ErrNoticeNotFound
	}
	rows, err := s.tx.Query(ctx, `SELECT `+noticeColumns+`, tenant_id, activation_id FROM notices WHERE notice_id = @id`,
		pgx.StrictNamedArgs{"id": id})
	if err != nil {
		return a, n, fmt.Errorf("find notice %s: %w", id, err)
	}
	n, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (mobile.Notice, error) {
		return scanNotice(row, &a.Tenant, &a.ID)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return a, n, ErrNoticeNotFound
	case err != nil:
		return a, n, fmt.Errorf("find notice %s: %w", id, err)
	}
	return a, n, nil
}

// sendingProved settles the sending of a notice by the word of an event, which came before our
// own knowledge: the answer is on its way still, or was lost. It gives false when there is
// nothing to settle.
func (s *Store) sendingProved(ctx context.Context, a mobile.Activation, n mobile.Notice, w NoticeWord) (bool, error) {
	effect, found, err := s.effectOf(ctx, a, n)
	if err != nil || !found {
		return false, err
	}
	effect.Verdict, effect.Reference, effect.Reason = mobile.VerdictYes, w.MessageID, ""
	return s.WitnessEffect(ctx, effect, WitnessEvidence)
}

// effectOf finds the effect that sends a notice. One that was made before effects named what
// they are about is found by its owner.
func (s *Store) effectOf(ctx context.Context, a mobile.Activation, n mobile.Notice) (mobile.Effect, bool, error) {
	act := mobile.ActSendMail
	if n.Kind != mobile.NoticeActivation {
		act = mobile.ActSendNotice.Of(n.ID)
	}
	effect, found, err := s.EffectAbout(ctx, act, n.ID)
	if err != nil || found || act != mobile.ActSendMail {
		return effect, found, err
	}
	effect, found, err = s.Effect(ctx, mobile.Effect{
		Tenant: a.Tenant, Activation: a.ID, FollowUp: n.FollowUp, Act: mobile.ActSendMail,
	})
	return effect, found && effect.Subject == "" && effect.Fence > 0, err
}

// settleNotice says that a notice was delivered or came back.
func (s *Store) settleNotice(ctx context.Context, a mobile.Activation, w NoticeWord) error {
	n, ok, err := s.moveNotice(ctx, `
		UPDATE notices
		SET state = @to, reason = @reason, settled_at = @now, updated_at = @now
		WHERE notice_id = @id AND state NOT IN (@to, 'BOUNCED')`, pgx.StrictNamedArgs{
		"id": w.Notice, "to": w.State, "reason": w.Reason, "now": s.now,
	})
	switch {
	case err != nil || !ok:
		return err
	case w.State == mobile.NoticeBounced:
		if err := s.tellNotice(ctx, a, n, mobile.EventNoticeBounced); err != nil {
			return err
		}
		return s.openMailItem(ctx, a, n, w.Reason)
	}
	if err := s.tellNotice(ctx, a, n, mobile.EventNoticeDelivered); err != nil {
		return err
	}
	return s.closeMailItem(ctx, a, n)
}

// NoWord moves up to limit notices that were sent longer ago than this, and of which nothing
// was heard since, to NO_WORD, tells the feed and asks an operator. It gives how many it
// found. A later word still counts. InSystem only.
func (s *Store) NoWord(ctx context.Context, older time.Duration, limit int) (int, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT notice_id, tenant_id, activation_id
		FROM notices
		WHERE state = 'SENT' AND sent_at < @before
		ORDER BY sent_at
		LIMIT @limit`, pgx.StrictNamedArgs{"before": s.now.Add(-older), "limit": limit})
	if err != nil {
		return 0, fmt.Errorf("find notices without word: %w", err)
	}
	type silent struct {
		Notice     string
		Tenant     mobile.TenantID
		Activation mobile.ActivationID
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[silent])
	if err != nil {
		return 0, fmt.Errorf("find notices without word: %w", err)
	}
	// In the order in which batches of events take them, so that nobody waits crosswise.
	slices.SortFunc(all, func(a, b silent) int { return strings.Compare(string(a.Activation), string(b.Activation)) })
	for _, one := range all {
		a, err := s.lockActivation(ctx, one.Tenant, one.Activation)
		if err != nil {
			return 0, err
		}
		if err := s.noWord(ctx, a, one.Notice, older); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

func (s *Store) noWord(ctx context.Context, a mobile.Activation, id string, older time.Duration) error {
	n, ok, err := s.moveNotice(ctx, `
		UPDATE notices
		SET state = 'NO_WORD', settled_at = @now, updated_at = @now
		WHERE notice_id = @id AND state = 'SENT'`, pgx.StrictNamedArgs{"id": id, "now": s.now})
	if err != nil || !ok {
		return err
	}
	if err := s.tellNotice(ctx, a, n, mobile.EventNoticeNoWord); err != nil {
		return err
	}
	return s.openMailItem(ctx, a, n, "No word for "+inHours(older)+": SendGrid has not said whether it was delivered.")
}

// inHours says 24 h rather than 24h0m0s.
func inHours(d time.Duration) string {
	if d%time.Hour != 0 {
		return d.String()
	}
	return strconv.Itoa(int(d/time.Hour)) + " h"
}

// moveNotice runs an update of one notice and gives it as it is then; false when it was not
// to be moved.
func (s *Store) moveNotice(ctx context.Context, update string, args pgx.StrictNamedArgs) (mobile.Notice, bool, error) {
	rows, err := s.tx.Query(ctx, update+" RETURNING "+noticeColumns, args)
	if err != nil {
		return mobile.Notice{}, false, fmt.Errorf("move notice %s: %w", args["id"], err)
	}
	n, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (mobile.Notice, error) { return scanNotice(row) })
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return n, false, nil
	case err != nil:
		return n, false, fmt.Errorf("move notice %s: %w", args["id"], err)
	}
	return n, true, nil
}

// tellNotice tells the feed what became of a notice.
func (s *Store) tellNotice(ctx context.Context, a mobile.Activation, n mobile.Notice, kind mobile.EventType) error {
	err := s.emit(ctx, mobile.Event{
		Tenant: a.Tenant, Type: kind, Activation: a.ID, Subscription: a.Subscription,
		Data: mobile.EventData{AccountID: a.AccountID, NoticeID: n.ID, Notice: n.Kind, NoticeState: n.State, Reason: n.Reason},
	})
	if err != nil {
		return err
	}
	return s.touch(ctx, a.ID, touchTime)
}

// openMailItem asks an operator about a mail that did not arrive, unless another was sent
// after it, whose fate counts instead. One that is open already says the newest why.
func (s *Store) openMailItem(ctx context.Context, a mobile.Activation, n mobile.Notice, why string) error {
	if followed, err := s.followed(ctx, a, n); err != nil || followed {
		return err
	}
	if _, err := s.exec(ctx, `
		UPDATE items
		SET detail = @why
		WHERE activation_id = @id AND kind = @kind AND closed_at IS NULL`,
		pgx.StrictNamedArgs{"id": a.ID, "kind": mobile.ItemMailNotDelivered, "why": why}); err != nil {
		return fmt.Errorf("say anew why a mail of %s is not delivered: %w", a.ID, err)
	}
	return s.OpenItem(ctx, a.Tenant, mobile.Item{Activation: a.ID, Kind: mobile.ItemMailNotDelivered, Detail: why})
}

// closeMailItem takes back what an operator was asked about mail, unless another was sent
// after this one: then that one's fate counts.
func (s *Store) closeMailItem(ctx context.Context, a mobile.Activation, n mobile.Notice) error {
	if followed, err := s.followed(ctx, a, n); err != nil || followed {
		return err
	}
	return s.closeItemsOf(ctx, a, mobile.ItemMailNotDelivered)
}

// closeItemsOf takes back what an operator was asked by items of a kind that belong to no run,
// if any is open.
func (s *Store) closeItemsOf(ctx context.Context, a mobile.Activation, kind mobile.ItemKind) error {
	var open bool
	err := s.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM items WHERE activation_id = @id AND kind = @kind AND closed_at IS NULL)`,
		pgx.StrictNamedArgs{"id": a.ID, "kind": kind}).Scan(&open)
	switch {
	case err != nil:
		return fmt.Errorf("ask for open items of %s: %w", a.ID, err)
	case !open:
		return nil
	}
	if err := s.closeItems(ctx, a, itemsOf{kinds: []mobile.ItemKind{kind}}); err != nil {
		return err
	}
	return s.touch(ctx, a.ID, touchRevision)
}

// followed tells whether a later notice of the same kind was sent.
func (s *Store) followed(ctx context.Context, a mobile.Activation, n mobile.Notice) (followed bool, err error) {
	err = s.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM notices WHERE activation_id = @id AND kind = @kind AND generation > @generation
		               AND sent_at IS NOT NULL)`,
		pgx.StrictNamedArgs{"id": a.ID, "kind": n.Kind, "generation": n.Generation}).Scan(&followed)
	if err != nil {
		return false, fmt.Errorf("look for a notice after %s: %w", n.ID, err)
	}
	return followed, nil
}

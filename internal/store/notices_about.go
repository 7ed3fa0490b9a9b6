package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// NoticeAbout says what a mail is about, other than the one with the QR code: there is one for
// each kind, question and turn.
type NoticeAbout struct {
	Tenant     mobile.TenantID
	Activation mobile.ActivationID
	FollowUp   mobile.FollowUpID
	Kind       mobile.NoticeKind
	// Revision is that of the question, and Turn which reminder of it; 0 for a mail about the
	// whole.
	Revision int64
	Turn     int
}

// NoticeFor reads the mail about something, with its message. It refuses ErrNoticeNotFound.
func (s *Store) NoticeFor(ctx context.Context, about NoticeAbout) (mobile.Notice, []byte, error) {
	if about.Revision == 0 {
		return s.Notice(ctx, about.Tenant, about.Activation, about.Kind, about.FollowUp)
	}
	return s.readNotice(ctx, about.Tenant, `activation_id = @activation AND kind = @kind AND turn = @turn
		AND prompt_id = (SELECT prompt_id FROM prompts WHERE activation_id = @activation AND revision = @revision)`,
		pgx.StrictNamedArgs{"activation": about.Activation, "kind": about.Kind, "turn": about.Turn, "revision": about.Revision})
}

// PrepareNoticeFor keeps a mail about something before it is sent.
func (s *Store) PrepareNoticeFor(ctx context.Context, about NoticeAbout, n mobile.Notice, message []byte) error {
	if about.Revision == 0 {
		return s.PrepareNotice(ctx, about.Tenant, about.Activation, n, message)
	}
	if err := s.RepeatNotice(ctx, about.Tenant, about.Activation, n, message); err != nil {
		return err
	}
	var prompt string
	err := s.tx.QueryRow(ctx, `SELECT prompt_id FROM prompts WHERE activation_id = @id AND revision = @revision`,
		pgx.StrictNamedArgs{"id": about.Activation, "revision": about.Revision}).Scan(&prompt)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNoticeNotFound
	}
	if err == nil {
		_, err = s.exec(ctx, `UPDATE notices SET prompt_id = @prompt, turn = @turn WHERE notice_id = @id`,
			pgx.StrictNamedArgs{"id": n.ID, "prompt": prompt, "turn": about.Turn})
	}
	if err != nil {
		return fmt.Errorf("say what notice %s is about: %w", n.ID, err)
	}
	return nil
}

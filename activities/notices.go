package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"

	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// NoticeInput says which mail goes to the customer, other than the one with the QR code.
type NoticeInput struct {
	Ref
	Kind mobile.NoticeKind `json:"kind"`
	// Revision is that of the question that it is about, and Turn which reminder of it; both 0
	// for a mail about the whole.
	Revision int64 `json:"revision,omitempty"`
	Turn     int   `json:"turn,omitempty"`
	// Reason says why it did not work out.
	Reason string `json:"reason,omitempty"`
	// Evidence is how long SendGrid's events are waited for once an answer was lost.
	Evidence time.Duration `json:"evidence"`
}

// SendNotice sends a mail to the customer: once for each kind, question and turn. Nothing waits
// for it but itself. What SendGrid refuses, and what may or may not have gone out, is for an
// operator, and is never sent again by itself: the portal asks the same.
func (a *Mails) SendNotice(ctx context.Context, in NoticeInput) error {
	o, err := loadOrder(ctx, a.DB, in.Ref)
	if err != nil {
		return err
	}
	notice, message, err := a.preparedNotice(ctx, in, o)
	if err != nil || notice.ID == "" {
		return err
	}
	effect := in.effect(mobile.ActSendNotice.Of(notice.ID), mobile.PartnerSendGrid, mobile.SettleEvidenced)
	effect.Subject = notice.ID
	_, err = ledger{a.DB}.do(ctx, deed{
		effect: effect, back: closing(in.Kind),
		call: func(ctx context.Context, _ mobile.Effect) (string, error) { return a.SendGrid.Send(ctx, message) },
		keep: func(ctx context.Context, s *store.Store, e mobile.Effect) error {
			return s.NoticeSent(ctx, o.activation, notice, e.Reference)
		},
	})
	switch {
	case errors.Is(err, ErrOutcomeUnknown):
		return a.unheard(ctx, in, effect)
	case errors.Is(err, store.ErrCancelCameFirst), errors.Is(err, store.ErrActivationEnded):
		return nil // what it asks is no question any more
	case final(err):
		return a.mailItem(ctx, in, "SendGrid refused it: "+reasonOf(err))
	}
	return err
}

// NoteNotSent tells an operator that a mail did not go out in time.
func (a *Mails) NoteNotSent(ctx context.Context, in NoticeInput) error {
	return a.mailItem(ctx, in, "It could not be sent in time, and nobody tries any more.")
}

// closing tells whether a mail tells how it ended: it goes out also after a cancel.
func closing(kind mobile.NoticeKind) bool {
	return kind == mobile.NoticeDidNotWorkOut || kind == mobile.NoticeNumberMoved || kind == mobile.NoticePortalLink
}

// unheard waits for SendGrid's events to tell what became of a mail, and then asks an operator.
func (a *Mails) unheard(ctx context.Context, in NoticeInput, e mobile.Effect) error {
	sent, found, err := ledger{a.DB}.look(ctx, e)
	if err != nil || !found {
		return err
	}
	if wait := left(ctx, sent, in.Evidence); wait > 0 {
		return errLookLater.After(wait)
	}
	return a.mailItem(ctx, in, "It is not known whether it went out: SendGrid's answer was lost.")
}

// mailItem tells an operator that the customer may not have a mail.
func (a *Mails) mailItem(ctx context.Context, in NoticeInput, why string) error {
	return a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		return s.OpenItem(ctx, in.Tenant, mobile.Item{
			Activation: in.Activation, Kind: mobile.ItemMailNotDelivered, Reason: string(in.Kind), Detail: why,
		})
	})
}

// preparedNotice gives the notice with its message, made at the first attempt. It gives none
// when the question is not asked any more and nothing was made before.
func (a *Mails) preparedNotice(ctx context.Context, in NoticeInput, o order) (notice mobile.Notice, message []byte, err error) {
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		notice, message, err = s.NoticeFor(ctx, in.about())
		if !errors.Is(err, store.ErrNoticeNotFound) {
			return err
		}
		made, err := a.composeNotice(ctx, s, in, o)
		if err != nil || made == nil {
			return err
		}
		if notice, message, err = s.NoticeFor(ctx, in.about()); errors.Is(err, store.ErrNoticeNotFound) {
			return fmt.Errorf("a notice that was just prepared is not there: %w", err)
		}
		return err
	})
	return notice, message, err
}

func (in NoticeInput) about() store.NoticeAbout {
	return store.NoticeAbout{
		Tenant: in.Tenant, Activation: in.Activation, FollowUp: in.FollowUp, Kind: in.Kind, Revision: in.Revision, Turn: in.Turn,
	}
}

// composeNotice writes the mail, with a portal token of its own, and keeps it. It writes none
// about a question that is not open any more.
func (a *Mails) composeNotice(ctx context.Context, s *store.Store, in NoticeInput, o order) ([]byte, error) {
	m := mail.NoticeMail{
		NoticeID: uuid.Must(uuid.NewV7()).String(), ActivationID: in.Activation, Tenant: o.tenant, CustomerName: o.name(),
		To: o.email(), Kind: in.Kind,
	}
	if asks, err := a.fill(ctx, s, in, &m); err != nil || !asks {
		return nil, err
	}
	text, token, hash := a.NewToken(mobile.PrincipalPortal)
	token.Tenant, token.Activation, token.Name = in.Tenant, in.Activation, string(in.Kind)+" mail"
	token.Expires = activity.GetInfo(ctx).StartedTime.Add(portalLinkLifetime)
	m.PortalLink = portalLink(o.tenant, text)
	message, err := m.Compose()
	if err != nil {
		return nil, err
	}
	if err := s.InsertToken(ctx, token, hash); err != nil {
		return nil, err
	}
	n := mobile.Notice{ID: m.NoticeID, Kind: in.Kind, FollowUp: in.FollowUp, MaskedAddress: mobile.MaskEmail(m.To)}
	return message.Bytes(), s.PrepareNoticeFor(ctx, in.about(), n, message.Bytes())
}

// fill says what the mail is about, and tells whether there is something to say.
func (a *Mails) fill(ctx context.Context, s *store.Store, in NoticeInput, m *mail.NoticeMail) (bool, error) {
	port, err := s.Port(ctx, in.Activation)
	if err != nil {
		return false, err
	}
	m.Number = port.Number
	if donor, known := mobile.DonorByCode(port.Donor); known && donor.Code != mobile.DonorOther {
		m.DonorName = donor.Name
	}
	if closing(in.Kind) {
		m.Message = endInWords(in.Reason)
		return true, nil
	}
	p := port.Prompt
	if !p.Open() || p.Revision != in.Revision {
		return false, nil
	}
	q := question(port, p.Kind, p.Reason, mobile.PortingInfo{})
	m.Hint, m.Deadline, m.AttemptsLeft = q.DonorHint, p.Deadline, port.AttemptsLeft()
	if p.Kind != mobile.PromptProvideInfo {
		m.Message = q.Message
	}
	for _, field := range q.Form {
		if len(q.Refused) == 0 || field.Refused {
			m.Ask = append(m.Ask, field.Label)
		}
	}
	return true, nil
}

// endInWords says to a customer why it ended.
func endInWords(reason string) string {
	switch reason {
	case "CUSTOMER_SILENT":
		return "We asked you for a few details and have not heard from you."
	case "CANCELLED_BY_CUSTOMER":
		return "You have stopped it."
	case "":
		return "It was called off."
	}
	return "It could not be brought to an end."
}

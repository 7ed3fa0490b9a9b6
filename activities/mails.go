package activities

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"

	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// Mails sends notices to customers.
type Mails struct {
	DB       *store.DB
	SendGrid *mail.Client
	// NewToken makes a token for the customer's portal link: its text, what the record keeps
	// of it, and its hash.
	NewToken func(mobile.Principal) (text string, token mobile.Token, hash []byte)
}

// sendMail is the effect of handing a mail to SendGrid, which knows no keys: its events are
// the only evidence.
func sendMail(in Ref) mobile.Effect {
	return in.effect(mobile.ActSendMail, mobile.PartnerSendGrid, mobile.SettleEvidenced)
}

// SendActivationMail sends the Mobile Activation mail. The message is made once and kept
// sealed before it is sent, so that every attempt sends the same bytes; an attempt whose
// outcome is unknown is never repeated by itself.
func (a *Mails) SendActivationMail(ctx context.Context, in Ref) error {
	o, err := loadOrder(ctx, a.DB, in)
	if err != nil {
		return err
	}
	notice, message, err := a.prepared(ctx, in, o)
	if err != nil {
		return err
	}
	_, err = ledger{a.DB}.do(ctx, deed{
		effect: sendMail(in),
		call: func(ctx context.Context, _ mobile.Effect) (string, error) {
			return a.SendGrid.Send(ctx, message)
		},
		keep: func(ctx context.Context, s *store.Store, e mobile.Effect) error {
			return s.NoticeSent(ctx, o.activation, notice, e.Reference)
		},
	})
	if err == nil {
		say(ctx, "Sent to "+notice.MaskedAddress)
	}
	return err
}

// prepared gives the notice that the effect's latest generation is about, with its message:
// made at the first attempt, and once more for each deliberate repeat.
func (a *Mails) prepared(ctx context.Context, in Ref, o order) (notice mobile.Notice, message []byte, err error) {
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		effect, err := s.LockEffect(ctx, sendMail(in))
		switch {
		case err != nil:
			return err
		case effect.Subject == "":
			effect.Subject, err = a.make(ctx, s, in, o)
			if err != nil {
				return err
			}
			if err := s.AboutEffect(ctx, effect, effect.Subject); err != nil {
				return err
			}
		case effect.Next() == mobile.NextSend:
			if err := a.correct(ctx, s, in, o, effect.Subject); err != nil {
				return err
			}
		}
		notice, message, err = s.NoticeByID(ctx, in.Tenant, effect.Subject)
		return err
	})
	return notice, message, err
}

// correct writes a mail anew that has certainly not gone out, if name or address were corrected
// since: the code in it must not go to somebody else.
func (a *Mails) correct(ctx context.Context, s *store.Store, in Ref, o order, id string) error {
	_, err := s.HeldProfile(ctx, in.Activation, in.FollowUp)
	if errors.Is(err, store.ErrProfileNotFound) {
		return nil // a resend goes where it was said
	}
	if err != nil {
		return err
	}
	_, body, err := s.NoticeByID(ctx, in.Tenant, id)
	if err != nil {
		return err
	}
	message, err := mail.ParseMessage(body)
	if err != nil || message.To() == o.email() && strings.Contains(message.Text(), o.name()) {
		return err
	}
	made, err := a.compose(ctx, s, in, o, id)
	if err != nil {
		return err
	}
	return s.RewriteNotice(ctx, in.Tenant, in.Activation, mobile.Notice{ID: id, MaskedAddress: mobile.MaskEmail(o.email())}, made)
}

// make gives the notice that is to be sent: the one that waits to be sent, or a new one. What
// SendGrid refused is composed anew, because something in it was wrong; what it may have sent
// goes out again as it was, to the address on file now.
func (a *Mails) make(ctx context.Context, s *store.Store, in Ref, o order) (string, error) {
	last, message, err := s.Notice(ctx, in.Tenant, in.Activation, mobile.NoticeActivation, in.FollowUp)
	if errors.Is(err, store.ErrNoticeNotFound) {
		next := a.newNotice(in, o)
		made, err := a.compose(ctx, s, in, o, next.ID)
		if err != nil {
			return "", err
		}
		return next.ID, s.PrepareNotice(ctx, in.Tenant, in.Activation, next, made)
	}
	if err != nil {
		return "", err
	}
	before, sent, err := s.EffectAbout(ctx, mobile.ActSendMail, last.ID)
	switch {
	case err != nil:
		return "", err
	case !sent:
		return last.ID, nil
	}
	next := a.newNotice(in, o)
	_, err = s.HeldProfile(ctx, in.Activation, in.FollowUp)
	switch {
	case errors.Is(err, store.ErrProfileNotFound): // a resend, to the address that was said then
		next.MaskedAddress = last.MaskedAddress
		message, err = again(message, next.ID, "")
	case err != nil:
	case before.Verdict == mobile.VerdictRefused:
		message, err = a.compose(ctx, s, in, o, next.ID)
	default:
		message, err = again(message, next.ID, o.email())
	}
	if err != nil {
		return "", err
	}
	return next.ID, s.RepeatNotice(ctx, in.Tenant, in.Activation, next, message)
}

func (a *Mails) newNotice(in Ref, o order) mobile.Notice {
	return mobile.Notice{
		ID: uuid.Must(uuid.NewV7()).String(), Kind: mobile.NoticeActivation, FollowUp: in.FollowUp,
		MaskedAddress: mobile.MaskEmail(o.email()),
	}
}

// again is a message as it was, under another id.
func again(message []byte, id, to string) ([]byte, error) {
	before, err := mail.ParseMessage(message)
	if err != nil {
		return nil, err
	}
	after, err := before.Again(id, to)
	return after.Bytes(), err
}

// portalLinkLifetime is how long the link in a mail lets the customer in: the longest that
// CreatePortalLink gives. A dead link offers a new one.
const portalLinkLifetime = 30 * 24 * time.Hour

// compose writes the message and the portal token that its link carries.
func (a *Mails) compose(ctx context.Context, s *store.Store, in Ref, o order, id string) ([]byte, error) {
	profile, err := s.HeldProfile(ctx, in.Activation, in.FollowUp)
	if err != nil {
		return nil, err
	}
	code, err := s.ActivationCode(ctx, in.Tenant, profile)
	if err != nil {
		return nil, err
	}
	text, token, hash := a.NewToken(mobile.PrincipalPortal)
	token.Tenant, token.Activation, token.Name = in.Tenant, in.Activation, "Mobile Activation mail"
	token.Expires = activity.GetInfo(ctx).StartedTime.Add(portalLinkLifetime)
	m := mail.ActivationMail{
		NoticeID: id, ActivationID: in.Activation, Tenant: o.tenant, CustomerName: o.name(), To: o.email(),
		Number: o.activation.PhoneNumber, Code: code, PortalLink: portalLink(o.tenant, text),
	}
	if port := o.activation.Port; port != nil && o.activation.Live.IsZero() && port.Ordered {
		// The number still lives on the old SIM, which stays in until it has moved.
		m.Ported, m.Moves = true, port.Due
	}
	message, err := m.Compose()
	if err != nil {
		return nil, err
	}
	return message.Bytes(), s.InsertToken(ctx, token, hash)
}

// portalLink is the customer's own address in the tenant's portal.
func portalLink(tenant mobile.Tenant, token string) string {
	return strings.ReplaceAll(tenant.PortalURLTemplate, "{token}", token)
}

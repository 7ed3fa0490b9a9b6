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

// SendActivationMail sends the Mobile Activation mail. The message is made once and kept
// sealed before it is sent, so that every attempt sends the same bytes. SendGrid knows no
// keys, so an attempt whose outcome is unknown is never repeated: its events are the only
// evidence.
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
		effect: mobile.Effect{
			Tenant: in.Tenant, Activation: in.Activation, Act: mobile.ActSendMail,
			Partner: mobile.PartnerSendGrid, Settle: mobile.SettleEvidenced,
		},
		call: func(ctx context.Context, _ string) (string, error) { return a.SendGrid.Send(ctx, message) },
		keep: func(ctx context.Context, s *store.Store, reference string) error {
			return s.NoticeSent(ctx, o.activation, notice, reference)
		},
	})
	if err == nil {
		say(ctx, "Sent to "+notice.MaskedAddress)
	}
	return err
}

// portalLinkLifetime is how long the link in a mail lets the customer in: the longest that
// CreatePortalLink gives. A dead link offers a new one.
const portalLinkLifetime = 30 * 24 * time.Hour

// prepared gives the notice with its message, composed at the first attempt.
func (a *Mails) prepared(ctx context.Context, in Ref, o order) (notice mobile.Notice, message []byte, err error) {
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		notice, message, err = s.Notice(ctx, in.Tenant, in.Activation, mobile.NoticeActivation)
		if !errors.Is(err, store.ErrNoticeNotFound) {
			return err
		}
		if err := a.compose(ctx, s, in, o); err != nil {
			return err
		}
		notice, message, err = s.Notice(ctx, in.Tenant, in.Activation, mobile.NoticeActivation)
		return err
	})
	return notice, message, err
}

// compose writes the message and the portal token that its link carries.
func (a *Mails) compose(ctx context.Context, s *store.Store, in Ref, o order) error {
	profile, err := s.HeldProfile(ctx, in.Activation)
	if err != nil {
		return err
	}
	code, err := s.ActivationCode(ctx, in.Tenant, profile)
	if err != nil {
		return err
	}
	text, token, hash := a.NewToken(mobile.PrincipalPortal)
	token.Tenant, token.Activation, token.Name = in.Tenant, in.Activation, "Mobile Activation mail"
	token.Expires = activity.GetInfo(ctx).StartedTime.Add(portalLinkLifetime)
	id := uuid.Must(uuid.NewV7()).String()
	message, err := mail.ActivationMail{
		NoticeID: id, ActivationID: in.Activation, Tenant: o.tenant, CustomerName: o.name(), To: o.email(),
		Number: o.activation.PhoneNumber, Code: code,
		PortalLink: strings.ReplaceAll(o.tenant.PortalURLTemplate, "{token}", text),
	}.Compose()
	if err != nil {
		return err
	}
	if err := s.InsertToken(ctx, token, hash); err != nil {
		return err
	}
	return s.PrepareNotice(ctx, in.Tenant, in.Activation, mobile.Notice{
		ID: id, Kind: mobile.NoticeActivation, MaskedAddress: mobile.MaskEmail(o.email()),
	}, message.Bytes())
}

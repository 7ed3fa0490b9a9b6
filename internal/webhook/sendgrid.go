package webhook

import (
	"context"

	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// sendGridEvents stores a batch of SendGrid's events and moves the notices that they are
// about, in one transaction.
func (d *door) sendGridEvents(ctx context.Context, r received) error {
	events, err := mail.VerifyEvents(d.config.SendGrid, r.request.Header, r.body, r.now)
	if err != nil {
		return err
	}
	return d.config.DB.InSystem(ctx, func(s *store.Store) error {
		for _, event := range events {
			if err := keepMailEvent(ctx, s, event); err != nil {
				return err
			}
		}
		return nil
	})
}

// keepMailEvent stores one event. The body kept is our own reading of it, because the
// batch's own holds other people's mail too. Mail that others send through the same account
// is none of ours.
func keepMailEvent(ctx context.Context, s *store.Store, event mail.Event) error {
	if event.NoticeID == "" {
		return nil
	}
	fresh, err := s.KeepPartnerEvent(ctx, store.PartnerEvent{
		Partner: mobile.PartnerSendGrid, DedupKey: event.Key, Kind: string(event.Kind),
		Activation: event.ActivationID, Body: []byte(event.ReasonCode), Occurred: event.At,
	})
	if err != nil || !fresh {
		return err
	}
	switch event.Kind {
	case mail.EventDelivered:
		_, err = s.SettleNotice(ctx, event.NoticeID, mobile.NoticeDelivered, "")
	case mail.EventBounced, mail.EventDropped:
		_, err = s.SettleNotice(ctx, event.NoticeID, mobile.NoticeBounced, event.ReasonCode)
	case mail.EventProcessed, mail.EventDeferred, mail.EventSpamReport, mail.EventOther:
	}
	return err
}

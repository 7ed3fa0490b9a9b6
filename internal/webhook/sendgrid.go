package webhook

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

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
	// Mail that others send through the same account is none of ours.
	events = slices.DeleteFunc(events, func(e mail.Event) bool { return e.NoticeID == "" })
	// Two batches take the same rows in the same order, so that neither waits for the other
	// crosswise.
	slices.SortStableFunc(events, func(a, b mail.Event) int {
		return cmp.Or(cmp.Compare(a.ActivationID, b.ActivationID), cmp.Compare(a.NoticeID, b.NoticeID), a.At.Compare(b.At))
	})
	return d.config.DB.InSystem(ctx, func(s *store.Store) error {
		for _, event := range events {
			if err := keepMailEvent(ctx, s, event); err != nil {
				return err
			}
		}
		return nil
	})
}

// keptMailEvent is what is kept of an event: our own reading of it, because the batch's body
// holds other people's mail, and free text that quotes addresses.
type keptMailEvent struct {
	NoticeID  string `json:"notice_id"`
	MessageID string `json:"message_id"`
	Reason    string `json:"reason,omitempty"`
}

// keepMailEvent stores one event, and moves the notice that it is about.
func keepMailEvent(ctx context.Context, s *store.Store, event mail.Event) error {
	body, err := json.Marshal(keptMailEvent{NoticeID: event.NoticeID, MessageID: event.MessageID, Reason: event.ReasonCode})
	if err != nil {
		return fmt.Errorf("write a mail event: %w", err)
	}
	fresh, err := s.KeepPartnerEvent(ctx, store.PartnerEvent{
		Partner: mobile.PartnerSendGrid, DedupKey: event.Key, Kind: string(event.Kind),
		Activation: event.ActivationID, Body: body, Occurred: event.At,
	})
	if err != nil || !fresh {
		return err
	}
	_, err = s.HearOfNotice(ctx, store.NoticeWord{
		Notice: event.NoticeID, State: became(event.Kind), Reason: event.ReasonCode, MessageID: event.MessageID, At: event.At,
	})
	return err
}

// became is the state of a notice after an event; empty when it says no more than that
// SendGrid has the mail.
func became(kind mail.EventKind) mobile.NoticeState {
	switch kind {
	case mail.EventDelivered:
		return mobile.NoticeDelivered
	case mail.EventBounced, mail.EventDropped:
		return mobile.NoticeBounced
	case mail.EventProcessed, mail.EventDeferred, mail.EventSpamReport, mail.EventOther:
	}
	return ""
}

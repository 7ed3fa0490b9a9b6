package webhook

import (
	"context"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// carrierEvent stores an event of the carrier and wakes the run that it is about. One that
// matches nothing of ours is kept unmatched and answered like any other: the carrier cannot
// mend that by repeating it.
func (d *door) carrierEvent(ctx context.Context, r received) error {
	event, err := d.config.Carrier.VerifyEvent(r.request.Header, r.body, r.now)
	if err != nil {
		return err
	}
	return d.config.DB.InSystem(ctx, func(s *store.Store) error {
		if event.Port != nil {
			_, err := s.TakePortEvent(ctx, portEvent(event, r.body))
			return err
		}
		return keepLineEvent(ctx, s, event, r.body)
	})
}

// keepLineEvent stores an event about a line, which has its activation's name, or about what
// this version does not know. It is a hint: the run that it wakes reads the line.
func keepLineEvent(ctx context.Context, s *store.Store, event carrier.Event, body []byte) error {
	e := kept(event, body)
	e.Activation = mobile.ActivationID(event.ExternalID)
	fresh, err := s.KeepPartnerEvent(ctx, e)
	if err != nil || !fresh {
		return err
	}
	return s.WakeRun(ctx, e.Activation)
}

// portEvent is what an event says of a port. It is told by the port's state, not by the name
// of the event, which may be one that this version does not know. Whether the event may be
// heeded, the record decides, where the port is held meanwhile.
func portEvent(event carrier.Event, body []byte) store.PortEvent {
	p := event.Port
	return store.PortEvent{
		PartnerEvent: kept(event, body), ExternalID: p.ExternalID, Word: mobile.PortWord(p.State), Reason: p.Reason,
		Code: p.Code, Message: p.Message, Reference: p.Reference, Due: p.Due, At: p.At, Number: p.Number,
		ICCID: mobile.ICCID(p.ICCID), Ahead: carrier.EventTolerance,
	}
}

// kept is what is kept of every event of the carrier: the same id is the same event.
func kept(event carrier.Event, body []byte) store.PartnerEvent {
	return store.PartnerEvent{
		Partner: mobile.PartnerCarrier, DedupKey: event.ID, Kind: event.Type, Body: body, Occurred: event.At,
	}
}

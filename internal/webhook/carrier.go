package webhook

import (
	"context"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// carrierEvent stores an event of the carrier and wakes the run that it is about. One that
// matches no activation is kept unmatched and answered like any other: the carrier cannot
// mend that by repeating it.
func (d *door) carrierEvent(ctx context.Context, r received) error {
	event, err := d.config.Carrier.VerifyEvent(r.request.Header, r.body, r.now)
	if err != nil {
		return err
	}
	activation := mobile.ActivationID(event.ExternalID)
	return d.config.DB.InSystem(ctx, func(s *store.Store) error {
		fresh, err := s.KeepPartnerEvent(ctx, store.PartnerEvent{
			Partner: mobile.PartnerCarrier, DedupKey: event.ID, Kind: event.Type,
			Activation: activation, Body: r.body, Occurred: event.At,
		})
		if err != nil || !fresh {
			return err
		}
		return s.WakeRun(ctx, activation)
	})
}

package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/activity"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// changeSIM is the effect of putting another eSIM on the line.
func changeSIM(in Ref) mobile.Effect {
	return in.effect(mobile.ActChangeSIM, mobile.PartnerCarrier, mobile.SettleKeyed)
}

// replacement is what a follow-up puts on the line: the new profile, and the phone it is for.
type replacement struct {
	followUp mobile.FollowUp
	profile  mobile.Profile
	phone    mobile.IMEI
}

func (a *Lines) replacement(ctx context.Context, in Ref) (r replacement, err error) {
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if r.followUp, err = s.FollowUp(ctx, in.Tenant, in.FollowUp); err != nil {
			return err
		}
		if r.profile, err = s.HeldProfile(ctx, in.Activation, in.FollowUp); err != nil {
			return err
		}
		activation, err := s.Activation(ctx, in.Tenant, store.Key{ID: in.Activation})
		r.phone = activation.IMEI
		if r.followUp.IMEI != "" {
			r.phone = r.followUp.IMEI
		}
		return err
	})
	return r, err
}

// ChangeSIM puts the follow-up's profile on the line. From here on the old one is dead.
func (a *Lines) ChangeSIM(ctx context.Context, in Ref) error {
	r, err := a.replacement(ctx, in)
	if err != nil {
		return err
	}
	iccid := string(r.profile.ICCID)
	d := a.deed(changeSIM(in), func(found carrier.Line) bool { return found.ICCID == iccid })
	d.call = func(ctx context.Context, e mobile.Effect) (string, error) {
		line, err := a.Carrier.ChangeSIM(ctx, e.Key(), carrier.SIMChange{
			ExternalID: string(in.Activation), ICCID: iccid, IMEI: string(r.phone),
		})
		return line.Reference, err
	}
	_, err = ledger{a.DB}.do(ctx, d)
	return err
}

// ConfirmSIM reads the line and makes the new profile the activation's own once the line shows
// it. Until then it is looked at again by the engine's own retry.
func (a *Lines) ConfirmSIM(ctx context.Context, in ConfirmInput) error {
	r, err := a.replacement(ctx, in.Ref)
	if err != nil {
		return err
	}
	line, err := a.Carrier.ReadLine(ctx, string(in.Activation))
	switch {
	case errors.Is(err, carrier.ErrLineNotFound):
		return errLineNotOurs
	case err != nil:
		return err
	case line.State != carrier.StateActive:
		return errLineNotOurs
	case line.ICCID != string(r.profile.ICCID):
		return errComingUp.After(in.Every)
	}
	adopted := activity.GetInfo(ctx).StartedTime
	return a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if err := s.AdoptProfile(ctx, r.profile, adopted); err != nil {
			return err
		}
		return s.ChangeDevice(ctx, in.Tenant, in.Activation, r.phone)
	})
}

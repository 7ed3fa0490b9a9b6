package activities

import (
	"context"
	"errors"

	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// GiveBackProfile cancels the order of the profile that was taken: nothing when none was ever
// ordered. A profile that nobody outside has seen becomes available again; one that was
// downloaded, or named to the carrier, is retired for ever. It refuses ErrOutcomeUnknown
// when it is not known whether there is a profile to give back.
func (a *Profiles) GiveBackProfile(ctx context.Context, in Ref) error {
	l := ledger{a.DB}
	ordered, found, err := l.look(ctx, orderProfile(in))
	if err != nil {
		return err
	}
	if found && ordered.MayHaveHappened() && ordered.Settle.Repeatable() && ordered.Verdict != mobile.VerdictYes {
		if err := a.onItsWay(ctx, ordered); err != nil {
			return err
		}
		// The same order again is the same act, and tells what became of it.
		if ordered, err = a.orderAgain(ctx, in); err != nil {
			return err
		}
	}
	if !found || !ordered.MayHaveHappened() {
		return a.putBack(ctx, in, ordered)
	}
	profile, matchingID, err := a.held(ctx, in)
	switch {
	case errors.Is(err, store.ErrProfileNotFound):
		return ErrOutcomeUnknown
	case err != nil:
		return err
	}
	if matchingID, err = a.confirmed(ctx, in, matchingID); err != nil {
		return err
	}
	named, err := a.named(ctx, in)
	if err != nil {
		return err
	}
	if named || profile.InstallState != mobile.InstallNotDownloaded {
		return a.cancel(ctx, in, mobile.ActCancelProfile, profile, matchingID, esim.Unavailable)
	}
	return a.cancel(ctx, in, mobile.ActCancelProfile, profile, matchingID, esim.Available)
}

// onItsWay asks for patience with an act whose answer was lost: arriving after it was taken
// back, it would take the profile from the next who has it.
func (a *Profiles) onItsWay(ctx context.Context, e mobile.Effect) error {
	if wait := left(ctx, e, sendWithin+a.CallTimeout); wait > 0 {
		return errStillOnItsWay.After(wait)
	}
	return nil
}

// orderAgain repeats an order of our stock whose outcome is not known, and reads what is known
// then. A refusal is an outcome like any other here.
func (a *Profiles) orderAgain(ctx context.Context, in Ref) (mobile.Effect, error) {
	o, err := loadOrder(ctx, a.DB, in)
	if err != nil {
		return mobile.Effect{}, err
	}
	if err := a.order(ctx, in, o.activation.ProfileType); err != nil && !final(err) {
		return mobile.Effect{}, err
	}
	ordered, _, err := ledger{a.DB}.look(ctx, orderProfile(in))
	return ordered, err
}

// putBack gives back what was taken of our own stock and never ordered; with nothing taken
// there is nothing to do.
func (a *Profiles) putBack(ctx context.Context, in Ref, ordered mobile.Effect) error {
	say(ctx, "No eSIM was ordered")
	if ordered.Subject == "" {
		return nil
	}
	return a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		profile, err := s.ProfileByID(ctx, ordered.Subject)
		if err != nil {
			return err
		}
		state, why := mobile.ProfileReturned, ""
		if ordered.Verdict == mobile.VerdictRefused {
			state, why = mobile.ProfileRetired, "The SM-DP+ refused its order: "+ordered.Code
		}
		return s.GiveBackProfile(ctx, profile, state, why)
	})
}

// confirmed gives the matching id if the order was confirmed under it, and nothing otherwise:
// the SM-DP+ knows an order that was never confirmed by its ICCID alone. Where it is not known,
// the same confirmation again tells.
func (a *Profiles) confirmed(ctx context.Context, in Ref, matchingID string) (string, error) {
	l := ledger{a.DB}
	effect, found, err := l.look(ctx, confirmProfile(in))
	if err != nil || !found || !effect.MayHaveHappened() {
		return "", err
	}
	if effect.Verdict != mobile.VerdictYes {
		if err := a.onItsWay(ctx, effect); err != nil {
			return "", err
		}
		if err := a.confirm(ctx, in); err != nil && !final(err) {
			return "", err
		}
		if effect, _, err = l.look(ctx, confirmProfile(in)); err != nil || effect.Verdict != mobile.VerdictYes {
			return "", err
		}
	}
	return matchingID, nil
}

// named tells whether the carrier was told the profile's ICCID.
func (a *Profiles) named(ctx context.Context, in Ref) (bool, error) {
	told := activateLine(in)
	if in.FollowUp != "" {
		told = changeSIM(in)
	}
	effect, found, err := ledger{a.DB}.look(ctx, told)
	if err != nil || found && effect.Fence > 0 {
		return true, err
	}
	var ordered bool
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		ordered, err = s.PortOrdered(ctx, in.Activation)
		return err
	})
	return ordered && in.FollowUp == "", err
}

// RetireProfile takes the profile that was replaced out of the world: it is on no line any
// more, and nobody may have it again.
func (a *Profiles) RetireProfile(ctx context.Context, in Ref) error {
	var old mobile.Profile
	var matchingID string
	err := a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) (err error) {
		if old, err = s.ReplacedProfile(ctx, in.Activation, in.FollowUp); err != nil {
			return err
		}
		matchingID, err = s.MatchingID(ctx, in.Tenant, old)
		return err
	})
	switch {
	case errors.Is(err, store.ErrProfileNotFound):
		return nil // it was given back before
	case err != nil:
		return err
	}
	return a.cancel(ctx, in, mobile.ActRetireProfile, old, matchingID, esim.Unavailable)
}

// cancel cancels a profile's order at the SM-DP+ and says what became of the profile.
func (a *Profiles) cancel(ctx context.Context, in Ref, act mobile.Act, profile mobile.Profile, matchingID string, final esim.Final) error {
	state, why := mobile.ProfileReturned, ""
	if final == esim.Unavailable {
		state, why = mobile.ProfileRetired, "It was downloaded, or the carrier knew it"
	}
	_, err := ledger{a.DB}.do(ctx, deed{
		effect: in.effect(act, mobile.PartnerSMDPPlus, mobile.SettleKeyed), back: true,
		call: func(ctx context.Context, e mobile.Effect) (string, error) {
			return "", a.SMDP.CancelOrder(ctx, esim.CancelOrder{
				CallID: e.Key(), ICCID: profile.ICCID, MatchingID: matchingID, Final: final,
			})
		},
		keep: func(ctx context.Context, s *store.Store, _ mobile.Effect) error {
			return s.GiveBackProfile(ctx, profile, state, why)
		},
	})
	switch {
	case errors.Is(err, mobile.ErrProfileInUse):
		// It is in a phone: the SM-DP+ cannot take it back, and nobody else may have it.
		say(ctx, "The eSIM is in a phone and was retired")
		return a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
			return s.GiveBackProfile(ctx, profile, mobile.ProfileRetired, "It is in a phone")
		})
	case err != nil:
		return err
	}
	say(ctx, "The eSIM was given back")
	return nil
}

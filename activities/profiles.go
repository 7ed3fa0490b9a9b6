package activities

import (
	"context"
	"crypto/rand"
	"errors"
	"io"

	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// Profiles acts at the SM-DP+.
type Profiles struct {
	DB   *store.DB
	SMDP *esim.Client
	// Random draws matching ids; crypto/rand.Reader when nil.
	Random io.Reader
}

// orderProfile is the effect of downloadOrder. By profile type each order allots a profile
// of its own, so a repeat would leak one, and nothing tells afterwards: blind.
func orderProfile(in Ref) mobile.Effect {
	return mobile.Effect{
		Tenant: in.Tenant, Activation: in.Activation, Act: mobile.ActOrderProfile,
		Partner: mobile.PartnerSMDPPlus, Settle: mobile.SettleBlind,
	}
}

// ReserveProfile orders an eSIM and makes it downloadable under a matching id of ours.
func (a *Profiles) ReserveProfile(ctx context.Context, in Ref) error {
	o, err := loadOrder(ctx, a.DB, in)
	if err != nil {
		return err
	}
	if err := a.order(ctx, in, o); err != nil {
		return err
	}
	return a.confirm(ctx, in)
}

func (a *Profiles) order(ctx context.Context, in Ref, o order) error {
	matchingID, err := esim.NewMatchingID(a.random())
	if err != nil {
		return err
	}
	_, err = ledger{a.DB}.do(ctx, deed{
		effect: orderProfile(in),
		call: func(ctx context.Context, key string) (string, error) {
			iccid, err := a.SMDP.DownloadOrder(ctx, esim.DownloadOrder{CallID: key, ProfileType: o.activation.ProfileType})
			return string(iccid), err
		},
		keep: func(ctx context.Context, s *store.Store, reference string) error {
			_, err := s.ReserveProfile(ctx, in.Tenant, mobile.Profile{
				Activation: in.Activation, ICCID: mobile.ICCID(reference), ProfileType: o.activation.ProfileType,
			}, matchingID)
			return err
		},
	})
	return err
}

func (a *Profiles) confirm(ctx context.Context, in Ref) error {
	profile, matchingID, err := a.held(ctx, in)
	if err != nil {
		return err
	}
	var code mobile.ActivationCode
	_, err = ledger{a.DB}.do(ctx, deed{
		effect: mobile.Effect{
			Tenant: in.Tenant, Activation: in.Activation, Act: mobile.ActConfirmProfile,
			Partner: mobile.PartnerSMDPPlus, Settle: mobile.SettleKeyed,
		},
		call: func(ctx context.Context, key string) (string, error) {
			code, err = a.SMDP.ConfirmOrder(ctx, esim.ConfirmOrder{CallID: key, ICCID: profile.ICCID, MatchingID: matchingID})
			return "", err
		},
		keep: func(ctx context.Context, s *store.Store, _ string) error {
			return s.ReleaseProfile(ctx, in.Tenant, profile, code)
		},
	})
	if err == nil {
		say(ctx, "ICCID ending "+profile.ICCID.Last4())
	}
	return err
}

// held reads the activation's profile and its matching id.
func (a *Profiles) held(ctx context.Context, in Ref) (profile mobile.Profile, matchingID string, err error) {
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if profile, err = s.HeldProfile(ctx, in.Activation); err != nil {
			return err
		}
		matchingID, err = s.MatchingID(ctx, in.Tenant, profile)
		return err
	})
	return profile, matchingID, err
}

// GiveBackProfile cancels the order of the activation's profile: nothing when none was ever
// ordered. A profile that nobody outside has seen becomes available again; one that was
// downloaded, or named to the carrier, is retired for ever. It refuses ErrOutcomeUnknown
// when it is not known whether there is a profile to give back.
func (a *Profiles) GiveBackProfile(ctx context.Context, in Ref) error {
	l := ledger{a.DB}
	ordered, found, err := l.look(ctx, orderProfile(in))
	switch {
	case err != nil:
		return err
	case !found || !ordered.MayHaveHappened():
		say(ctx, "No eSIM was ordered")
		return nil
	}
	profile, matchingID, err := a.held(ctx, in)
	switch {
	case errors.Is(err, store.ErrProfileNotFound):
		return ErrOutcomeUnknown
	case err != nil:
		return err
	}
	named, sent, err := l.look(ctx, activateLine(in))
	if err != nil {
		return err
	}
	final, state := esim.Available, mobile.ProfileReturned
	if profile.InstallState != mobile.InstallNotDownloaded || sent && named.Fence > 0 {
		final, state = esim.Unavailable, mobile.ProfileRetired
	}
	_, err = l.do(ctx, deed{
		effect: mobile.Effect{
			Tenant: in.Tenant, Activation: in.Activation, Act: mobile.ActCancelProfile,
			Partner: mobile.PartnerSMDPPlus, Settle: mobile.SettleKeyed,
		},
		call: func(ctx context.Context, key string) (string, error) {
			return "", a.SMDP.CancelOrder(ctx, esim.CancelOrder{
				CallID: key, ICCID: profile.ICCID, MatchingID: matchingID, Final: final,
			})
		},
		keep: func(ctx context.Context, s *store.Store, _ string) error {
			return s.GiveBackProfile(ctx, profile, state)
		},
	})
	switch {
	case errors.Is(err, mobile.ErrProfileInUse):
		// It is in a phone: the SM-DP+ cannot take it back, and nobody else may have it.
		say(ctx, "The eSIM is in a phone and was retired")
		return a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
			return s.GiveBackProfile(ctx, profile, mobile.ProfileRetired)
		})
	case err != nil:
		return err
	}
	say(ctx, "The eSIM was given back")
	return nil
}

func (a *Profiles) random() io.Reader {
	if a.Random != nil {
		return a.Random
	}
	return rand.Reader
}

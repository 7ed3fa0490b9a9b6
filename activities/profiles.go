package activities

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"time"

	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// Profiles acts at the SM-DP+.
type Profiles struct {
	DB   *store.DB
	SMDP *esim.Client
	// CallTimeout is how long one call to the SM-DP+ may take: the client's own bound.
	CallTimeout time.Duration
	// Random draws matching ids; crypto/rand.Reader when nil.
	Random io.Reader
}

// orderProfile is the effect of downloadOrder. By profile type each order allots a profile
// of its own, so a repeat would leak one, and nothing tells afterwards: blind. For an ICCID
// of our stock it is keyed, which is decided when it is first sent.
func orderProfile(in Ref) mobile.Effect {
	return in.effect(mobile.ActOrderProfile, mobile.PartnerSMDPPlus, mobile.SettleBlind)
}

// ReserveProfile orders an eSIM and makes it downloadable under a matching id of ours.
func (a *Profiles) ReserveProfile(ctx context.Context, in Ref) error {
	o, err := loadOrder(ctx, a.DB, in)
	if err != nil {
		return err
	}
	if err := a.order(ctx, in, o.activation.ProfileType); err != nil {
		return err
	}
	return a.confirm(ctx, in)
}

// order orders a profile of the type: one of our stock, by its ICCID, while there is any.
func (a *Profiles) order(ctx context.Context, in Ref, profileType string) error {
	matchingID, err := esim.NewMatchingID(a.random())
	if err != nil {
		return err
	}
	var stock mobile.Profile
	_, err = ledger{a.DB}.do(ctx, deed{
		effect: orderProfile(in), back: in.Part == PartUndo,
		prepare: func(ctx context.Context, s *store.Store, e mobile.Effect) (mobile.Effect, error) {
			taken, found, err := s.TakeProfile(ctx, in.Tenant, profileType, in.Activation, in.FollowUp, matchingID)
			// Said anew for each generation: one of our stock may be followed by one by type.
			e.Settle = mobile.SettleBlind
			if found {
				e.Subject, e.Settle = taken.ID, mobile.SettleKeyed
			}
			return e, err
		},
		call: func(ctx context.Context, e mobile.Effect) (string, error) {
			if stock, err = a.stock(ctx, in, e); err != nil {
				return "", err
			}
			iccid, err := a.SMDP.DownloadOrder(ctx, esim.DownloadOrder{CallID: e.Key(), ICCID: stock.ICCID, ProfileType: profileType})
			return string(iccid), ofStock(stock, err)
		},
		keep: func(ctx context.Context, s *store.Store, e mobile.Effect) error {
			if stock.ID != "" {
				return s.ProfileOrdered(ctx, stock, e.Key())
			}
			_, err := s.ReserveProfile(ctx, in.Tenant, mobile.Profile{
				Activation: in.Activation, FollowUp: in.FollowUp, ICCID: mobile.ICCID(e.Reference), ProfileType: profileType,
				OrderReference: e.Key(),
			}, matchingID)
			return err
		},
	})
	return err
}

// stock reads the profile of our stock that an order is about; none when it is by type.
func (a *Profiles) stock(ctx context.Context, in Ref, e mobile.Effect) (p mobile.Profile, err error) {
	if e.Subject == "" {
		return p, nil
	}
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		p, err = s.ProfileByID(ctx, e.Subject)
		return err
	})
	return p, err
}

// ofStock says of a refused order for an ICCID of our stock that the stock is wrong: that is
// for an operator, and no fault of the customer's.
func ofStock(stock mobile.Profile, err error) error {
	p, ok := errors.AsType[*mobile.PartnerError](err)
	if !ok || p.Verdict != mobile.VerdictRefused || stock.ID == "" {
		return err
	}
	wrong := *p
	wrong.Reason = mobile.ErrStockRefused
	return &wrong
}

func (a *Profiles) confirm(ctx context.Context, in Ref) error {
	profile, matchingID, err := a.held(ctx, in)
	if err != nil {
		return err
	}
	var code mobile.ActivationCode
	_, err = ledger{a.DB}.do(ctx, deed{
		effect: confirmProfile(in), back: in.Part == PartUndo,
		call: func(ctx context.Context, e mobile.Effect) (string, error) {
			code, err = a.SMDP.ConfirmOrder(ctx, esim.ConfirmOrder{CallID: e.Key(), ICCID: profile.ICCID, MatchingID: matchingID})
			return "", err
		},
		keep: func(ctx context.Context, s *store.Store, _ mobile.Effect) error {
			return s.ReleaseProfile(ctx, in.Tenant, profile, code)
		},
	})
	if err == nil {
		say(ctx, "ICCID ending "+profile.ICCID.Last4())
	}
	return err
}

// confirmProfile is the effect of confirmOrder.
func confirmProfile(in Ref) mobile.Effect {
	return in.effect(mobile.ActConfirmProfile, mobile.PartnerSMDPPlus, mobile.SettleKeyed)
}

// held reads the profile that was taken for the activation, or for the follow-up, and its
// matching id.
func (a *Profiles) held(ctx context.Context, in Ref) (profile mobile.Profile, matchingID string, err error) {
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if profile, err = s.HeldProfile(ctx, in.Activation, in.FollowUp); err != nil {
			return err
		}
		matchingID, err = s.MatchingID(ctx, in.Tenant, profile)
		return err
	})
	return profile, matchingID, err
}

func (a *Profiles) random() io.Reader {
	if a.Random != nil {
		return a.Random
	}
	return rand.Reader
}

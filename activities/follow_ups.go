package activities

import (
	"context"
	"errors"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// OpenedFollowUp is what a run must know of its follow-up.
type OpenedFollowUp struct {
	Kind         mobile.FollowUpKind   `json:"kind"`
	Subscription mobile.SubscriptionID `json:"subscription"`
	// Ended tells that it ended before: there is nothing to do.
	Ended mobile.FollowUpState `json:"ended,omitempty"`
	// Lost tells that another run held it.
	Lost bool `json:"lost,omitempty"`
}

// OpenFollowUp claims a follow-up for a run.
func (r *Record) OpenFollowUp(ctx context.Context, in OpenInput) (opened OpenedFollowUp, err error) {
	err = r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		f, err := s.OpenFollowUp(ctx, in.Tenant, in.FollowUp, in.RunID)
		opened.Lost = errors.Is(err, store.ErrNotThisRun)
		if err != nil && !opened.Lost {
			return err
		}
		a, err := s.Activation(ctx, in.Tenant, store.Key{ID: f.Activation})
		if err != nil {
			return err
		}
		opened.Kind, opened.Subscription = f.Kind, a.Subscription
		if f.State != mobile.FollowUpOpen {
			opened.Ended = f.State
		}
		return nil
	})
	return opened, err
}

// EndFollowUpInput says how a follow-up ended.
type EndFollowUpInput struct {
	Ref
	To mobile.FollowUpState `json:"to"`
	At time.Time            `json:"at"`
}

// EndFollowUp ends a follow-up.
func (r *Record) EndFollowUp(ctx context.Context, in EndFollowUpInput) error {
	return r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		f, err := s.FollowUp(ctx, in.Tenant, in.FollowUp)
		if err != nil {
			return err
		}
		return s.EndFollowUp(ctx, f, in.To, in.At)
	})
}

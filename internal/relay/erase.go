package relay

import (
	"context"
	"time"

	"github.com/dialtone/dialtone/internal/store"
)

const (
	eraseAfterDefault = 24 * time.Hour
	// eraseParts is into how many looks the wait is divided: every 5 min at its default.
	eraseParts = 288
	// erasedAtOnce bounds one transaction that erases.
	erasedAtOnce = 50
)

// erase removes what customers gave for a port, and what was said about it, once it has ended
// long enough ago that nobody needs it to talk with the donor.
func (r *Relay) erase(ctx context.Context) {
	ticker := time.NewTicker(max(r.eraseAfter/eraseParts, time.Millisecond))
	defer ticker.Stop()
	for ctx.Err() == nil {
		r.erasePass(ctx)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

func (r *Relay) erasePass(ctx context.Context) {
	for found := erasedAtOnce; found == erasedAtOnce; {
		err := r.db.InSystem(ctx, func(s *store.Store) (err error) {
			found, err = s.ErasePorts(ctx, r.eraseAfter, erasedAtOnce)
			return err
		})
		if err != nil {
			r.complain(ctx, "cannot erase what was given for ports", err)
			return
		}
		r.metrics.erased.Add(float64(found))
	}
}

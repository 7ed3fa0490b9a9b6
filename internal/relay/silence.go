package relay

import (
	"context"
	"time"

	"github.com/dialtone/dialtone/internal/store"
)

const (
	noWordAfterDefault = 24 * time.Hour
	// silenceParts is into how many looks the wait for a word is divided: every 5 min at its
	// default.
	silenceParts = 288
	// silentAtOnce bounds one transaction that moves notices.
	silentAtOnce = 50
)

// silence says of mails from which nothing is heard for too long that there is no word, so
// that an operator looks.
func (r *Relay) silence(ctx context.Context) {
	ticker := time.NewTicker(max(r.noWordAfter/silenceParts, time.Millisecond))
	defer ticker.Stop()
	for ctx.Err() == nil {
		r.silencePass(ctx)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

func (r *Relay) silencePass(ctx context.Context) {
	for found := silentAtOnce; found == silentAtOnce; {
		err := r.db.InSystem(ctx, func(s *store.Store) (err error) {
			found, err = s.NoWord(ctx, r.noWordAfter, silentAtOnce)
			return err
		})
		if err != nil {
			r.complain(ctx, "cannot look for mails without word", err)
			return
		}
	}
}

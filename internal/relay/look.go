package relay

import (
	"context"
	"errors"
	"time"

	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

const (
	// lookPace is the wait between two looks: a relay asks the engine at most twenty times a
	// second, however many are open. That is enough for seventy thousand in an hour.
	lookPace = 50 * time.Millisecond
	// lookBatch is how many looks are claimed at once: they are over before their lease is,
	// also while the engine is slow.
	lookBatch = 5
)

// lookTimes are what follows from how old a look may become.
type lookTimes struct {
	// due is how old a look is when the next one is due: less than it may become, because the
	// next one has to wait for its turn.
	due time.Duration
	// pause is the wait between two passes, and how long a claim holds.
	pause time.Duration
}

func newLookTimes(every time.Duration) lookTimes {
	return lookTimes{due: every - every/6, pause: max(every/60, time.Millisecond)}
}

// look looks after the open: it makes sure that the engine has a run of each, and starts a
// lost one again.
func (r *Relay) look(ctx context.Context) {
	pace := time.NewTicker(lookPace)
	defer pace.Stop()
	pause := time.NewTicker(r.looks.pause)
	defer pause.Stop()
	for ctx.Err() == nil {
		more := r.lookPass(ctx, pace.C)
		r.measureLooks(ctx)
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
}

// lookPass looks at a batch of those that have waited longest, and tells whether there may be
// more. What it does not come to is due again when its claim ends.
func (r *Relay) lookPass(ctx context.Context, pace <-chan time.Time) (more bool) {
	var looks []store.Message
	err := r.db.InSystem(ctx, func(s *store.Store) (err error) {
		looks, err = s.ClaimLooks(ctx, store.Looks{Limit: lookBatch, Age: r.looks.due, Lease: r.looks.pause})
		return err
	})
	if err != nil {
		r.complain(ctx, "cannot read which runs are to be looked at", err)
		return false
	}
	for _, m := range looks {
		select {
		case <-ctx.Done():
			return false
		case <-pace:
		}
		if !r.lookAt(ctx, m) {
			return false
		}
	}
	return len(looks) > 0
}

// lookAt looks at one and notes that. It tells whether to go on: while the engine is down,
// another look would see no more.
func (r *Relay) lookAt(ctx context.Context, m store.Message) (goOn bool) {
	err := r.lookAfter(ctx, m)
	switch {
	case ctx.Err() != nil:
		return false
	case errors.Is(err, workflows.ErrEngineDown):
		r.noteDown(ctx, err)
		r.metrics.failed.WithLabelValues(reasonOf(err)).Inc()
		return false
	case err != nil:
		r.logger.ErrorContext(ctx, "a run cannot be looked at", "activation_id", m.Activation, "tenant", m.Tenant,
			"reason", reasonOf(err), "cause", err)
		r.metrics.failed.WithLabelValues(reasonOf(err)).Inc()
		return true
	}
	r.noteUp(ctx)
	if err := r.db.InSystem(ctx, func(s *store.Store) error { return s.Looked(ctx, m) }); err != nil {
		// It is looked at again when its claim ends, which does no harm.
		r.complain(ctx, "cannot note a look", err)
	}
	return true
}

// lookAfter makes sure that the engine has the run that a message would start.
func (r *Relay) lookAfter(ctx context.Context, m store.Message) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	run, err := r.engine.Alive(ctx, m.WorkflowID)
	if err == nil && run == "" {
		err = r.takeUp(ctx, m)
	}
	return outage(err)
}

// takeUp starts the run of something open again that has lost its own. That one finds the
// claim of the first and asks an operator before it does anything. What has ended needs no
// run: it may have ended a moment ago.
func (r *Relay) takeUp(ctx context.Context, m store.Message) error {
	var ended bool
	err := r.db.InSystem(ctx, func(s *store.Store) (err error) {
		ended, err = s.Ended(ctx, m)
		return err
	})
	if err != nil || ended {
		return err
	}
	if err := r.start(ctx, m); err != nil {
		return err
	}
	r.metrics.lost.Inc()
	r.logger.WarnContext(ctx, "a run was lost, and another was started", "activation_id", m.Activation, "tenant", m.Tenant,
		"workflow_id", m.WorkflowID)
	return nil
}

// replace ends the run that is there, because somebody said that it cannot go on, and starts
// another. Carried again, it ends no other run than the one that it found at first.
func (r *Relay) replace(ctx context.Context, m store.Message) error {
	there, err := r.engine.Alive(ctx, m.WorkflowID)
	if err != nil {
		return err
	}
	var meant string
	var ended bool
	err = r.db.InSystem(ctx, func(s *store.Store) (err error) {
		if ended, err = s.Ended(ctx, m); err != nil || ended {
			return err
		}
		meant, err = s.RunToReplace(ctx, m, there)
		return err
	})
	switch {
	case err != nil || ended:
		return err
	case there != "" && there != meant:
		return nil // it is replaced already
	case there != "":
		return r.endAndStart(ctx, m, meant)
	case meant != "":
		return r.start(ctx, m) // it was ended by the first try
	}
	return r.takeUp(ctx, m)
}

func (r *Relay) endAndStart(ctx context.Context, m store.Message, run string) error {
	err := r.engine.Terminate(ctx, workflows.Terminate{
		WorkflowID: m.WorkflowID, RunID: run, Reason: "replaced by another run, as request " + m.IntakeID + " asked",
	})
	if err != nil {
		return err
	}
	r.logger.WarnContext(ctx, "a run was ended, to be replaced", "activation_id", m.Activation, "tenant", m.Tenant,
		"run_id", run, "request_id", m.IntakeID)
	return r.start(ctx, m)
}

// measureLooks reads for how long nobody has looked.
func (r *Relay) measureLooks(ctx context.Context) {
	var oldest time.Duration
	err := r.db.InSystem(ctx, func(s *store.Store) (err error) {
		oldest, err = s.OldestLook(ctx)
		return err
	})
	if err != nil {
		r.complain(ctx, "cannot find the oldest look", err)
		return
	}
	r.metrics.unseen.Set(oldest.Seconds())
}

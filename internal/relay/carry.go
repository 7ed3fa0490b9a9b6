package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dialtone/dialtone/internal/crash"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

// carry brings messages to the engine whenever some are due.
func (r *Relay) carry(ctx context.Context) {
	committed, stop := r.watch.Subscribe(store.RelayTopic)
	defer stop()
	handed := make(chan store.Message)
	var hands sync.WaitGroup
	defer hands.Wait()
	defer close(handed)
	for range handsMax {
		hands.Go(func() {
			for m := range handed {
				// Once in hand it is carried to its end, also when the process is asked to stop.
				r.deliver(context.WithoutCancel(ctx), m)
			}
		})
	}
	ticker := time.NewTicker(r.every)
	defer ticker.Stop()
	r.measure(ctx)
	for {
		r.handOut(ctx, handed)
		unsent, committed := r.unsent, committed
		if r.down.Load() {
			// New messages wait like the others: trying each at once would be no help to an
			// engine that is down, and a burden to the record.
			unsent, committed = nil, nil
		}
		select {
		case <-ctx.Done():
			return
		case <-unsent:
		case <-committed:
		case <-r.taken:
		case <-ticker.C:
			r.measure(ctx)
		}
	}
}

// handOut leases what is due and hands it out, until nothing is due. While the engine is
// down, it does so once, with as much as there are hands, to find out whether it is back.
func (r *Relay) handOut(ctx context.Context, handed chan<- store.Message) {
	for ctx.Err() == nil {
		limit := batch
		if r.down.Load() {
			limit = handsMax
		}
		var messages []store.Message
		err := r.db.InSystem(ctx, func(s *store.Store) (err error) {
			messages, err = s.ClaimMessages(ctx, limit, lease)
			return err
		})
		if err != nil {
			r.complain(ctx, "cannot read what is to be carried", err)
			return
		}
		for _, m := range messages {
			select {
			case handed <- m:
			case <-ctx.Done():
				r.giveBack(context.WithoutCancel(ctx), m, reasonStopping, 0)
			}
		}
		if len(messages) == 0 || r.down.Load() {
			return
		}
	}
}

// deliver brings one message to the engine and notes what came of it.
func (r *Relay) deliver(ctx context.Context, m store.Message) {
	crash.At("relay.claimed", string(m.Subscription))
	err := r.tell(ctx, m)
	crash.At("relay.told", string(m.Subscription))
	switch {
	case err == nil:
		r.noteUp(ctx)
		r.noteDelivered(ctx, m)
	case errors.Is(err, workflows.ErrEngineDown):
		r.noteDown(ctx, err)
		r.metrics.failed.WithLabelValues(reasonOf(err)).Inc()
		r.giveBack(ctx, m, reasonOf(err), r.every/2) // due by the next pass
	default:
		r.logger.ErrorContext(ctx, "a message cannot be carried", "activation_id", m.Activation, "tenant", m.Tenant,
			"attempts", m.Attempts, "reason", reasonOf(err), "cause", err)
		r.metrics.failed.WithLabelValues(reasonOf(err)).Inc()
		r.giveBack(ctx, m, reasonOf(err), backOff(m.Attempts))
	}
}

func (r *Relay) tell(ctx context.Context, m store.Message) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var err error
	switch {
	case m.Start:
		err = r.start(ctx, m)
	case m.Replace:
		err = r.replace(ctx, m)
	default:
		err = r.wake(ctx, m)
	}
	return outage(err)
}

// outage takes an engine that did not answer in time for one that is down.
func outage(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return workflows.ErrEngineDown.Because(err)
	}
	return err
}

// wake wakes the run of an activation. Without a run there is nobody to tell when the
// activation has ended; when it has not, its run was lost, and another is started: it finds
// the claim of the first, asks an operator, and reads what arrived.
func (r *Relay) wake(ctx context.Context, m store.Message) error {
	err := r.engine.Wake(ctx, workflows.Wake{WorkflowID: m.WorkflowID, IntakeID: m.IntakeID})
	if !errors.Is(err, workflows.ErrNoRun) {
		return err
	}
	return r.takeUp(ctx, m)
}

func (r *Relay) start(ctx context.Context, m store.Message) error {
	return r.engine.Start(ctx, workflows.Start{
		Tenant: m.Tenant, Activation: m.Activation, FollowUp: m.FollowUp, Subscription: m.Subscription,
		Type: m.Type, WorkflowID: m.WorkflowID, Policies: m.Policies,
	})
}

// noteDelivered says that the engine has a message, and that the next one of the same
// activation is due.
func (r *Relay) noteDelivered(ctx context.Context, m store.Message) {
	if err := r.db.InSystem(ctx, func(s *store.Store) error { return s.MessageDelivered(ctx, m.ID) }); err != nil {
		// It is carried again when its lease ends, which does no harm.
		r.complain(ctx, "cannot note a delivery", err)
		return
	}
	r.metrics.delivered.Inc()
	poke(r.taken)
}

// giveBack lets a message be tried again after a wait: by the next pass after an outage;
// later and later when somebody must mend something first. It is never dropped.
func (r *Relay) giveBack(ctx context.Context, m store.Message, reason string, wait time.Duration) {
	if err := r.db.InSystem(ctx, func(s *store.Store) error { return s.MessageFailed(ctx, m, reason, wait) }); err != nil {
		r.complain(ctx, "cannot give a message back", err)
	}
}

// noteDown and noteUp say once when the engine goes away and when it is back, not for each
// message.
func (r *Relay) noteDown(ctx context.Context, err error) {
	if !r.down.Swap(true) {
		r.logger.WarnContext(ctx, "the engine does not answer; messages wait", "cause", errors.Unwrap(err), "error", err)
	}
}

func (r *Relay) noteUp(ctx context.Context) {
	if r.down.Swap(false) {
		r.logger.InfoContext(ctx, "the engine answers again")
	}
}

// measure reads how much waits.
func (r *Relay) measure(ctx context.Context) {
	var waiting int64
	var oldest time.Duration
	err := r.db.InSystem(ctx, func(s *store.Store) (err error) {
		waiting, oldest, err = s.Backlog(ctx)
		return err
	})
	if err != nil {
		r.complain(ctx, "cannot count the backlog", err)
		return
	}
	r.metrics.backlog.Set(float64(waiting))
	r.metrics.oldest.Set(oldest.Seconds())
}

// Reasons of ours, beside those of faults.
const (
	// reasonInternal stands for an error that has no name.
	reasonInternal = "INTERNAL"
	// reasonRecord is a transaction that failed.
	reasonRecord = "DATABASE"
	// reasonStopping is a message that this process has not come to.
	reasonStopping = "STOPPING"
)

func reasonOf(err error) string {
	if f := fault.Of(err); f != nil {
		return f.Reason
	}
	return reasonInternal
}

// backOff is 2 s, 4 s, 8 s and so on up to waitMax.
func backOff(attempts int) time.Duration {
	if attempts > 8 {
		return waitMax
	}
	return min(time.Second<<max(attempts, 1), waitMax)
}

// Package relay carries intake into the engine.
//
// Whatever the outside says is first a row, committed and answered, and then a message. The
// relay, one in every front, brings the messages to Temporal, in order per activation, until
// the engine has them, and gives the events of the feed their numbers. It works at once when
// something was committed, here or in another process, and otherwise every two seconds, so
// that a message which nobody announced, or which a relay died over, is late but never lost.
package relay

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

// Engine is what the relay asks of Temporal. Both calls are safe to repeat. Wake refuses
// workflows.ErrNoRun when the run has ended.
type Engine interface {
	Start(ctx context.Context, s workflows.Start) error
	Wake(ctx context.Context, w workflows.Wake) error
}

// Config is what a Relay needs.
type Config struct {
	DB     *store.DB
	Engine Engine
	// Watch says when something was committed in another process; whoever made it runs it.
	Watch    *store.Watch
	Logger   *slog.Logger
	Registry prometheus.Registerer
	// Every is the wait between two passes that nobody asked for; 0 means 2 s.
	Every time.Duration
}

// The bounds of a pass.
const (
	everyDefault = 2 * time.Second
	// batch is how many messages are leased at once, and carried at the same time.
	batch = 16
	// callTimeout bounds one call to the engine. It is shorter than the lease, so that a
	// message is not carried by two relays while both live.
	callTimeout = 5 * time.Second
	lease       = 20 * time.Second
	// waitMax is the longest wait before a message that fails for another reason than an
	// outage is tried again.
	waitMax = 5 * time.Minute
	// tenantsPerPass bounds one transaction that numbers the feed.
	tenantsPerPass = 100
)

// Relay carries intake into the engine.
type Relay struct {
	db      *store.DB
	engine  Engine
	watch   *store.Watch
	logger  *slog.Logger
	every   time.Duration
	nudged  chan struct{}
	metrics metrics
}

// New makes a Relay; Run makes it work.
func New(config Config) *Relay {
	if config.DB == nil || config.Engine == nil || config.Watch == nil || config.Logger == nil || config.Registry == nil {
		panic("relay.New lacks a collaborator")
	}
	every := config.Every
	if every == 0 {
		every = everyDefault
	}
	return &Relay{
		db: config.DB, engine: config.Engine, watch: config.Watch, logger: config.Logger, every: every,
		nudged: make(chan struct{}, 1), metrics: newMetrics(config.Registry),
	}
}

// Nudge says that something was committed in this process. It never blocks.
func (r *Relay) Nudge() {
	select {
	case r.nudged <- struct{}{}:
	default:
	}
}

// Run works until ctx ends. A message that is under way then is carried to its end, within
// callTimeout.
func (r *Relay) Run(ctx context.Context) {
	committed, stop := r.watch.Subscribe(store.RelayTopic)
	defer stop()
	ticker := time.NewTicker(r.every)
	defer ticker.Stop()
	for {
		r.pass(ctx)
		select {
		case <-ctx.Done():
			return
		case <-r.nudged:
		case <-committed:
		case <-ticker.C:
			r.measure(ctx)
		}
	}
}

// pass carries all that is due and numbers the feed.
func (r *Relay) pass(ctx context.Context) {
	for ctx.Err() == nil {
		r.number(ctx)
		carried, err := r.carry(ctx)
		if err != nil {
			r.complain(ctx, "cannot read what is to be carried", err)
			return
		}
		if carried == 0 {
			return
		}
	}
}

// carry leases a batch and brings it to the engine, all of it at the same time: a batch has
// one message of an activation at most. It gives how many the engine took.
func (r *Relay) carry(ctx context.Context) (int, error) {
	var messages []store.Message
	err := r.db.InSystem(ctx, func(s *store.Store) (err error) {
		messages, err = s.ClaimMessages(ctx, batch, lease)
		return err
	})
	if err != nil {
		return 0, err
	}
	var taken int
	var mu sync.Mutex
	var under sync.WaitGroup
	for _, m := range messages {
		under.Go(func() {
			// A message that was leased is carried to its end, also when the process is asked to stop.
			if r.deliver(context.WithoutCancel(ctx), m) {
				mu.Lock()
				defer mu.Unlock()
				taken++
			}
		})
	}
	under.Wait()
	return taken, nil
}

// deliver brings one message to the engine and notes what came of it. It tells whether the
// engine has it.
func (r *Relay) deliver(ctx context.Context, m store.Message) bool {
	err := r.tell(ctx, m)
	if errors.Is(err, workflows.ErrNoRun) {
		// The run has ended: there is nobody to tell.
		err = nil
	}
	if err != nil {
		r.giveBack(ctx, m, err)
		return false
	}
	if err := r.db.InSystem(ctx, func(s *store.Store) error { return s.MessageDelivered(ctx, m.ID) }); err != nil {
		// It will be carried again when its lease ends, which does no harm.
		r.complain(ctx, "cannot note a delivery", err)
		return false
	}
	r.metrics.delivered.Inc()
	return true
}

func (r *Relay) tell(ctx context.Context, m store.Message) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if m.Start {
		return r.engine.Start(ctx, workflows.Start{
			Tenant: m.Tenant, Activation: m.Activation, Subscription: m.Subscription,
			Type: m.Type, WorkflowID: m.WorkflowID, Policies: m.Policies,
		})
	}
	return r.engine.Wake(ctx, workflows.Wake{WorkflowID: m.WorkflowID, IntakeID: m.IntakeID})
}

// giveBack lets a message be tried again: after an outage at the next pass, else after a
// wait that grows, because somebody must mend something first. It is never dropped.
func (r *Relay) giveBack(ctx context.Context, m store.Message, cause error) {
	reason, wait := reasonInternal, backOff(m.Attempts)
	if f := fault.Of(cause); f != nil {
		reason = f.Reason
	}
	if errors.Is(cause, workflows.ErrEngineDown) {
		wait = r.every
	} else {
		r.logger.ErrorContext(ctx, "a message cannot be carried", "activation_id", m.Activation,
			"tenant", m.Tenant, "attempts", m.Attempts, "reason", reason, "cause", cause)
	}
	r.metrics.failed.WithLabelValues(reason).Inc()
	if err := r.db.InSystem(ctx, func(s *store.Store) error { return s.MessageFailed(ctx, m, reason, wait) }); err != nil {
		r.complain(ctx, "cannot give a message back", err)
	}
}

// reasonInternal stands for an error that has no name.
const reasonInternal = "INTERNAL"

// backOff is 2 s, 4 s, 8 s and so on up to waitMax.
func backOff(attempts int) time.Duration {
	if attempts > 8 {
		return waitMax
	}
	return min(time.Second<<max(attempts, 1), waitMax)
}

// number gives the events of the feed their numbers.
func (r *Relay) number(ctx context.Context) {
	var numbered int64
	err := r.db.InSystem(ctx, func(s *store.Store) (err error) {
		numbered, err = s.NumberFeed(ctx, tenantsPerPass)
		return err
	})
	if err != nil {
		r.complain(ctx, "cannot number the feed", err)
		return
	}
	r.metrics.numbered.Add(float64(numbered))
}

// measure reads how much waits.
func (r *Relay) measure(ctx context.Context) {
	err := r.db.InSystem(ctx, func(s *store.Store) error {
		waiting, oldest, err := s.Backlog(ctx)
		r.metrics.backlog.Set(float64(waiting))
		r.metrics.oldest.Set(oldest.Seconds())
		return err
	})
	if err != nil {
		r.complain(ctx, "cannot count the backlog", err)
	}
}

// complain logs what went wrong with the record; the next pass tries again.
func (r *Relay) complain(ctx context.Context, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	r.metrics.failed.WithLabelValues("DATABASE").Inc()
	r.logger.WarnContext(ctx, "relay: "+what, "cause", errors.Unwrap(err), "error", err)
}

// Package relay carries intake into the engine.
//
// Whatever the outside says is first a row, committed and answered, and then a message. The
// relay, one in every front, brings the messages to Temporal, in order per activation, until
// the engine has them, and gives the events of the feed their numbers. It works at once when
// something was committed, here or in another process, and otherwise every two seconds, so
// that a message which nobody announced, or which a relay died over, is late but never lost.
//
// It also looks after the open: at least hourly it makes sure that the engine has the run of
// each, and starts a lost one again, which then asks an operator.
//
// Of mails from which nothing is heard for a day it says so, so that an operator looks. And a
// day after a port has ended it erases what the customer gave for it.
//
// The five jobs do not wait for each other: while Temporal is slow or down, the feed goes on.
package relay

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

// Engine is what the relay asks of Temporal. All calls are safe to repeat. Wake refuses
// workflows.ErrNoRun when the run has ended; Alive gives the id of the run that is there, or
// none; workflows.ErrEngineDown means no more than "not now".
type Engine interface {
	Start(ctx context.Context, s workflows.Start) error
	Wake(ctx context.Context, w workflows.Wake) error
	Alive(ctx context.Context, workflowID string) (run string, err error)
	Terminate(ctx context.Context, t workflows.Terminate) error
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
	// LookEvery is how old the last look at the run of something open may become; 0 means 1 h.
	LookEvery time.Duration
	// NoWordAfter is how long a mail may be without word before an operator is asked; 0 means
	// 24 h.
	NoWordAfter time.Duration
	// EraseAfter is how long after its end a port keeps what the customer gave for it; 0 means
	// 24 h.
	EraseAfter time.Duration
}

const (
	everyDefault     = 2 * time.Second
	lookEveryDefault = time.Hour

	// handsMax is how many messages are carried at the same time.
	handsMax = 16
	// batch is how many messages are leased at once: enough that the hands are not idle
	// while the next ones are leased, and few enough that the last of them is in hand long
	// before its lease ends.
	batch = 2 * handsMax
	// callTimeout bounds one call to the engine, and with it how long Run goes on after its
	// context has ended.
	callTimeout = 5 * time.Second
	// lease is longer than all the calls that a message may have to wait for, so that it is
	// not carried by two relays while both live.
	lease = 6 * callTimeout
	// waitMax is the longest wait before a message that fails for another reason than an
	// outage is tried again.
	waitMax = 5 * time.Minute
	// tenantsPerPass bounds one transaction that numbers the feed.
	tenantsPerPass = 100
	// numberAgain is the wait when another relay was numbering the same tenant.
	numberAgain = 50 * time.Millisecond
)

// Relay carries intake into the engine.
type Relay struct {
	db      *store.DB
	engine  Engine
	watch   *store.Watch
	logger  *slog.Logger
	every   time.Duration
	looks   lookTimes
	metrics metrics
	// noWordAfter is how long a mail may be without word, eraseAfter how long an ended port
	// keeps what was given for it.
	noWordAfter, eraseAfter time.Duration

	// unsent and unnumbered wake the first two jobs; taken says that a message was carried, so
	// that the next one of the same activation is due.
	unsent, unnumbered, taken chan struct{}
	// down is set while the engine does not answer.
	down atomic.Bool
}

// New makes a Relay; Run makes it work.
func New(config Config) *Relay {
	if config.DB == nil || config.Engine == nil || config.Watch == nil || config.Logger == nil || config.Registry == nil {
		panic("relay.New lacks a collaborator")
	}
	return &Relay{
		db: config.DB, engine: config.Engine, watch: config.Watch, logger: config.Logger,
		every: cmp.Or(config.Every, everyDefault), metrics: newMetrics(config.Registry),
		looks:       newLookTimes(cmp.Or(config.LookEvery, lookEveryDefault)),
		noWordAfter: cmp.Or(config.NoWordAfter, noWordAfterDefault),
		eraseAfter:  cmp.Or(config.EraseAfter, eraseAfterDefault),
		unsent:      make(chan struct{}, 1), unnumbered: make(chan struct{}, 1), taken: make(chan struct{}, 1),
	}
}

// Nudge says that something was committed in this process. It never blocks.
func (r *Relay) Nudge() {
	poke(r.unsent)
	poke(r.unnumbered)
}

// poke leaves a wake-up unless one waits already.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run works until ctx ends. What is in hand then is carried to its end, and what was leased
// beyond it is given back, within callTimeout and what the record takes.
func (r *Relay) Run(ctx context.Context) {
	var jobs sync.WaitGroup
	jobs.Go(func() { r.carry(ctx) })
	jobs.Go(func() { r.number(ctx) })
	jobs.Go(func() { r.look(ctx) })
	jobs.Go(func() { r.silence(ctx) })
	jobs.Go(func() { r.erase(ctx) })
	jobs.Wait()
}

// number gives the events of the feed their numbers whenever there are new ones.
func (r *Relay) number(ctx context.Context) {
	committed, stop := r.watch.Subscribe(store.RelayTopic)
	defer stop()
	timer := time.NewTimer(r.every)
	defer timer.Stop()
	for ctx.Err() == nil {
		wait := r.every
		if r.numberPass(ctx) {
			wait = numberAgain
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-r.unnumbered:
		case <-committed:
		case <-timer.C:
		}
	}
}

// numberPass numbers all there is and tells whether something was left to another relay.
func (r *Relay) numberPass(ctx context.Context) (left bool) {
	for {
		var numbered int64
		err := r.db.InSystem(ctx, func(s *store.Store) (err error) {
			if numbered, err = s.NumberFeed(ctx, tenantsPerPass); err != nil {
				return err
			}
			left, err = s.Unnumbered(ctx)
			return err
		})
		if err != nil {
			r.complain(ctx, "cannot number the feed", err)
			return false
		}
		r.metrics.numbered.Add(float64(numbered))
		if numbered == 0 || !left {
			return left
		}
	}
}

// complain logs what went wrong with the record; the next pass tries again.
func (r *Relay) complain(ctx context.Context, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	r.metrics.failed.WithLabelValues(reasonRecord).Inc()
	r.logger.WarnContext(ctx, "relay: "+what, "cause", errors.Unwrap(err), "error", err)
}

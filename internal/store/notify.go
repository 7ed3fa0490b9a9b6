package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// channel carries every wake-up; the payload is a topic.
const channel = "dialtone"

// Topic is what a watcher waits for.
type Topic string

// ActivationTopic is told when an activation changes.
func ActivationTopic(id mobile.ActivationID) Topic { return Topic("activation/" + string(id)) }

// FeedTopic is told when a tenant's feed has new events.
func FeedTopic(tenant mobile.TenantID) Topic { return Topic("feed/" + string(tenant)) }

// RelayTopic is told when there is something for the relay: a message, or an event without
// number.
const RelayTopic Topic = "relay"

// notify wakes watchers when this transaction commits. Equal wake-ups of one transaction
// are one.
func (s *Store) notify(ctx context.Context, topic Topic) error {
	if _, err := s.exec(ctx, `SELECT pg_notify(@channel, @topic)`, pgx.StrictNamedArgs{"channel": channel, "topic": topic}); err != nil {
		return fmt.Errorf("notify %s: %w", topic, err)
	}
	return nil
}

// Watch hands out wake-ups. It holds one connection of its own, outside the pool, however
// many watch. A wake-up is a hint: after one, and each second or so, a watcher reads the
// record, because a cut connection loses what was said meanwhile.
type Watch struct {
	db       *DB
	mu       sync.Mutex
	watchers map[Topic]map[chan struct{}]struct{}
}

// NewWatch makes a Watch; Run makes it listen.
func (db *DB) NewWatch() *Watch {
	return &Watch{db: db, watchers: make(map[Topic]map[chan struct{}]struct{})}
}

// Subscribe gives a channel that holds at most one wake-up, and a function that ends it.
// Subscribe first, then read: what changes in between is in the channel.
func (w *Watch) Subscribe(topic Topic) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watchers[topic] == nil {
		w.watchers[topic] = make(map[chan struct{}]struct{})
	}
	w.watchers[topic][c] = struct{}{}
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watchers[topic], c)
		if len(w.watchers[topic]) == 0 {
			delete(w.watchers, topic)
		}
	}
}

// reconnectDelay is how long a cut listener waits before it connects again.
const reconnectDelay = time.Second

// Run listens until ctx ends, and connects again when it is cut. Report is told of each
// cut; it may be nil.
func (w *Watch) Run(ctx context.Context, report func(error)) {
	for ctx.Err() == nil {
		err := w.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if report != nil {
			report(err)
		}
		timer := time.NewTimer(reconnectDelay)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (w *Watch) listen(ctx context.Context) error {
	config := w.db.pool.Config().ConnConfig
	config.RuntimeParams["application_name"] = "dialtone listener"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect the listener: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reconnectDelay)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	// Whatever was said while nobody listened is in the record.
	w.wakeAll()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("wait for a notification: %w", errors.Join(err, ctx.Err()))
		}
		w.wake(Topic(n.Payload))
	}
}

func (w *Watch) wake(topic Topic) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.watchers[topic] {
		nudge(c)
	}
}

func (w *Watch) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, watchers := range w.watchers {
		for c := range watchers {
			nudge(c)
		}
	}
}

// nudge leaves a wake-up unless one waits already.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

package server

import (
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/store"
)

// heartbeatDefault is how long a watched feed may be silent.
const heartbeatDefault = 30 * time.Second

// WatchEvents reads the tenant's feed from a sequence number on, and goes on as it grows.
func (r *rpcs) WatchEvents(request *dialtonev1.WatchEventsRequest, stream dialtonev1.EventService_WatchEventsServer) error {
	ctx := stream.Context()
	caller := access.From(ctx)
	var f form
	filter := f.eventFilter(request)
	if err := f.err(); err != nil {
		return err
	}
	// First subscribe, then read: what is numbered in between is in the channel.
	wakes, unsubscribe := r.watch.Subscribe(store.FeedTopic(caller.Tenant))
	defer unsubscribe()
	w := watcher{rpcs: r, wakes: wakes, ticker: time.NewTicker(pollInterval)}
	defer w.ticker.Stop()
	spoken := time.Now()
	for {
		page, err := r.readFeed(ctx, caller, filter, pageSizeMax)
		if err != nil {
			return err
		}
		for _, e := range page.Events {
			if err := stream.Send(&dialtonev1.WatchEventsResponse{Event: r.show.event(e), NextAfter: e.Sequence}); err != nil {
				return err
			}
			spoken = time.Now()
		}
		filter.After = page.Next
		if page.Next < page.Head && !r.goingDown() {
			continue
		}
		if time.Since(spoken) >= r.heartbeat {
			if err := stream.Send(&dialtonev1.WatchEventsResponse{NextAfter: filter.After}); err != nil {
				return err
			}
			spoken = time.Now()
		}
		if err := w.pause(ctx); err != nil {
			return err
		}
	}
}

// goingDown tells whether streams are to end.
func (r *rpcs) goingDown() bool {
	select {
	case <-r.draining:
		return true
	default:
		return false
	}
}

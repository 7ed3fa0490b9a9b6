package server

import (
	"context"
	"regexp"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/store"
)

// ListEvents reads the tenant's feed from a sequence number on.
func (r *rpcs) ListEvents(ctx context.Context, request *dialtonev1.ListEventsRequest) (*dialtonev1.ListEventsResponse, error) {
	caller := access.From(ctx)
	var f form
	filter := f.eventFilter(request)
	size := f.pageSize(request.GetPageSize(), pageSizeMax)
	if err := f.err(); err != nil {
		return nil, err
	}
	page, err := r.readFeed(ctx, caller, filter, size)
	if err != nil {
		return nil, err
	}
	response := &dialtonev1.ListEventsResponse{
		NextAfter: page.Next, More: page.Next < page.Head, LatestSequence: page.Head,
	}
	for _, e := range page.Events {
		response.Events = append(response.Events, r.show.event(e))
	}
	return response, nil
}

// feedRequest is what both calls of the feed narrow it by.
type feedRequest interface {
	GetAfter() int64
	GetTypes() []string
	GetActivationId() string
	GetSubscriptionId() string
}

// typesMax bounds a filter by type: there are not more types than that.
const typesMax = 100

var typeForm = regexp.MustCompile(`^[a-z_]{1,64}\.([a-z_]{1,64}|\*)$`)

func (f *form) eventFilter(request feedRequest) store.EventFilter {
	if request.GetAfter() < 0 {
		f.refuse("after", "FIELD_MALFORMED", "A sequence number is positive; 0 begins at the first event.")
	}
	if len(request.GetTypes()) > typesMax {
		f.refuse("types", "FIELD_TOO_LONG", "At most 100 types can be named.")
	}
	for _, t := range request.GetTypes()[:min(len(request.GetTypes()), typesMax)] {
		if !typeForm.MatchString(t) {
			f.refuse("types", "TYPE_MALFORMED", "A type is two words as in port.state_changed, or ends in .* for all that begin so.")
			break
		}
	}
	return store.EventFilter{
		After:        request.GetAfter(),
		Types:        request.GetTypes(),
		Activation:   f.optionalActivation("activation_id", request.GetActivationId()),
		Subscription: f.optionalSubscription("subscription_id", request.GetSubscriptionId()),
	}
}

// readFeed reads a page of the feed. A cursor that the feed has not reached is of another
// installation, or of this one before it was restored from a backup.
func (r *rpcs) readFeed(ctx context.Context, caller access.Caller, filter store.EventFilter, size int) (store.FeedPage, error) {
	var page store.FeedPage
	err := r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) (err error) {
		page, err = s.ListEvents(ctx, caller.Tenant, filter, size)
		return err
	})
	if err == nil && filter.After > page.Head {
		var f form
		f.refuse("after", "AFTER_AHEAD", "The feed has not come that far: this cursor is of another installation, or of one that was restored from a backup.")
		return store.FeedPage{}, f.err()
	}
	return page, err
}

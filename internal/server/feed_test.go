package server_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// number numbers the feed, as the relay does.
func (b *bundle) number(t *testing.T) {
	t.Helper()
	must(t, b.InSystem(t.Context(), func(s *store.Store) error {
		_, err := s.NumberFeed(t.Context(), 100)
		return err
	}))
}

func (b *bundle) watchEvents(t *testing.T, c clients, token string, after int64, types ...string) dialtonev1.EventService_WatchEventsClient {
	t.Helper()
	stream, err := c.events.WatchEvents(as(t.Context(), token), &dialtonev1.WatchEventsRequest{After: after, Types: types})
	must(t, err)
	return stream
}

func TestListEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.billing())
	a := b.launched(t, b.a)
	other := b.pending(t, b.a)
	b.move(t, b.a, a.ID, mobile.StateRunning)

	// Not numbered, not shown.
	empty, err := b.events.ListEvents(ctx, &dialtonev1.ListEventsRequest{})
	must(t, err)
	if len(empty.GetEvents()) != 0 || empty.GetLatestSequence() != 0 {
		t.Errorf("%v", empty)
	}
	b.number(t)

	for name, test := range map[string]struct {
		request *dialtonev1.ListEventsRequest
		want    []string
		next    int64
		more    bool
	}{
		"all":           {&dialtonev1.ListEventsRequest{}, []string{"1 subscription.created", "2 workflow.state_changed", "3 subscription.created", "4 workflow.state_changed"}, 4, false},
		"two":           {&dialtonev1.ListEventsRequest{PageSize: 2}, []string{"1 subscription.created", "2 workflow.state_changed"}, 2, true},
		"after":         {&dialtonev1.ListEventsRequest{After: 3}, []string{"4 workflow.state_changed"}, 4, false},
		"at the end":    {&dialtonev1.ListEventsRequest{After: 4}, nil, 4, false},
		"a type":        {&dialtonev1.ListEventsRequest{Types: []string{"subscription.created"}}, []string{"1 subscription.created", "3 subscription.created"}, 4, false},
		"a family":      {&dialtonev1.ListEventsRequest{Types: []string{"workflow.*"}}, []string{"2 workflow.state_changed", "4 workflow.state_changed"}, 4, false},
		"none of it":    {&dialtonev1.ListEventsRequest{Types: []string{"port.*", "work_low.*"}}, nil, 4, false},
		"activation":    {&dialtonev1.ListEventsRequest{ActivationId: string(a.ID)}, []string{"2 workflow.state_changed", "4 workflow.state_changed"}, 4, false},
		"subscription":  {&dialtonev1.ListEventsRequest{SubscriptionId: string(other.ID)}, []string{"3 subscription.created"}, 4, false},
		"one of family": {&dialtonev1.ListEventsRequest{Types: []string{"workflow.*"}, PageSize: 1}, []string{"2 workflow.state_changed"}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := b.events.ListEvents(ctx, test.request)
			must(t, err)

			var got []string
			for _, e := range response.GetEvents() {
				got = append(got, fmt.Sprint(e.GetSequence(), " ", e.GetType()))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if response.GetNextAfter() != test.next || response.GetMore() != test.more || response.GetLatestSequence() != 4 {
				t.Errorf("next %d, more %t, latest %d", response.GetNextAfter(), response.GetMore(), response.GetLatestSequence())
			}
		})
	}
	last, err := b.events.ListEvents(ctx, &dialtonev1.ListEventsRequest{After: 3})
	must(t, err)
	e := last.GetEvents()[0]
	if w := e.GetWorkflow(); w.GetState() != running || w.GetPreviousState() != accepted || w.GetRevision() != 2 ||
		w.GetWaitingOn() != dialtonev1.Party_PARTY_DIALTONE || e.GetAccountId() != a.AccountID {
		t.Errorf("%v", e)
	}
}

func TestListEvents_BadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, test := range map[string]struct {
		request *dialtonev1.ListEventsRequest
		want    map[string]string
	}{
		"ahead":     {&dialtonev1.ListEventsRequest{After: 1}, map[string]string{"after": "AFTER_AHEAD"}},
		"malformed": {&dialtonev1.ListEventsRequest{After: -1, PageSize: -1, Types: []string{"x"}, ActivationId: "x", SubscriptionId: "a/b"}, map[string]string{"after": "FIELD_MALFORMED", "page_size": "FIELD_MALFORMED", "types": "TYPE_MALFORMED", "activation_id": "FIELD_MALFORMED", "subscription_id": "FIELD_MALFORMED"}},
	} {
		_, err := b.events.ListEvents(as(t.Context(), b.a.billing()), test.request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, invalid(test.want)) })
	}
	_, err := b.watchEvents(t, b.clients, b.a.billing(), 1).Recv()
	wantRefusal(t, err, invalid(map[string]string{"after": "AFTER_AHEAD"}))
	_, err = b.watchEvents(t, b.clients, b.a.billing(), 0, "x").Recv()
	wantRefusal(t, err, refusal{Code: codes.InvalidArgument, Reason: "INVALID_FIELDS"})
}

// A transaction that is held open while another commits: the feed shows both, each once, and
// no reader passes the one that commits later.
func TestFeed_HeldOpen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stream := b.watchEvents(t, b.clients, b.a.billing(), 0)
	inside, release := make(chan struct{}), make(chan struct{})
	held := make(chan error, 1)
	go func() {
		held <- b.InTenant(t.Context(), b.a.ID, func(s *store.Store) error {
			err := s.InsertSubscription(t.Context(), mobile.Subscription{
				ID: "slow", Tenant: b.a.ID, AccountID: "a", CustomerName: "n", CustomerEmail: "e", Plan: storetest.PlanName,
				Status: mobile.SubscriptionPending,
			})
			close(inside)
			<-release
			return err
		})
	}()
	<-inside
	fast := b.pending(t, b.a)
	b.number(t)
	first, err := stream.Recv()
	must(t, err)

	close(release)
	must(t, <-held)
	b.number(t)
	second, err := stream.Recv()
	must(t, err)

	got := []string{first.GetEvent().GetSubscriptionId(), second.GetEvent().GetSubscriptionId()}
	if want := []string{string(fast.ID), "slow"}; !slices.Equal(got, want) {
		t.Errorf("the feed showed %v, want %v", got, want)
	}
	if first.GetNextAfter() != 1 || second.GetNextAfter() != 2 {
		t.Errorf("numbered %d and %d", first.GetNextAfter(), second.GetNextAfter())
	}
}

// More than a page at once, with a filter that leaves most of it out: in order, none twice.
func TestWatchEvents_Filter(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *server.Config) { *c = c.WithHeartbeat(10 * time.Millisecond) })
	a := b.launched(t, b.a)
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		for i := range 450 {
			err := s.InsertSubscription(ctx, mobile.Subscription{
				ID: mobile.SubscriptionID(fmt.Sprintf("sub-%d", i)), Tenant: b.a.ID, AccountID: "a", CustomerName: "n",
				CustomerEmail: "e", Plan: storetest.PlanName, Status: mobile.SubscriptionPending,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	b.move(t, b.a, a.ID, mobile.StateRunning)
	b.number(t)

	everything := b.watchEvents(t, b.clients, b.a.billing(), 0)
	for sequence := int64(1); sequence <= 453; {
		response, err := everything.Recv()
		must(t, err)
		if response.GetEvent() == nil {
			continue
		}
		if response.GetEvent().GetSequence() != sequence {
			t.Fatalf("number %d, want %d", response.GetEvent().GetSequence(), sequence)
		}
		sequence++
	}
	filtered := b.watchEvents(t, b.clients, b.a.billing(), 0, "workflow.*")
	var got []int64
	for {
		response, err := filtered.Recv()
		must(t, err)
		if response.GetEvent() == nil && response.GetNextAfter() == 453 {
			break // A sign of life, beyond what the filter left out.
		}
		if response.GetEvent() != nil {
			got = append(got, response.GetEvent().GetSequence())
		}
	}
	if want := []int64{2, 453}; !slices.Equal(got, want) {
		t.Errorf("the filter showed %v, want %v", got, want)
	}
}

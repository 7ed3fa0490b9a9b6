package server_test

import (
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func today() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Fifty people click at the same moment, or one client repeats without patience.
func TestLaunch_SameRequestAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	request := launch(b.pending(t, b.a).ID)
	const clicks = 50
	ids := make([]string, clicks)

	var clicking sync.WaitGroup
	for i := range clicks {
		clicking.Go(func() {
			response, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), proto.CloneOf(request))
			if err != nil {
				t.Errorf("click %d: %v", i, err)
			}
			ids[i] = response.GetWorkflow().GetActivationId()
		})
	}
	clicking.Wait()

	for i, id := range ids {
		if id == "" || id != ids[0] {
			t.Errorf("click %d was answered with %q, the first with %q", i, id, ids[0])
		}
	}
	for table, want := range map[string]int64{"activations": 1, "requests": 1, "outbox": 1, "audit": 1, "activation_steps": 6} {
		if got := b.counts(t)[table]; got != want {
			t.Errorf("%d rows in %s, want %d", got, table, want)
		}
	}
}

// Two launches of one subscription with two request ids: one wins, and the other is told the
// winner.
func TestLaunch_TwoAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 10 {
		sub := b.pending(t, b.a)
		responses, errs := make([]*dialtonev1.LaunchWorkflowResponse, 2), make([]error, 2)
		start := make(chan struct{})

		var launching sync.WaitGroup
		for i := range 2 {
			launching.Go(func() {
				<-start
				responses[i], errs[i] = b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), launch(sub.ID))
			})
		}
		close(start)
		launching.Wait()

		winner, loser := 0, 1
		if errs[0] != nil {
			winner, loser = 1, 0
		}
		must(t, errs[winner])
		wantRefusal(t, errs[loser], refusal{
			Code: codes.AlreadyExists, Reason: "ACTIVATION_IN_PROGRESS",
			Meta: map[string]string{
				"activation_id": responses[winner].GetWorkflow().GetActivationId(), "subscription_id": string(sub.ID),
			},
		})
	}
}

package server_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// launchPort is a good request to bring a number; without one, for a new line.
func launchPort(sub mobile.SubscriptionID, number, donor string) *dialtonev1.LaunchWorkflowRequest {
	request := launch(sub)
	request.GetMobileActivation().PortPhoneNumber, request.GetMobileActivation().PortCarrier = number, donor
	return request
}

// ported launches a port of a new subscription of tenant a's.
func (b *bundle) ported(t *testing.T, number, donor string) *dialtonev1.Workflow {
	t.Helper()
	response, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), launchPort(b.pending(t, b.a).ID, number, donor))
	must(t, err)
	return response.GetWorkflow()
}

func TestLaunch_Port(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sub := b.pending(t, b.a)
	request := launchPort(sub.ID, "(212) 555-0123", "AT&T")

	trial := proto.CloneOf(request)
	trial.ValidateOnly = true
	tried, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), trial)
	must(t, err)
	if n := b.counts(t)["ports"]; n != 0 {
		t.Errorf("a trial made %d ports", n)
	}
	response, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
	must(t, err)

	w := response.GetWorkflow()
	want := &dialtonev1.Port{
		PhoneNumber: "+12125550123", Donor: "att", DonorName: "AT&T", State: dialtonev1.PortState_PORT_STATE_AWAITING_INFO,
		WaitingOn: dialtonev1.Party_PARTY_DIALTONE, AttemptsLeft: 5,
	}
	since := protocmp.IgnoreFields(&dialtonev1.Port{}, "since")
	if diff := cmp.Diff(want, w.GetPort(), protocmp.Transform(), since); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if w.GetPort().GetSince() == nil || w.GetType() != dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_PORT_IN ||
		w.GetPhoneNumber() != "+12125550123" || len(w.GetSteps()) != 9 || w.GetSteps()[5].GetName() != "submit_port" {
		t.Errorf("%v", w)
	}
	// The trial showed the same, but for what only a launch has.
	shown := tried.GetWorkflow()
	same := &dialtonev1.Workflow{Port: shown.GetPort(), Steps: shown.GetSteps(), PhoneNumber: shown.GetPhoneNumber(), Type: shown.GetType()}
	made := &dialtonev1.Workflow{Port: w.GetPort(), Steps: w.GetSteps(), PhoneNumber: w.GetPhoneNumber(), Type: w.GetType()}
	if diff := cmp.Diff(made, same, protocmp.Transform(), since); diff != "" {
		t.Errorf("the trial differs (-made +tried):\n%s", diff)
	}

	// A repeat is the same launch, also when the number is ours by then.
	b.lineWith(t, b.a, "+12125550123")
	again, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
	must(t, err)
	if again.GetWorkflow().GetActivationId() != w.GetActivationId() {
		t.Errorf("a repeat answers %v", again)
	}
	other := proto.CloneOf(request)
	other.GetMobileActivation().PortCarrier = "att" // the same company, but not what was said
	_, err = b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), other)
	wantRefusal(t, err, refusal{Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED"})
}

// lineWith makes an active subscription of a tenant with this number.
func (b *bundle) lineWith(t *testing.T, h house, number string) {
	t.Helper()
	sub := b.pending(t, h)
	_, err := b.Connect(t).Exec(t.Context(), `UPDATE subscriptions SET status = 'ACTIVE', phone_number = $1 WHERE subscription_id = $2`, number, sub.ID)
	must(t, err)
}

func TestLaunch_PortRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.lineWith(t, b.a, "+12125550101")
	b.lineWith(t, b.b, "+12125550102")
	first := b.ported(t, "+12125550103", "verizon")
	before := b.counts(t)

	taken := refusal{Code: codes.AlreadyExists, Reason: "NUMBER_BEING_PORTED"}
	inProgress := refusal{Code: codes.AlreadyExists, Reason: "ACTIVATION_IN_PROGRESS"}
	fresh := b.pending(t, b.a).ID
	for name, test := range map[string]struct {
		sub           mobile.SubscriptionID
		number, donor string
		want          refusal
		in            string // the activation in the way
	}{
		"no such company":      {fresh, "2125550104", "Acme Telecom", invalid(bad("port_carrier", "DONOR_UNKNOWN")), ""},
		"on a line of ours":    {fresh, "2125550101", "att", invalid(bad("port_phone_number", "SAME_NETWORK")), ""},
		"being ported":         {fresh, "212-555-0103", "att", taken, first.GetActivationId()},
		"the same launch anew": {mobile.SubscriptionID(first.GetSubscriptionId()), "+12125550103", "verizon", inProgress, first.GetActivationId()},
		"open, and on a line":  {mobile.SubscriptionID(first.GetSubscriptionId()), "+12125550101", "verizon", inProgress, first.GetActivationId()},
		"no subscription":      {"absent", "2125550101", "att", refusal{Code: codes.NotFound, Reason: "SUBSCRIPTION_NOT_FOUND"}, ""},
	} {
		for _, validateOnly := range []bool{false, true} {
			t.Run(fmt.Sprint(name, validateOnly), func(t *testing.T) {
				request := launchPort(test.sub, test.number, test.donor)
				request.ValidateOnly = validateOnly
				_, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
				if test.in != "" {
					test.want.Meta = map[string]string{"activation_id": test.in, "subscription_id": string(test.sub)}
				}
				wantRefusal(t, err, test.want)
				if name == "no such company" {
					said := strings.Join(refusedDetails(err), "")
					if !strings.Contains(said, "att (AT&T)") || !strings.Contains(said, "other") || strings.Contains(said, "Acme") {
						t.Errorf("it says %s", said)
					}
				}
			})
		}
	}
	after := b.counts(t)
	after["subscriptions"], after["events"], before["events"] = before["subscriptions"], 0, 0
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("something was made (-before +after):\n%s", diff)
	}

	// Another tenant's lines and ports are none of ours.
	b.ported(t, "+12125550102", "att")
	_, err := b.workflows.LaunchWorkflow(as(t.Context(), b.b.billing()), launchPort(b.pending(t, b.b).ID, "+12125550103", "att"))
	must(t, err)
}

// A number is free again once its port has ended.
func TestLaunch_PortAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.ported(t, "+12125550123", "att")
	b.move(t, b.a, mobile.ActivationID(first.GetActivationId()), mobile.StateRunning)
	b.move(t, b.a, mobile.ActivationID(first.GetActivationId()), mobile.StateWaitingForCustomer)
	b.end(t, first, mobile.StateExpired)

	second := b.ported(t, "+12125550123", "att")

	if second.GetActivationId() == first.GetActivationId() {
		t.Error("it is the same")
	}
	read, err := b.workflows.GetWorkflow(as(t.Context(), b.a.operator()), &dialtonev1.GetWorkflowRequest{
		Lookup: &dialtonev1.GetWorkflowRequest_ActivationId{ActivationId: first.GetActivationId()},
	})
	must(t, err)
	if port := read.GetWorkflow().GetPort(); port.GetState() != dialtonev1.PortState_PORT_STATE_EXPIRED || port.GetWaitingOn() != 0 {
		t.Errorf("%v", port)
	}
}

// end ends an activation, as an activity does.
func (b *bundle) end(t *testing.T, w *dialtonev1.Workflow, to mobile.State) {
	t.Helper()
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		_, err := s.End(ctx, store.Move{Tenant: b.a.ID, Activation: mobile.ActivationID(w.GetActivationId()), To: to, At: today()})
		return err
	})
}

// Fifty subscriptions want the same number at the same moment: one gets it, and the others are
// told which.
func TestLaunch_SameNumberAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const launches = 50
	requests := make([]*dialtonev1.LaunchWorkflowRequest, launches)
	for i := range requests {
		requests[i] = launchPort(b.pending(t, b.a).ID, "+12125550123", "att")
	}
	var accepted atomic.Int32
	winner := make(chan string, launches)
	inTheWay := make(chan string, launches)
	start := make(chan struct{})

	var launching sync.WaitGroup
	for _, request := range requests {
		launching.Go(func() {
			<-start
			response, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
			// A loser may meet one that is still being decided for too long.
			for status.Code(err) == codes.Unavailable {
				response, err = b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
			}
			if err == nil {
				accepted.Add(1)
				winner <- response.GetWorkflow().GetActivationId()
				return
			}
			got := refused(t, err)
			if got.Code != codes.AlreadyExists || got.Reason != "NUMBER_BEING_PORTED" {
				t.Errorf("%v", err)
			}
			inTheWay <- got.Meta["activation_id"]
		})
	}
	close(start)
	launching.Wait()
	close(inTheWay)

	if n := accepted.Load(); n != 1 {
		t.Fatalf("%d launches were accepted", n)
	}
	won := <-winner
	for id := range inTheWay {
		if id != won {
			t.Errorf("somebody was told of %q, and %s won", id, won)
		}
	}
	for table, want := range map[string]int64{"activations": 1, "ports": 1, "requests": 1, "outbox": 1, "activation_steps": 9} {
		if got := b.counts(t)[table]; got != want {
			t.Errorf("%d rows in %s, want %d", got, table, want)
		}
	}
}

// One subscription, one number, fifty clicks: the subscription decides, so that everybody is
// told the same.
func TestLaunch_SamePortAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sub := b.pending(t, b.a)
	var accepted atomic.Int32

	var launching sync.WaitGroup
	for range 20 {
		launching.Go(func() {
			_, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), launchPort(sub.ID, "+12125550123", "att"))
			if err == nil {
				accepted.Add(1)
				return
			}
			if got := refused(t, err); got.Reason != "ACTIVATION_IN_PROGRESS" {
				t.Errorf("%v", err)
			}
		})
	}
	launching.Wait()

	if n := accepted.Load(); n != 1 {
		t.Errorf("%d launches were accepted", n)
	}
}

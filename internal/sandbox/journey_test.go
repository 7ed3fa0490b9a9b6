package sandbox_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// TestOnce is the whole way of a new line, with every trace that it should leave.
func TestOnce(t *testing.T) {
	s := running(t)

	if err := s.Once(t.Context(), sandbox.JourneyNew); err != nil {
		t.Fatalf("%v\n%s", err, shared.out.String())
	}

	told := shared.out.String()
	for _, want := range []string{"Reserve the eSIM", "Activate the line", "succeeded", "All is as it should be"} {
		if !strings.Contains(told, want) {
			t.Errorf("the story lacks %q:\n%s", want, told)
		}
	}
	if strings.Contains(told, "LPA:") {
		t.Error("the story tells an activation code")
	}
}

// TestOncePort is the whole way of a number that is brought along, with a refusal that the
// customer corrects.
func TestOncePort(t *testing.T) {
	s := running(t)

	if err := s.Once(t.Context(), sandbox.JourneyPort); err != nil {
		t.Fatalf("%v\n%s", err, shared.out.String())
	}

	told := shared.out.String()
	for _, want := range []string{
		"Hopper brings +1", "Collect the porting details", "refused    Port of", "PIN_INVALID", "Action required", "confirmed  Port of",
		"says to keep the old SIM in", "All is as it should be",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("the story lacks %q:\n%s", want, told)
		}
	}
	if strings.Contains(told, "LPA:") {
		t.Error("the story tells an activation code")
	}
}

func TestChecked(t *testing.T) {
	t.Parallel()
	for _, journey := range []string{sandbox.JourneyNew, sandbox.JourneyPort} {
		if err := sandbox.Checked(journey); err != nil {
			t.Errorf("%s: %v", journey, err)
		}
	}
	if err := sandbox.Checked("round the world"); err == nil || !strings.Contains(err.Error(), "new or port") {
		t.Errorf("another: %v", err)
	}
}

// TestPort_WithoutWorkers: what the customer gives while no worker runs is accepted at once, and
// sent when there is one again.
func TestPort_WithoutWorkers(t *testing.T) {
	s := running(t)
	connection := connect(t, s)
	launched := asked(t, connection, portsCalmly)
	id := launched.GetActivationId()
	await(t, "the mail", func() bool { return mailsWith(t, s, launched, "We need a few details") > 0 })
	up := down(t, s, sandbox.Worker)

	gives(t, s, launched)
	if got := len(portEntries(t, s, carriertest.ActSubmitPort, id)); got != 0 {
		t.Errorf("without a worker the carrier got %d orders", got)
	}
	if prompt := prompted(t, asPortal(t, s), launched); prompt.GetKind() != dialtonev1.PromptKind_PROMPT_KIND_NONE {
		t.Errorf("what was given is asked again: %v", prompt)
	}
	up()

	ended := ends(t, connection, id, dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED)
	if ended.GetPhoneNumber() != launched.GetPort().GetPhoneNumber() {
		t.Errorf("the line has %s", ended.GetPhoneNumber())
	}
	if diff := cmp.Diff(onePorted, tracesOf(t, rig{Sandbox: s}, id)); diff != "" {
		t.Errorf("outside there is not what should be (-want +got):\n%s", diff)
	}
}

// TestPort_CancelledTooLate: a number that moves although its port was called off has moved. The
// activation goes forward, and everybody is told.
func TestPort_CancelledTooLate(t *testing.T) {
	s := running(t)
	connection := connect(t, s)
	launched := atDonor(t, s, movesAllTheSame)
	id := launched.GetActivationId()

	cancel(t, connection, launched)

	ended := ends(t, connection, id, dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED)
	if got := statusOf(t, connection, launched.GetSubscriptionId()); got != dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_ACTIVE {
		t.Errorf("the subscription is %s", got)
	}
	if got := ended.GetPort().GetState(); got != dialtonev1.PortState_PORT_STATE_COMPLETED {
		t.Errorf("the port is %s", got)
	}
	wantAtRisk(t, rig{Sandbox: s}, ended)
	want := onePorted
	want.PortCancels, want.Mails = 1, 3
	if diff := cmp.Diff(want, tracesOf(t, rig{Sandbox: s}, id)); diff != "" {
		t.Errorf("outside there is not what should be (-want +got):\n%s", diff)
	}
	if got := mailsWith(t, s, launched, "Your number has moved"); got != 1 {
		t.Errorf("the customer got %d mails that the number has moved", got)
	}
	wantEvent(t, connection, launched, "workflow.cancel_too_late")
}

// wantEvent waits until the feed tells it.
func wantEvent(t *testing.T, connection grpc.ClientConnInterface, w *dialtonev1.Workflow, kind string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	stream, err := dialtonev1.NewEventServiceClient(connection).WatchEvents(ctx, &dialtonev1.WatchEventsRequest{
		Types: []string{kind}, SubscriptionId: w.GetSubscriptionId(),
	})
	for err == nil {
		var message *dialtonev1.WatchEventsResponse
		if message, err = stream.Recv(); message.GetEvent() != nil {
			return
		}
	}
	t.Errorf("the feed does not tell %s: %v", kind, err)
}

package sandbox_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// TestTemporalDown: what was accepted while Temporal was down happens when it is back, and
// what was cancelled by then never begins.
func TestTemporalDown(t *testing.T) {
	s := running(t)
	at, connection := s.Addresses(), connect(t, s)
	ordered := len(journal(t, at.ES2PlusURL, "download_order", ""))
	up := down(t, s, sandbox.Temporal)

	launched := launch(t, connection, sandbox.GoodIMEI)
	cancelled := launch(t, connection, sandbox.GoodIMEI)
	cancel(t, connection, cancelled)
	for _, w := range []*dialtonev1.Workflow{launched, cancelled} {
		if w.GetState() != dialtonev1.WorkflowState_WORKFLOW_STATE_ACCEPTED {
			t.Errorf("without Temporal it is %s", w.GetState())
		}
	}
	up()

	ends(t, connection, launched.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED)
	ended := ends(t, connection, cancelled.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_CANCELLED)
	if ended.GetLine() != nil || ended.GetProfile() != nil {
		t.Errorf("what was cancelled has taken something: %v", ended)
	}
	if got := journal(t, at.CarrierURL, carriertest.ActActivateLine, cancelled.GetActivationId()); len(got) > 0 {
		t.Errorf("the carrier saw an order of what was cancelled: %v", got)
	}
	if got := len(journal(t, at.ES2PlusURL, "download_order", "")) - ordered; got != 1 {
		t.Errorf("the SM-DP+ saw %d orders, want one", got)
	}
}

// TestPostgresDown: what cannot be kept is refused, and the same request is accepted later.
func TestPostgresDown(t *testing.T) {
	s := running(t)
	at, connection := s.Addresses(), connect(t, s)
	request := &dialtonev1.LaunchWorkflowRequest{
		RequestId: uuid.NewString(),
		Workflow: &dialtonev1.LaunchWorkflowRequest_MobileActivation{MobileActivation: &dialtonev1.MobileActivation{
			SubscriptionId: subscribe(t, connection), Imei: sandbox.GoodIMEI, ZipCode: sandbox.GoodZIP,
		}},
	}
	up := down(t, s, sandbox.Postgres)

	_, err := dialtonev1.NewWorkflowServiceClient(connection).LaunchWorkflow(t.Context(), request)
	if err == nil {
		t.Fatal("a launch was accepted without a record")
	}
	if status, said := get(t, at.Admin+"/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("without its record the server answers /readyz with %d %s", status, said)
	}
	up()

	await(t, "the server is ready again", func() bool {
		status, _ := get(t, at.Admin+"/readyz")
		return status == http.StatusOK
	})
	launched := send(t, connection, request)
	ends(t, connection, launched.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED)
}

func get(t *testing.T, address string) (int, []byte) {
	t.Helper()
	return request(t, http.MethodGet, address, nil)
}

func cancel(t *testing.T, connection grpc.ClientConnInterface, w *dialtonev1.Workflow) {
	t.Helper()
	_, err := dialtonev1.NewWorkflowServiceClient(connection).CancelWorkflow(t.Context(), &dialtonev1.CancelWorkflowRequest{
		RequestId: uuid.NewString(), ActivationId: w.GetActivationId(), Reason: "the customer changed their mind",
	})
	if err != nil {
		t.Fatal(err)
	}
}

// down kills a part and leaves it so until the test ends, or up is called.
func down(t *testing.T, s *sandbox.Sandbox, part string) (up func()) {
	t.Helper()
	if err := s.Kill(part); err != nil {
		t.Fatal(err)
	}
	up = sync.OnceFunc(func() {
		if err := s.Restart(context.WithoutCancel(t.Context()), part); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(up)
	return up
}

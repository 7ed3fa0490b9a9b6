package sandbox_test

import (
	"context"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/sandbox"
	"github.com/dialtone/dialtone/workflows"
)

// TestCancelFromTemporal: a cancel from the Temporal UI is a cancel like any other. What was
// taken is given back.
func TestCancelFromTemporal(t *testing.T) {
	s := running(t)
	at, connection := s.Addresses(), connect(t, s)
	launched := launch(t, connection, carriertest.IMEIComesUpSilently)
	follow(t, connection, launched.GetActivationId(), func(w *dialtonev1.Workflow) bool {
		return w.GetCurrentStep() == "activate_line" && w.GetLine() != nil
	})

	if err := temporal(t, at).CancelWorkflow(t.Context(), launched.GetWorkflowId(), ""); err != nil {
		t.Fatal(err)
	}

	ended := ends(t, connection, launched.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_CANCELLED)
	if ended.GetCancel() == nil {
		t.Error("the cancel was not kept as one")
	}
	if got := journal(t, at.CarrierURL, carriertest.ActDeactivateLine, launched.GetActivationId()); len(got) != 1 {
		t.Errorf("the line was taken down %d times", len(got))
	}
	lines := journal(t, at.CarrierURL, carriertest.ActActivateLine, launched.GetActivationId())
	if len(lines) != 1 {
		t.Fatalf("the carrier saw %d orders", len(lines))
	}
	line, _ := lines[0].Data["line"].(map[string]any)
	iccid, _ := line["iccid"].(string)
	if got := journal(t, at.ES2PlusURL, "cancel_order", iccid); len(got) != 1 {
		t.Errorf("the profile was given back %d times", len(got))
	}
	found, err := dialtonev1.NewSubscriptionServiceClient(connection).GetSubscription(t.Context(), &dialtonev1.GetSubscriptionRequest{
		SubscriptionId: launched.GetSubscriptionId(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := found.GetSubscription().GetStatus(); got != dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_PENDING {
		t.Errorf("the subscription is %s", got)
	}
}

// TestMigrate: cmd/migrate may run again and twice at a time, on a namespace that is there or
// not, and says plainly what it cannot mend.
func TestMigrate(t *testing.T) {
	s := running(t)

	t.Run("TwiceAtATime", func(t *testing.T) {
		namespace := "twice-" + uuid.NewString()
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				said, err := migrate(t, s, namespace)
				if err != nil || !strings.Contains(said, "temporal: ready") || strings.Contains(said, "admin token:") {
					t.Errorf("%v: %s", err, said)
				}
			})
		}
		both.Wait()

		has := attributes(t, s, namespace)
		for name, want := range workflows.SearchAttributes() {
			if has[name] != want {
				t.Errorf("%s is %s, want %s", name, has[name], want)
			}
		}
		if len(has) != len(workflows.SearchAttributes()) {
			t.Errorf("the namespace has %v", has)
		}
	})

	t.Run("AnAttributeOfAnotherType", func(t *testing.T) {
		namespace := "mismatch-" + uuid.NewString()
		register(t, s, namespace, map[string]enums.IndexedValueType{"Stage": enums.INDEXED_VALUE_TYPE_INT})

		said, err := migrate(t, s, namespace)

		if err == nil || !strings.Contains(said, "Stage is Int and must be Keyword") {
			t.Errorf("%v: %s", err, said)
		}
	})

	t.Run("NoRoom", func(t *testing.T) {
		full := make(map[string]enums.IndexedValueType)
		for _, name := range strings.Fields("A B C D E F G H") {
			full[name] = enums.INDEXED_VALUE_TYPE_KEYWORD
		}
		namespace := "full-" + uuid.NewString()
		register(t, s, namespace, full)

		said, err := migrate(t, s, namespace)

		if err == nil || !strings.Contains(said, "remove what nobody uses") || !strings.Contains(said, "A Keyword, B Keyword") {
			t.Errorf("%v: %s", err, said)
		}
	})
}

// migrate runs the program on another namespace and gives what it says.
func migrate(t *testing.T, s *sandbox.Sandbox, namespace string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "../../.local/bin/migrate")
	cmd.Env = append(environ(), s.MigrateEnv()...)
	cmd.Env = append(cmd.Env, "TEMPORAL_NAMESPACE="+namespace)
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// register makes a namespace that has other attributes.
func register(t *testing.T, s *sandbox.Sandbox, namespace string, has map[string]enums.IndexedValueType) {
	t.Helper()
	c := temporal(t, s.Addresses())
	_, err := c.WorkflowService().RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: namespace, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the namespace takes attributes", func() bool {
		_, err := c.OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
			Namespace: namespace, SearchAttributes: has,
		})
		return err == nil
	})
}

func attributes(t *testing.T, s *sandbox.Sandbox, namespace string) map[string]enums.IndexedValueType {
	t.Helper()
	has, err := temporal(t, s.Addresses()).OperatorService().ListSearchAttributes(t.Context(),
		&operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	return has.GetCustomAttributes()
}

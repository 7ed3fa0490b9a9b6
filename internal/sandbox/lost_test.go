package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdktemporal "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	sdkworkflow "go.temporal.io/sdk/workflow"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// lose is a way in which a run gets lost, on the real server.
type lose func(t *testing.T, engine client.Client, w *dialtonev1.Workflow)

func terminated(t *testing.T, engine client.Client, w *dialtonev1.Workflow) {
	t.Helper()
	if err := engine.TerminateWorkflow(t.Context(), w.GetWorkflowId(), "", "by hand"); err != nil {
		t.Fatal(err)
	}
}

func deleted(t *testing.T, engine client.Client, w *dialtonev1.Workflow) {
	t.Helper()
	_, err := engine.WorkflowService().DeleteWorkflowExecution(t.Context(), &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: &common.WorkflowExecution{WorkflowId: w.GetWorkflowId()},
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the run is deleted", func() bool { return runOf(t, engine, w) == nil })
}

// timedOut and failed leave behind what the engine would when the time of a run was bounded,
// or when its code gave up.
func timedOut(t *testing.T, engine client.Client, w *dialtonev1.Workflow) {
	t.Helper()
	terminated(t, engine, w)
	leaves(t, engine, w, enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT, client.StartWorkflowOptions{
		TaskQueue: "nobody-" + uuid.NewString(), WorkflowRunTimeout: time.Second,
	})
}

func failed(t *testing.T, engine client.Client, w *dialtonev1.Workflow) {
	t.Helper()
	terminated(t, engine, w)
	queue := "failing-" + uuid.NewString()
	failing := worker.New(engine, queue, worker.Options{})
	failing.RegisterWorkflowWithOptions(func(sdkworkflow.Context) error {
		return sdktemporal.NewNonRetryableApplicationError("a bug", "bug", nil)
	}, sdkworkflow.RegisterOptions{Name: "other"})
	if err := failing.Start(); err != nil {
		t.Fatal(err)
	}
	defer failing.Stop()
	leaves(t, engine, w, enums.WORKFLOW_EXECUTION_STATUS_FAILED, client.StartWorkflowOptions{TaskQueue: queue})
}

// leaves runs something else under the run's id until it has ended so.
func leaves(t *testing.T, engine client.Client, w *dialtonev1.Workflow, as enums.WorkflowExecutionStatus, options client.StartWorkflowOptions) {
	t.Helper()
	options.ID = w.GetWorkflowId()
	if _, err := engine.ExecuteWorkflow(t.Context(), options, "other"); err != nil {
		t.Fatal(err)
	}
	await(t, "the run has ended "+as.String(), func() bool { return runOf(t, engine, w).GetStatus() == as })
}

// runOf describes the last run; nil when there is none.
func runOf(t *testing.T, engine client.Client, w *dialtonev1.Workflow) *workflow.WorkflowExecutionInfo {
	t.Helper()
	described, err := engine.DescribeWorkflowExecution(t.Context(), w.GetWorkflowId(), "")
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return described.GetWorkflowExecutionInfo()
}

// revive asks as an operator that somebody looks after a run.
func revive(t *testing.T, s *sandbox.Sandbox, request *dialtonev1.ReviveWorkflowRequest) *dialtonev1.ReviveWorkflowResponse {
	t.Helper()
	connection, err := sandbox.Dial(s.Addresses().GRPC, s.Addresses().OperatorToken)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	response, err := dialtonev1.NewAdminServiceClient(connection).ReviveWorkflow(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func revival(w *dialtonev1.Workflow) *dialtonev1.ReviveWorkflowRequest {
	return &dialtonev1.ReviveWorkflowRequest{RequestId: uuid.NewString(), ActivationId: w.GetActivationId(), Reason: "it does not move"}
}

// inTheMiddle launches what stays at activate_line, with an eSIM taken, until the fault that
// the carrier must have then is mended.
func inTheMiddle(t *testing.T, s *sandbox.Sandbox) (w *dialtonev1.Workflow, mend func()) {
	t.Helper()
	mend = goWrong(t, s.Addresses().CarrierURL, partnertest.Fault{Match: "POST /v1/lines", Kind: partnertest.Status, Status: 503})
	connection := connect(t, s)
	launched := launch(t, connection, sandbox.GoodIMEI)
	return follow(t, connection, launched.GetActivationId(), func(w *dialtonev1.Workflow) bool {
		return w.GetProfile() != nil && w.GetCurrentStep() == "activate_line"
	}), mend
}

// asksAboutLost tells whether an operator is asked how a lost run is to go on.
func asksAboutLost(w *dialtonev1.Workflow) bool {
	for _, item := range w.GetItems() {
		if item.GetKind() == "RUN_LOST" && item.GetCloseTime() == nil {
			return w.GetState() == dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_OPERATOR
		}
	}
	return false
}

// TestRevive_Lost: whatever became of a run, ReviveWorkflow starts it again under the same id.
// It asks an operator before any step, and gives back what the lost one had taken when that is
// the decision.
func TestRevive_Lost(t *testing.T) {
	s := running(t)
	connection, engine := connect(t, s), temporal(t, s.Addresses())
	for name, happens := range map[string]lose{
		"Terminated": terminated, "Deleted": deleted, "TimedOut": timedOut, "Failed": failed,
	} {
		t.Run(name, func(t *testing.T) {
			w, mend := inTheMiddle(t, s)
			first := w.GetRunId()
			happens(t, engine, w)
			mend()

			response := revive(t, s, revival(w))

			if response.GetAlreadyRunning() {
				t.Error("it is said to run")
			}
			asked := follow(t, connection, w.GetActivationId(), asksAboutLost)
			if !asksAboutLost(asked) {
				t.Fatalf("it is %s, %s, with %v", asked.GetState(), asked.GetReason(), asked.GetItems())
			}
			if now := runOf(t, engine, w); now.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING || now.GetExecution().GetRunId() == first {
				t.Errorf("the engine has %v", now)
			}
			if step := asked.GetCurrentStep(); step != "activate_line" || asked.GetLine() != nil {
				t.Errorf("it went on to %s before anybody was asked", step)
			}
			cancel(t, connection, w)
			ended := follow(t, connection, w.GetActivationId(), toTheEnd)
			if ended.GetState() != dialtonev1.WorkflowState_WORKFLOW_STATE_CANCELLED {
				t.Errorf("it ended %s", ended.GetState())
			}
		})
	}
}

// TestRevive_Alive: a run that is there is left alone, and the answer says so; replaced only
// when that is asked, once for each request.
func TestRevive_Alive(t *testing.T) {
	s := running(t)
	connection, engine := connect(t, s), temporal(t, s.Addresses())
	w, mend := inTheMiddle(t, s)
	first := runOf(t, engine, w).GetExecution().GetRunId()

	if response := revive(t, s, revival(w)); !response.GetAlreadyRunning() {
		t.Error("it is not said to run")
	}
	if now := runOf(t, engine, w); now.GetExecution().GetRunId() != first || now.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		t.Errorf("the engine has %v", now)
	}

	replace := revival(w)
	replace.ReplaceRun = true
	if response := revive(t, s, replace); response.GetAlreadyRunning() {
		t.Error("it is said to be left alone")
	}
	mend()
	if asked := follow(t, connection, w.GetActivationId(), asksAboutLost); !asksAboutLost(asked) {
		t.Fatalf("it is %s, %s", asked.GetState(), asked.GetReason())
	}
	second := runOf(t, engine, w).GetExecution().GetRunId()
	if second == first {
		t.Error("the run is the same")
	}
	if why := endOf(t, engine, w, first); !strings.Contains(why, replace.GetRequestId()) {
		t.Errorf("the first run was ended because %q", why)
	}

	revive(t, s, replace)
	again := revival(w)
	if response := revive(t, s, again); !response.GetAlreadyRunning() {
		t.Error("the second run is not said to run")
	}
	if now := runOf(t, engine, w).GetExecution().GetRunId(); now != second {
		t.Error("a repeat has replaced the run once more")
	}
	cancel(t, connection, w)
	follow(t, connection, w.GetActivationId(), toTheEnd)
}

// endOf is why a run was terminated.
func endOf(t *testing.T, engine client.Client, w *dialtonev1.Workflow, run string) string {
	t.Helper()
	events := engine.GetWorkflowHistory(t.Context(), w.GetWorkflowId(), run, false, enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
	event, err := events.Next()
	if err != nil {
		t.Fatal(err)
	}
	return event.GetWorkflowExecutionTerminatedEventAttributes().GetReason()
}

// TestRevive_NothingBegun: a run that is lost before its first act has done nothing that an
// operator would have to look at.
func TestRevive_NothingBegun(t *testing.T) {
	s := running(t)
	connection, engine := connect(t, s), temporal(t, s.Addresses())
	up := down(t, s, sandbox.Worker)
	w := launch(t, connection, sandbox.GoodIMEI)
	await(t, "the run has started", func() bool { return runOf(t, engine, w) != nil })
	terminated(t, engine, w)

	revive(t, s, revival(w))
	up()

	once(t, s, ends(t, connection, w.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED))
}

// TestLook: nobody need notice that a run is lost. The relay does, at the latest when the
// hour is over.
func TestLook(t *testing.T) {
	s := running(t)
	connection, engine := connect(t, s), temporal(t, s.Addresses())
	w, mend := inTheMiddle(t, s)
	alive, _ := inTheMiddle(t, s)
	terminated(t, engine, w)

	anHourPasses(t, s, w, alive)

	if asked := follow(t, connection, w.GetActivationId(), asksAboutLost); !asksAboutLost(asked) {
		t.Fatalf("it is %s, %s", asked.GetState(), asked.GetReason())
	}
	await(t, "the lost run is counted", func() bool { return lostRuns(t, s) > 0 })
	mend()
	once(t, s, ends(t, connection, alive.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED))
	cancel(t, connection, w)
	follow(t, connection, w.GetActivationId(), toTheEnd)
}

// anHourPasses since somebody has looked at those, and then a relay begins.
func anHourPasses(t *testing.T, s *sandbox.Sandbox, all ...*dialtonev1.Workflow) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.Addresses().DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), `SET ROLE dialtone_system`); err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		tag, err := conn.Exec(t.Context(), `
			UPDATE activations
			SET created_at = created_at - interval '1 hour', looked_at = looked_at - interval '1 hour'
			WHERE activation_id = $1`, w.GetActivationId())
		if err != nil || tag.RowsAffected() != 1 {
			t.Fatalf("%v, %v", tag, err)
		}
	}
	crash(t, s, sandbox.Server)
}

// lostRuns is what the server has counted since it began.
func lostRuns(t *testing.T, s *sandbox.Sandbox) int {
	t.Helper()
	status, said := get(t, s.Addresses().Admin+"/metrics")
	found := regexp.MustCompile(`(?m)^dialtone_runs_lost_total (\d+)$`).FindSubmatch(bytes.TrimSpace(said))
	if status != 200 || found == nil {
		return -1
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

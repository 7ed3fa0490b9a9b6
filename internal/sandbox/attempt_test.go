package sandbox_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// These rest on how the real server treats an attempt that is called off while it runs; the
// SDK's test environment calls off in back-off only.

// TestCancel_DuringAnAttempt: a cancel that arrives while an attempt runs is heeded when the
// attempt has ended, whatever came of it.
func TestCancel_DuringAnAttempt(t *testing.T) {
	s := running(t)
	at, connection := s.Addresses(), connect(t, s)
	for name, fault := range map[string]partnertest.Fault{
		"ThatSucceeds": {Match: "POST /v1/lines", Kind: partnertest.Slow, Delay: 3 * time.Second},
		"ThatFails":    {Match: "POST /v1/lines", Kind: partnertest.Status, Status: 500, Delay: 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			mend := goWrong(t, at.CarrierURL, fault)
			launched := launch(t, connection, sandbox.GoodIMEI)
			follow(t, connection, launched.GetActivationId(), isRunning("activate_line"))
			await(t, "the attempt's call", func() bool { return bites(t, at.CarrierURL) })

			cancel(t, connection, launched)

			ended := ends(t, connection, launched.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_CANCELLED)
			mend()
			if state := ended.GetProfile().GetState(); state != dialtonev1.ProfileState_PROFILE_STATE_RETIRED {
				t.Errorf("the eSIM is %s", state)
			}
			ordered := len(journal(t, at.CarrierURL, carriertest.ActActivateLine, launched.GetActivationId()))
			down := len(journal(t, at.CarrierURL, carriertest.ActDeactivateLine, launched.GetActivationId()))
			if ordered != down {
				t.Errorf("%d lines were ordered and %d taken down", ordered, down)
			}
		})
	}
}

// bites tells whether a call has met a fault: then an attempt is with the partner, and not only
// about to begin.
func bites(t *testing.T, partner string) bool {
	t.Helper()
	var faults []partnertest.Fault
	if err := json.Unmarshal(call(t, http.MethodGet, partner+"/_pretend/faults", nil), &faults); err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(faults, func(f partnertest.Fault) bool { return f.Hits > 0 })
}

// TestEvent_DuringALook: the carrier's event that arrives while the line is being read makes
// the run read again, and fails nothing.
func TestEvent_DuringALook(t *testing.T) {
	s := running(t)
	at, connection := s.Addresses(), connect(t, s)
	goWrong(t, at.CarrierURL, partnertest.Fault{Match: "GET /v1/lines/*", Kind: partnertest.Slow, Delay: 3 * time.Second, Times: 1})

	launched := launch(t, connection, carriertest.IMEIComesUpLater)

	ends(t, connection, launched.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED)
}

// TestLostRun: a run that somebody terminated is missed at the next thing that arrives; the
// cancel then gives back what the lost run had taken.
func TestLostRun(t *testing.T) {
	s := running(t)
	at, connection := s.Addresses(), connect(t, s)
	mend := goWrong(t, at.CarrierURL, partnertest.Fault{Match: "POST /v1/lines", Kind: partnertest.Status, Status: 503})
	launched := launch(t, connection, sandbox.GoodIMEI)
	follow(t, connection, launched.GetActivationId(), func(w *dialtonev1.Workflow) bool { return w.GetProfile() != nil })
	engine, err := client.Dial(client.Options{HostPort: at.TemporalAddress})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	if err := engine.TerminateWorkflow(t.Context(), launched.GetWorkflowId(), "", "by hand"); err != nil {
		t.Fatal(err)
	}
	mend()

	cancel(t, connection, launched)

	ended := ends(t, connection, launched.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_CANCELLED)
	if state := ended.GetProfile().GetState(); state != dialtonev1.ProfileState_PROFILE_STATE_RETIRED && state != dialtonev1.ProfileState_PROFILE_STATE_RETURNED {
		t.Errorf("the eSIM is %s", state)
	}
}

// isRunning tells whether an attempt at the step is under way.
func isRunning(name string) func(*dialtonev1.Workflow) bool {
	return func(w *dialtonev1.Workflow) bool {
		for _, step := range w.GetSteps() {
			if step.GetName() == name {
				return step.GetState() == dialtonev1.StepState_STEP_STATE_RUNNING
			}
		}
		return false
	}
}

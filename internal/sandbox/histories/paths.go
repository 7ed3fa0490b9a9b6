package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// path is one way that an activation can go.
type path struct {
	name string
	imei string
	zip  string
	// number is the ending of a number that is brought along; empty for a new line. Says are the
	// customer's answers, one to each question.
	number string
	says   []says
	// fault goes wrong at a partner from the start; at is the partner's URL.
	fault *partnertest.Fault
	at    func(sandbox.Addresses) string
	// when is what is waited for before then is done; nil waits for the end only.
	when func(*dialtonev1.Workflow) bool
	then func(context.Context, *recorder, *dialtonev1.Workflow) error
	// after is done once the activation has ended, and gives the Temporal workflow to record in
	// its place.
	after func(context.Context, *recorder, *dialtonev1.Workflow) (string, error)
	// open tells that the path has no end yet: it is recorded where it waits.
	open bool
}

// paths are all paths of a new line that are worth keeping.
func paths() []path {
	down := &partnertest.Fault{Match: "POST /v1/lines", Kind: partnertest.Status, Status: http.StatusServiceUnavailable}
	return []path{
		{name: "new_line"},
		{name: "new_line_comes_up_later", imei: carriertest.IMEIComesUpLater},
		{name: "new_line_comes_up_silently", imei: carriertest.IMEIComesUpSilently},
		{name: "rejected_at_the_device", imei: carriertest.IMEIBlocked},
		{name: "rejected_and_given_back", zip: carriertest.ZIPNotServedAtActivation},
		{name: "line_fails_later", imei: carriertest.IMEIFailsLater},
		{name: "operator_asked_then_through", fault: down, at: carrierURL, when: waitsForOperator, then: mendTheCarrier},
		{name: "cancelled_while_the_carrier_is_down", fault: down, at: carrierURL, when: retries, then: cancel},
		{name: "cancelled_from_the_temporal_ui", fault: down, at: carrierURL, when: retries, then: cancelInTemporal},
		{
			name: "cancelled_during_an_attempt", at: carrierURL, when: attempts("activate_line"), then: cancel,
			fault: &partnertest.Fault{Match: "POST /v1/lines", Kind: partnertest.Slow, Delay: 4 * time.Second},
		},
		{
			name: "woken_during_a_look", imei: carriertest.IMEIComesUpLater, at: carrierURL,
			fault: &partnertest.Fault{Match: "GET /v1/lines/*", Kind: partnertest.Slow, Delay: 3 * time.Second, Times: 1},
		},
		{
			name: "outcome_unknown", open: true, at: es2plusURL, when: waitsForOperator,
			fault: &partnertest.Fault{Match: "POST /gsma/rsp2/es2plus/downloadOrder", Kind: partnertest.DropAfter},
		},
	}
}

func carrierURL(a sandbox.Addresses) string { return a.CarrierURL }
func es2plusURL(a sandbox.Addresses) string { return a.ES2PlusURL }

func waitsForOperator(w *dialtonev1.Workflow) bool {
	return w.GetState() == dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_OPERATOR
}

// attempts tells whether an attempt at the step is under way.
func attempts(name string) func(*dialtonev1.Workflow) bool {
	return func(w *dialtonev1.Workflow) bool {
		for _, step := range w.GetSteps() {
			if step.GetName() == name && step.GetState() == dialtonev1.StepState_STEP_STATE_RUNNING {
				return true
			}
		}
		return false
	}
}

func retries(w *dialtonev1.Workflow) bool {
	for _, step := range w.GetSteps() {
		if step.GetState() == dialtonev1.StepState_STEP_STATE_RETRYING {
			return true
		}
	}
	return false
}

func mendTheCarrier(ctx context.Context, r *recorder, _ *dialtonev1.Workflow) error {
	return call(ctx, http.MethodDelete, r.addresses.CarrierURL, nil)
}

func cancel(ctx context.Context, r *recorder, w *dialtonev1.Workflow) error {
	_, err := dialtonev1.NewWorkflowServiceClient(r.connection).CancelWorkflow(ctx, &dialtonev1.CancelWorkflowRequest{
		RequestId: uuid.NewString(), ActivationId: w.GetActivationId(), Reason: "recorded",
	})
	return err
}

func cancelInTemporal(ctx context.Context, r *recorder, w *dialtonev1.Workflow) error {
	return r.temporal.CancelWorkflow(ctx, w.GetWorkflowId(), "")
}

// call sets a fault at a partner, or clears all.
func call(ctx context.Context, method, partner string, fault *partnertest.Fault) error {
	body, err := json.Marshal(fault)
	if err != nil {
		return fmt.Errorf("write the fault: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, partner+"/_pretend/faults", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("call the pretend partner: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("call the pretend partner: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("the pretend partner answered %s", response.Status)
	}
	return nil
}

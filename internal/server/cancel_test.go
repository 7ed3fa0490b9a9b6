package server_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

func cancelWorkflow(id mobile.ActivationID) *dialtonev1.CancelWorkflowRequest {
	return &dialtonev1.CancelWorkflowRequest{
		RequestId: uuid.NewString(), ActivationId: string(id), Reason: "The customer called",
	}
}

// Nothing here speaks to the engine: launch and cancel are kept in order for the relay, and
// answered, however long the engine is away.
func TestCancelWorkflow_WithoutEngine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	launched, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), launch(b.pending(t, b.a).ID))
	must(t, err)
	request := cancelWorkflow(mobile.ActivationID(launched.GetWorkflow().GetActivationId()))

	response, err := b.workflows.CancelWorkflow(as(t.Context(), b.a.operator()), request)
	must(t, err)

	w := response.GetWorkflow()
	want := &dialtonev1.Cancel{
		Principal: dialtonev1.Principal_PRINCIPAL_OPERATOR, Actor: "operator", Reason: "The customer called",
		Time: w.GetCancel().GetTime(),
	}
	if !proto.Equal(want, w.GetCancel()) || w.GetCancel().GetTime() == nil {
		t.Errorf("the cancel is %v", w.GetCancel())
	}
	if w.GetState() != dialtonev1.WorkflowState_WORKFLOW_STATE_ACCEPTED || cancelOffered(w) || w.GetRevision() != 2 {
		t.Errorf("%v", w)
	}
	if got := ask[[]string](t, b, `SELECT array_agg(kind ORDER BY outbox_id) FROM outbox`); !cmp.Equal(got, []string{"START", "INTAKE"}) {
		t.Errorf("filed %v", got)
	}
	if got := ask[[]string](t, b, `SELECT array_agg(method ORDER BY at) FROM audit`); !cmp.Equal(got, []string{"LaunchWorkflow", "CancelWorkflow"}) {
		t.Errorf("audited %v", got)
	}

	// The repeat, and another's cancel, change nothing more.
	again, err := b.workflows.CancelWorkflow(as(t.Context(), b.a.operator()), request)
	must(t, err)
	if !proto.Equal(again.GetWorkflow(), w) {
		t.Errorf("a repeat answers %v", again)
	}
	other := cancelWorkflow(mobile.ActivationID(request.GetActivationId()))
	second, err := b.workflows.CancelWorkflow(as(t.Context(), b.a.billing()), other)
	must(t, err)
	if !proto.Equal(second.GetWorkflow().GetCancel(), w.GetCancel()) {
		t.Errorf("a second cancel took the first one's place: %v", second.GetWorkflow().GetCancel())
	}
	request.Reason = "Another"
	_, err = b.workflows.CancelWorkflow(as(t.Context(), b.a.operator()), request)
	wantRefusal(t, err, refusal{
		Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED", Meta: map[string]string{"activation_id": request.GetActivationId()},
	})
}

func TestCancelWorkflow_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ended, live := b.launched(t, b.a), b.launched(t, b.a)
	b.move(t, b.a, ended.ID, mobile.StateRejected)
	b.move(t, b.a, live.ID, mobile.StateRunning)
	b.live(t, live)
	open, others := b.launched(t, b.a), b.launched(t, b.b)

	for name, test := range map[string]struct {
		request *dialtonev1.CancelWorkflowRequest
		want    refusal
	}{
		"ended": {cancelWorkflow(ended.ID), refusal{
			Code: codes.FailedPrecondition, Reason: "WORKFLOW_ENDED",
			Meta: map[string]string{"state": "REJECTED", "activation_id": string(ended.ID)},
		}},
		"live": {cancelWorkflow(live.ID), refusal{
			Code: codes.FailedPrecondition, Reason: "TOO_LATE_TO_CANCEL",
			Meta: map[string]string{"state": "RUNNING", "activation_id": string(live.ID)},
		}},
		"another's": {cancelWorkflow(others.ID), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}},
		"absent":    {cancelWorkflow(mobile.ActivationID(uuid.NewString())), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}},
		"stale": {
			&dialtonev1.CancelWorkflowRequest{RequestId: uuid.NewString(), ActivationId: string(open.ID), Revision: 7, Reason: "x"},
			refusal{
				Code: codes.FailedPrecondition, Reason: "STALE_REVISION",
				Meta: map[string]string{"revision": "1", "activation_id": string(open.ID)},
			},
		},
		"empty": {&dialtonev1.CancelWorkflowRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "activation_id": "FIELD_REQUIRED", "reason": "FIELD_REQUIRED",
		})},
		"malformed": {
			&dialtonev1.CancelWorkflowRequest{
				RequestId: "x", ActivationId: "a/b", Revision: -1, Reason: strings.Repeat("x", 501), Actor: "Ann",
			},
			invalid(map[string]string{
				"request_id": "FIELD_MALFORMED", "activation_id": "FIELD_MALFORMED", "revision": "FIELD_MALFORMED",
				"reason": "FIELD_TOO_LONG", "actor": "FIELD_NOT_ALLOWED",
			}),
		},
	} {
		_, err := b.workflows.CancelWorkflow(as(t.Context(), b.a.billing()), test.request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, test.want) })
	}
	if n := ask[int](t, b, `SELECT count(*) FROM requests`); n != 0 {
		t.Errorf("%d refusals were remembered", n)
	}
}

// live says that the line was seen live, as an activity does.
func (b *bundle) live(t *testing.T, a mobile.Activation) {
	t.Helper()
	b.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error {
		return s.RecordLive(ctx, a.Tenant, a.ID, today())
	})
}

func cancelSubscription(id mobile.SubscriptionID) *dialtonev1.CancelSubscriptionRequest {
	return &dialtonev1.CancelSubscriptionRequest{
		RequestId: uuid.NewString(), SubscriptionId: string(id), Reason: "Ordered by mistake",
	}
}

func TestCancelSubscription(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.billing())
	bare, open := b.pending(t, b.a), b.launched(t, b.a)

	response, err := b.subscriptions.CancelSubscription(ctx, cancelSubscription(bare.ID))
	must(t, err)
	if response.GetSubscription().GetStatus() != dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_CANCELLED || response.GetWorkflow() != nil {
		t.Errorf("without an activation: %v", response)
	}

	request := cancelSubscription(open.Subscription)
	response, err = b.subscriptions.CancelSubscription(ctx, request)
	must(t, err)
	if response.GetSubscription().GetStatus() != dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_CANCELLED ||
		response.GetSubscription().GetCancelTime() == nil ||
		response.GetWorkflow().GetActivationId() != string(open.ID) ||
		response.GetWorkflow().GetCancel().GetReason() != "Ordered by mistake" {
		t.Errorf("with an open activation: %v", response)
	}

	// The repeat is the same, also once the activation has ended; another request finds it
	// cancelled, and answers as it is.
	b.move(t, b.a, open.ID, mobile.StateCancelled)
	again, err := b.subscriptions.CancelSubscription(ctx, request)
	must(t, err)
	if again.GetWorkflow().GetState() != dialtonev1.WorkflowState_WORKFLOW_STATE_CANCELLED {
		t.Errorf("a repeat answers %v", again)
	}
	other, err := b.subscriptions.CancelSubscription(ctx, cancelSubscription(open.Subscription))
	must(t, err)
	if !proto.Equal(other.GetSubscription(), again.GetSubscription()) || other.GetWorkflow() != nil {
		t.Errorf("one that is cancelled answers %v", other)
	}
	// And it cannot be launched.
	_, err = b.workflows.LaunchWorkflow(ctx, launch(open.Subscription))
	wantRefusal(t, err, refusal{Code: codes.FailedPrecondition, Reason: "SUBSCRIPTION_NOT_PENDING"})
}

// A line that has come up is not taken down behind anybody's back: an operator is asked.
func TestCancelSubscription_LiveLine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	open := b.launched(t, b.a)
	b.move(t, b.a, open.ID, mobile.StateRunning)
	b.live(t, open)
	request := cancelSubscription(open.Subscription)

	for range 2 {
		_, err := b.subscriptions.CancelSubscription(as(t.Context(), b.a.billing()), request)
		wantRefusal(t, err, refusal{
			Code: codes.FailedPrecondition, Reason: "TOO_LATE_TO_CANCEL",
			Meta: map[string]string{
				"state": "RUNNING", "activation_id": string(open.ID), "subscription_id": string(open.Subscription),
			},
		})
	}

	response, err := b.workflows.GetWorkflow(as(t.Context(), b.a.operator()), &dialtonev1.GetWorkflowRequest{
		Lookup: &dialtonev1.GetWorkflowRequest_SubscriptionId{SubscriptionId: string(open.Subscription)},
	})
	must(t, err)
	w := response.GetWorkflow()
	if len(w.GetItems()) != 1 || w.GetItems()[0].GetKind() != "NUMBER_AT_RISK" || w.GetSeverity() != dialtonev1.Severity_SEVERITY_AT_RISK {
		t.Errorf("the operators are asked %v", w.GetItems())
	}
	if w.GetCancel() != nil || w.GetLine().GetLiveTime() == nil {
		t.Errorf("%v", w)
	}
	if status := ask[string](t, b, `SELECT status FROM subscriptions`); status != "PENDING" {
		t.Errorf("the subscription is %s", status)
	}
}

func TestCancelSubscription_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	active, others := b.withStatus(t, "ACTIVE"), b.pending(t, b.b)
	for name, test := range map[string]struct {
		request *dialtonev1.CancelSubscriptionRequest
		want    refusal
	}{
		"active": {cancelSubscription(active), refusal{
			Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE",
			Meta: map[string]string{"state": "ACTIVE", "subscription_id": string(active)},
		}},
		"another's": {cancelSubscription(others.ID), refusal{Code: codes.NotFound, Reason: "SUBSCRIPTION_NOT_FOUND"}},
		"empty": {&dialtonev1.CancelSubscriptionRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "subscription_id": "FIELD_REQUIRED", "reason": "FIELD_REQUIRED",
		})},
	} {
		_, err := b.subscriptions.CancelSubscription(as(t.Context(), b.a.billing()), test.request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, test.want) })
	}
}

func cancelOffered(w *dialtonev1.Workflow) bool {
	return slices.ContainsFunc(w.GetChoices(), func(c *dialtonev1.Choice) bool {
		return c.GetCommand() == dialtonev1.Command_COMMAND_CANCEL_WORKFLOW
	})
}

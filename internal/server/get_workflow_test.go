package server_test

import (
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

func TestGetWorkflow_ByAnyName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.billing())
	sub := b.pending(t, b.a)
	old, err := b.workflows.LaunchWorkflow(ctx, launch(sub.ID))
	must(t, err)
	b.move(t, b.a, mobile.ActivationID(old.GetWorkflow().GetActivationId()), mobile.StateRejected)
	launched, err := b.workflows.LaunchWorkflow(ctx, launch(sub.ID))
	must(t, err)
	want := launched.GetWorkflow()

	byID, err := b.workflows.GetWorkflow(ctx, &dialtonev1.GetWorkflowRequest{
		Lookup: &dialtonev1.GetWorkflowRequest_ActivationId{ActivationId: want.GetActivationId()},
	})
	must(t, err)
	byWorkflow, err := b.workflows.GetWorkflow(ctx, &dialtonev1.GetWorkflowRequest{
		Lookup: &dialtonev1.GetWorkflowRequest_WorkflowId{WorkflowId: want.GetWorkflowId()},
	})
	must(t, err)
	bySubscription, err := b.workflows.GetWorkflow(ctx, &dialtonev1.GetWorkflowRequest{
		Lookup: &dialtonev1.GetWorkflowRequest_SubscriptionId{SubscriptionId: string(sub.ID)},
	})
	must(t, err)

	for name, got := range map[string]*dialtonev1.GetWorkflowResponse{"id": byID, "workflow id": byWorkflow, "subscription": bySubscription} {
		if !proto.Equal(got.GetWorkflow(), want) {
			t.Errorf("by %s: %v", name, got)
		}
	}
}

func TestGetWorkflow_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bare := b.pending(t, b.a)
	byID := func(id string) *dialtonev1.GetWorkflowRequest {
		return &dialtonev1.GetWorkflowRequest{Lookup: &dialtonev1.GetWorkflowRequest_ActivationId{ActivationId: id}}
	}
	bySubscription := func(id string) *dialtonev1.GetWorkflowRequest {
		return &dialtonev1.GetWorkflowRequest{Lookup: &dialtonev1.GetWorkflowRequest_SubscriptionId{SubscriptionId: id}}
	}
	notFound := refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}
	for name, test := range map[string]struct {
		request *dialtonev1.GetWorkflowRequest
		want    refusal
	}{
		"nothing":        {&dialtonev1.GetWorkflowRequest{}, invalid(map[string]string{"lookup": "FIELD_REQUIRED"})},
		"empty":          {byID(""), invalid(map[string]string{"activation_id": "FIELD_REQUIRED"})},
		"with a slash":   {byID("a/b"), invalid(map[string]string{"activation_id": "FIELD_MALFORMED"})},
		"with a newline": {byID(uuid.NewString() + "\n"), invalid(map[string]string{"activation_id": "FIELD_MALFORMED"})},
		"with an at":     {bySubscription("a@b"), invalid(map[string]string{"subscription_id": "FIELD_MALFORMED"})},
		"with a NUL": {&dialtonev1.GetWorkflowRequest{
			Lookup: &dialtonev1.GetWorkflowRequest_WorkflowId{WorkflowId: "a\x00"},
		}, invalid(map[string]string{"workflow_id": "FIELD_CONTROL_CHARACTER"})},
		"absent":        {byID(uuid.NewString()), notFound},
		"nil":           {byID(uuid.Nil.String()), notFound},
		"absent sub":    {bySubscription("absent"), notFound},
		"never started": {bySubscription(string(bare.ID)), notFound},
	} {
		_, err := b.workflows.GetWorkflow(as(t.Context(), b.a.billing()), test.request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, test.want) })
		stream, err := b.workflows.WatchWorkflow(as(t.Context(), b.a.billing()), watchLike(test.request))
		must(t, err)
		_, err = stream.Recv()
		t.Run("watch "+name, func(t *testing.T) { wantRefusal(t, err, test.want) })
	}
}

func watchLike(request *dialtonev1.GetWorkflowRequest) *dialtonev1.WatchWorkflowRequest {
	switch lookup := request.GetLookup().(type) {
	case *dialtonev1.GetWorkflowRequest_ActivationId:
		return &dialtonev1.WatchWorkflowRequest{Lookup: &dialtonev1.WatchWorkflowRequest_ActivationId{ActivationId: lookup.ActivationId}}
	case *dialtonev1.GetWorkflowRequest_WorkflowId:
		return &dialtonev1.WatchWorkflowRequest{Lookup: &dialtonev1.WatchWorkflowRequest_WorkflowId{WorkflowId: lookup.WorkflowId}}
	case *dialtonev1.GetWorkflowRequest_SubscriptionId:
		return &dialtonev1.WatchWorkflowRequest{Lookup: &dialtonev1.WatchWorkflowRequest_SubscriptionId{SubscriptionId: lookup.SubscriptionId}}
	}
	return &dialtonev1.WatchWorkflowRequest{}
}

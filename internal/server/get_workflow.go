package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// GetWorkflow reads one activation of the caller's tenant in full.
func (r *rpcs) GetWorkflow(ctx context.Context, request *dialtonev1.GetWorkflowRequest) (*dialtonev1.GetWorkflowResponse, error) {
	caller := access.From(ctx)
	var f form
	var key store.Key
	switch lookup := request.GetLookup().(type) {
	case *dialtonev1.GetWorkflowRequest_ActivationId:
		key.ID = f.activation("activation_id", lookup.ActivationId)
	case *dialtonev1.GetWorkflowRequest_WorkflowId:
		key.WorkflowID = f.workflowID(lookup.WorkflowId)
	case *dialtonev1.GetWorkflowRequest_SubscriptionId:
		key.Subscription = f.subscription("subscription_id", lookup.SubscriptionId)
	default:
		f.refuseLookup()
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	var workflow *dialtonev1.Workflow
	err := r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) (err error) {
		workflow, err = r.readWorkflow(ctx, s, caller.Tenant, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &dialtonev1.GetWorkflowResponse{Workflow: workflow}, nil
}

// workflowIDLengthMax is more than the longest id that we make.
const workflowIDLengthMax = 256

// workflowID reads a Temporal Workflow ID.
func (f *form) workflowID(s string) string { return f.text("workflow_id", s, workflowIDLengthMax) }

func (f *form) refuseLookup() {
	f.refuse("lookup", "FIELD_REQUIRED", "Say which: set activation_id, workflow_id or subscription_id.")
}

// withActivation adds to a refusal which activation it is about.
func withActivation(err error, id mobile.ActivationID) error {
	if f := fault.Of(err); f != nil {
		return f.With("activation_id", string(id))
	}
	return err
}

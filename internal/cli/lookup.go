package cli

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

const lookupHelp = `The activation is named by its id (a UUID), by its Temporal workflow id (with slashes),
or by its subscription, whose newest activation is meant.`

// lookup is an activation as somebody named it.
type lookup struct {
	name string
	kind lookupKind
}

type lookupKind int

const (
	bySubscription lookupKind = iota
	byActivation
	byWorkflow
)

// newLookup tells by its shape what a name is.
func newLookup(name string) lookup {
	if strings.Contains(name, "/") {
		return lookup{name: name, kind: byWorkflow}
	}
	if _, err := uuid.Parse(name); err == nil {
		return lookup{name: name, kind: byActivation}
	}
	return lookup{name: name}
}

// get asks for the activation.
func (l lookup) get() *dialtonev1.GetWorkflowRequest {
	switch l.kind {
	case byActivation:
		return &dialtonev1.GetWorkflowRequest{Lookup: &dialtonev1.GetWorkflowRequest_ActivationId{ActivationId: l.name}}
	case byWorkflow:
		return &dialtonev1.GetWorkflowRequest{Lookup: &dialtonev1.GetWorkflowRequest_WorkflowId{WorkflowId: l.name}}
	case bySubscription:
	}
	return &dialtonev1.GetWorkflowRequest{Lookup: &dialtonev1.GetWorkflowRequest_SubscriptionId{SubscriptionId: l.name}}
}

// getWorkflow reads the activation. A UUID that is no activation's is tried as a
// subscription's: those that we make are UUIDs too.
func (a *app) getWorkflow(ctx context.Context, l lookup) (*dialtonev1.GetWorkflowResponse, error) {
	client := dialtonev1.NewWorkflowServiceClient(a.connection)
	response, err := client.GetWorkflow(ctx, l.get())
	if status.Code(err) != codes.NotFound || l.kind != byActivation {
		return response, err
	}
	response, again := client.GetWorkflow(ctx, lookup{name: l.name, kind: bySubscription}.get())
	if status.Code(again) == codes.NotFound {
		return nil, err
	}
	return response, again
}

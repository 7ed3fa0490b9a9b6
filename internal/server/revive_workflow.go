package server

import (
	"context"
	"strconv"
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

// Runs are the engine's runs, as operators' commands need them.
type Runs interface {
	// Alive gives the id of the run that is there under a Temporal Workflow ID; empty when
	// there is none. It is asked for what people are shown, and never decides what is kept.
	Alive(ctx context.Context, workflowID string) (run string, err error)
	// Resolve hands a run an operator's decision; see workflows.Client.
	Resolve(ctx context.Context, r workflows.Resolve) error
}

// runsTimeout bounds the wait for an engine that does not answer.
const runsTimeout = time.Second

// revival is a ReviveWorkflow as it was understood.
type revival struct {
	mutation

	activation mobile.ActivationID
	revision   int64
	replaceRun bool
}

// ReviveWorkflow keeps that a run is to be looked after and files it with the relay. It is
// answered once that is committed, whether the engine can be reached or not.
func (r *rpcs) ReviveWorkflow(ctx context.Context, request *dialtonev1.ReviveWorkflowRequest) (*dialtonev1.ReviveWorkflowResponse, error) {
	v, err := readRevival(access.From(ctx), request)
	if err != nil {
		return nil, err
	}
	// It is asked before: afterwards there could be the run that this call has started.
	run := r.findRun(ctx, v)

	var workflow *dialtonev1.Workflow
	var repeated bool
	err = r.inOwnDoor(ctx, func(s *store.Store) (err error) {
		workflow, repeated, err = r.revive(ctx, s, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.nudge()
	running := run != ""
	if repeated {
		// Another than the one that has the activation may be what the first call has started.
		running = running && run == workflow.GetRunId()
	}
	return &dialtonev1.ReviveWorkflowResponse{Workflow: workflow, AlreadyRunning: running}, nil
}

func (r *rpcs) revive(ctx context.Context, s *store.Store, v revival) (workflow *dialtonev1.Workflow, repeated bool, err error) {
	_, repeated, err = r.accept(ctx, s, v.mutation)
	if err != nil {
		return nil, false, err
	}
	if !repeated {
		err = s.ReviveActivation(ctx, store.Revival{
			Tenant: v.tenant, Activation: v.activation, Revision: v.revision,
			RequestID: v.requestID, ReplaceRun: v.replaceRun,
		})
		if err != nil {
			return nil, false, withActivation(err, v.activation)
		}
	}
	workflow, err = r.readWorkflow(ctx, s, v.tenant, store.Key{ID: v.activation})
	return workflow, repeated, err
}

func readRevival(caller access.Caller, request *dialtonev1.ReviveWorkflowRequest) (revival, error) {
	var f form
	tenant, err := f.tenant(caller, "tenant_id", request.GetTenantId())
	if err != nil {
		return revival{}, err
	}
	v := revival{
		activation: f.activation("activation_id", request.GetActivationId()),
		revision:   f.revision(request.GetRevision()),
		replaceRun: request.GetReplaceRun(),
	}
	v.mutation = mutation{
		method: "ReviveWorkflow", requestID: f.requestID(request.GetRequestId()), tenant: tenant,
		reason: f.reason(request.GetReason()), person: f.actor(caller, request.GetActor()),
		resource: string(v.activation), activation: true,
	}
	v.fields = []string{
		string(tenant), string(v.activation), strconv.FormatInt(v.revision, 10), v.reason, v.person,
		strconv.FormatBool(v.replaceRun),
	}
	return v, f.err()
}

// findRun asks the engine for a run that is to be left alone. Without an answer it gives none:
// the revival is kept in any case, and does no harm to a run that is there.
func (r *rpcs) findRun(ctx context.Context, v revival) string {
	if r.runs == nil || v.replaceRun {
		return ""
	}
	var a mobile.Activation
	err := r.inOwnDoor(ctx, func(s *store.Store) (err error) {
		a, err = s.Activation(ctx, v.tenant, store.Key{ID: v.activation})
		return err
	})
	if err != nil || a.State.Final() {
		return ""
	}
	patience := runsTimeout
	if deadline, has := ctx.Deadline(); has {
		patience = min(patience, time.Until(deadline)/2) // the rest is for the record
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	run, err := r.runs.Alive(ctx, a.WorkflowID)
	if err != nil {
		return ""
	}
	return run
}

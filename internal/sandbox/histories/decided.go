package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/workflowservice/v1"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// decided are the paths on which an operator decides, and those of what is done beside an
// activation's own run.
func decided() []path {
	lost := &partnertest.Fault{Match: "POST /gsma/rsp2/es2plus/downloadOrder", Kind: partnertest.DropAfter, Times: 1}
	hung := &partnertest.Fault{Kind: partnertest.Hang, Times: 1}
	dropped := &partnertest.Fault{Kind: partnertest.DropAfter, Times: 1}
	down := &partnertest.Fault{Match: "POST /v1/lines", Kind: partnertest.Status, Status: http.StatusServiceUnavailable}
	return []path{
		{
			name: "order_lost_and_sent_again", at: es2plusURL, fault: lost, when: asked("OUTCOME_UNKNOWN"),
			then: resolve(dialtonev1.Resolution_RESOLUTION_SEND_AGAIN),
		},
		{
			name: "order_lost_and_given_up", at: es2plusURL, fault: lost, when: asked("OUTCOME_UNKNOWN"),
			then: resolve(dialtonev1.Resolution_RESOLUTION_GIVE_UP),
		},
		{name: "mail_lost_and_told_by_events", at: sendGridURL, fault: dropped},
		{
			name: "mail_lost_and_sent_again", at: sendGridURL, fault: hung, when: asked("OUTCOME_UNKNOWN"),
			then: resolve(dialtonev1.Resolution_RESOLUTION_SEND_AGAIN),
		},
		{
			name: "stuck_and_given_up", at: carrierURL, fault: down, when: waitsForOperator,
			then: resolve(dialtonev1.Resolution_RESOLUTION_GIVE_UP),
		},
		{name: "lost_run_goes_on", at: carrierURL, fault: down, when: retries, then: loseAndGoOn},
		{name: "follow_up_resend", after: resend},
		{name: "follow_up_replace", after: replace},
	}
}

func sendGridURL(a sandbox.Addresses) string { return a.SendGridURL }

// asked tells whether an operator is asked for this reason.
func asked(kind string) func(*dialtonev1.Workflow) bool {
	return func(w *dialtonev1.Workflow) bool {
		for _, item := range w.GetItems() {
			if item.GetKind() == kind && item.GetCloseTime() == nil {
				return true
			}
		}
		return false
	}
}

func resolve(resolution dialtonev1.Resolution) func(context.Context, *recorder, *dialtonev1.Workflow) error {
	return func(ctx context.Context, r *recorder, w *dialtonev1.Workflow) error {
		_, err := dialtonev1.NewWorkflowServiceClient(r.operator).ResolveAction(ctx, &dialtonev1.ResolveActionRequest{
			RequestId: uuid.NewString(), ActivationId: w.GetActivationId(), Reason: "recorded", Resolution: resolution,
		})
		return err
	}
}

// loseAndGoOn terminates the run, has another one started, and lets it go on.
func loseAndGoOn(ctx context.Context, r *recorder, w *dialtonev1.Workflow) error {
	if err := r.temporal.TerminateWorkflow(ctx, w.GetWorkflowId(), "", "recorded"); err != nil {
		return err
	}
	_, err := dialtonev1.NewAdminServiceClient(r.operator).ReviveWorkflow(ctx, &dialtonev1.ReviveWorkflowRequest{
		RequestId: uuid.NewString(), ActivationId: w.GetActivationId(), Reason: "recorded",
	})
	if err != nil {
		return err
	}
	lost := asked("RUN_LOST")
	if _, err := sandbox.Follow(ctx, r.connection, w.GetActivationId(), lost); err != nil {
		return err
	}
	if err := mendTheCarrier(ctx, r, w); err != nil {
		return err
	}
	return resolve(dialtonev1.Resolution_RESOLUTION_GO_ON)(ctx, r, w)
}

func resend(ctx context.Context, r *recorder, w *dialtonev1.Workflow) (string, error) {
	_, err := dialtonev1.NewWorkflowServiceClient(r.operator).ResendActivationEmail(ctx, &dialtonev1.ResendActivationEmailRequest{
		RequestId: uuid.NewString(), ActivationId: w.GetActivationId(), Reason: "recorded",
	})
	if err != nil {
		return "", err
	}
	return r.followUp(ctx, w)
}

func replace(ctx context.Context, r *recorder, w *dialtonev1.Workflow) (string, error) {
	_, err := dialtonev1.NewWorkflowServiceClient(r.operator).ReplaceProfile(ctx, &dialtonev1.ReplaceProfileRequest{
		RequestId: uuid.NewString(), ActivationId: w.GetActivationId(), Reason: "recorded", Authentication: "recorded",
	})
	if err != nil {
		return "", err
	}
	return r.followUp(ctx, w)
}

// followUp finds the Temporal workflow of an activation's follow-up, once it has begun.
func (r *recorder) followUp(ctx context.Context, w *dialtonev1.Workflow) (string, error) {
	prefix := mobile.FollowUpWorkflowID(mobile.TenantID(w.GetTenantId()), mobile.ActivationID(w.GetActivationId()), "")
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		found, err := r.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: fmt.Sprintf("WorkflowId STARTS_WITH %q", prefix),
		})
		if err != nil {
			return "", fmt.Errorf("look for the follow-up: %w", err)
		}
		if runs := found.GetExecutions(); len(runs) > 0 {
			return runs[0].GetExecution().GetWorkflowId(), nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-again.C:
		}
	}
}

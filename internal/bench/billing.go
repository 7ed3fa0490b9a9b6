package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// plan is the sandbox's mobile plan.
const plan = "mobile-5g"

// sell makes so many pending subscriptions.
func (s *stand) sell(ctx context.Context, count int) ([]string, error) {
	const hands = 8
	client := dialtonev1.NewSubscriptionServiceClient(s.billing)
	ids := make([]string, count)
	_, err := take(ctx, count, hands, func(ctx context.Context, n int) error {
		ids[n] = "sub-" + uuid.NewString()
		_, err := client.CreateSubscription(ctx, &dialtonev1.CreateSubscriptionRequest{
			RequestId: uuid.NewString(), SubscriptionId: ids[n], AccountId: "acct-" + ids[n],
			CustomerName: "Grace Hopper", CustomerEmail: "grace@customer.example", Plan: plan, PendingUntilActivated: true,
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make pending subscriptions: %w", err)
	}
	return ids, nil
}

// launchOf is the launch of a new line on a subscription.
func launchOf(subscription string) *dialtonev1.LaunchWorkflowRequest {
	return &dialtonev1.LaunchWorkflowRequest{
		RequestId: uuid.NewString(),
		Workflow: &dialtonev1.LaunchWorkflowRequest_MobileActivation{MobileActivation: &dialtonev1.MobileActivation{
			SubscriptionId: subscription, Imei: sandbox.GoodIMEI, ZipCode: sandbox.GoodZIP,
		}},
	}
}

// launch gives the launched activation's id.
func (s *stand) launch(ctx context.Context, subscription string) (*dialtonev1.Workflow, error) {
	launched, err := dialtonev1.NewWorkflowServiceClient(s.billing).LaunchWorkflow(ctx, launchOf(subscription))
	if err != nil {
		return nil, fmt.Errorf("launch on %s: %w", subscription, err)
	}
	return launched.GetWorkflow(), nil
}

// finish watches an activation until it has ended well.
func (s *stand) finish(ctx context.Context, w *dialtonev1.Workflow) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.watch(ctx, w.GetActivationId())
	for err == nil && w.GetEndTime() == nil {
		var message *dialtonev1.WatchWorkflowResponse
		message, err = stream.Recv()
		w = message.GetWorkflow()
	}
	if err != nil {
		return fmt.Errorf("watch an activation: %w", err)
	}
	if state := w.GetState(); state != dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED {
		return fmt.Errorf("activation %s ended %s, %s", w.GetActivationId(), state, w.GetReason())
	}
	return nil
}

func (s *stand) watch(ctx context.Context, activation string) (dialtonev1.WorkflowService_WatchWorkflowClient, error) {
	return dialtonev1.NewWorkflowServiceClient(s.billing).WatchWorkflow(ctx, &dialtonev1.WatchWorkflowRequest{
		Lookup: &dialtonev1.WatchWorkflowRequest_ActivationId{ActivationId: activation},
	})
}

// warmUp takes everything once or twice, so that caches, pools and plans are as in use.
func warmUp(ctx context.Context, s *stand) ([]row, error) {
	const count, hands, starts = 16, 4, 8
	subscriptions, err := s.sell(ctx, count)
	if err != nil {
		return nil, err
	}
	if _, err := s.finishAll(ctx, subscriptions, hands); err != nil {
		return nil, err
	}
	_, err = s.bare.finishAll(ctx, bareWorkflows{count: starts, hands: hands, activities: 1})
	return nil, err
}

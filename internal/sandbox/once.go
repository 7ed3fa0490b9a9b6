package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// The journeys that Once knows.
const (
	JourneyNew  = "new"
	JourneyPort = "port"
)

// Checked says whether a word names a journey that Once can play.
func Checked(journey string) error {
	switch journey {
	case JourneyNew, JourneyPort:
		return nil
	default:
		return fmt.Errorf("there is no journey %q: it is %s or %s", journey, JourneyNew, JourneyPort)
	}
}

// What the journeys are launched with: a good device in Los Angeles.
const (
	GoodIMEI = "490154203237518"
	GoodZIP  = "90012"
)

// journeyTimeout bounds a journey, and the checks after it.
const journeyTimeout = 2 * time.Minute

// Connect prepares a connection to the server as the billing of the first tenant.
func (s *Sandbox) Connect() (*grpc.ClientConn, error) {
	return Dial(s.settings.ports.address(portGRPC), s.settings.state.Tenants[tenants()[0].id].Billing)
}

// Once launches an activation on a subscription of its own, tells each step as it happens,
// and then looks at every place where it should have left a trace. Its error says which check
// failed.
func (s *Sandbox) Once(ctx context.Context, journey string) error {
	if err := Checked(journey); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, journeyTimeout)
	defer cancel()
	connection, err := s.Connect()
	if err != nil {
		return err
	}
	defer connection.Close()
	play := s.playNew
	if journey == JourneyPort {
		play = s.playPort
	}
	if err := play(ctx, connection); err != nil {
		return orInterrupted(ctx, err)
	}
	s.settings.config.tell("\nAll is as it should be.")
	return nil
}

// playNew plays the journey of a new line.
func (s *Sandbox) playNew(ctx context.Context, connection grpc.ClientConnInterface) error {
	customer := Customer{Name: "Grace Hopper", Email: "grace@customer.example"}
	launched, err := Launch(ctx, connection, customer)
	if err != nil {
		return err
	}
	c := s.settings.config
	c.tell("\nA new line for %s, on the subscription %s.\n", customer.Name, launched.GetSubscriptionId())
	story := newStory(c)
	ended, err := Follow(ctx, connection, launched.GetActivationId(), story.hear)
	if err != nil {
		return fmt.Errorf("watch the activation: %w", err)
	}
	if err := endedUnaided(ended); err != nil {
		return err
	}
	seen := &evidence{sandbox: s, connection: connection, workflow: ended}
	return s.check(ctx, seen.ofNewLine())
}

// endedUnaided refuses an activation that waits for an operator: here is none.
func endedUnaided(w *dialtonev1.Workflow) error {
	if w.GetEndTime() == nil {
		return fmt.Errorf("the activation waits for an operator: %s (%s)", w.GetReason(), w.GetReasonMessage())
	}
	return nil
}

// Launch makes a pending subscription and launches the activation of a new line on it.
func Launch(ctx context.Context, connection grpc.ClientConnInterface, customer Customer) (*dialtonev1.Workflow, error) {
	subscription, err := createPending(ctx, dialtonev1.NewSubscriptionServiceClient(connection), customer)
	if err != nil {
		return nil, err
	}
	return launch(ctx, connection, &dialtonev1.MobileActivation{SubscriptionId: subscription, Imei: GoodIMEI, ZipCode: GoodZIP})
}

func launch(ctx context.Context, connection grpc.ClientConnInterface, form *dialtonev1.MobileActivation) (*dialtonev1.Workflow, error) {
	launched, err := dialtonev1.NewWorkflowServiceClient(connection).LaunchWorkflow(ctx, &dialtonev1.LaunchWorkflowRequest{
		RequestId: uuid.NewString(),
		Workflow:  &dialtonev1.LaunchWorkflowRequest_MobileActivation{MobileActivation: form},
	})
	if err != nil {
		return nil, fmt.Errorf("launch on %s: %w", form.GetSubscriptionId(), err)
	}
	return launched.GetWorkflow(), nil
}

// Follow watches an activation to its end, or until enough says so of it after a change, and
// gives it as it is then. A server that goes away meanwhile is waited for.
func Follow(ctx context.Context, connection grpc.ClientConnInterface, activation string, enough func(*dialtonev1.Workflow) bool) (*dialtonev1.Workflow, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // it ends the stream
	var last *dialtonev1.Workflow
	for {
		stream, err := dialtonev1.NewWorkflowServiceClient(connection).WatchWorkflow(ctx, &dialtonev1.WatchWorkflowRequest{
			Lookup: &dialtonev1.WatchWorkflowRequest_ActivationId{ActivationId: activation},
		}, grpc.WaitForReady(true))
		for err == nil {
			var message *dialtonev1.WatchWorkflowResponse
			if message, err = stream.Recv(); err == nil {
				if last = message.GetWorkflow(); enough(last) {
					return last, nil
				}
			}
		}
		switch {
		case last.GetEndTime() != nil:
			return last, nil
		case ctx.Err() != nil:
			return last, fmt.Errorf("it is still %s: %w", last.GetState(), ctx.Err())
		case status.Code(err) != codes.Unavailable:
			return last, err
		}
		if pause(ctx, pollInterval) != nil {
			return last, fmt.Errorf("it is still %s: %w", last.GetState(), ctx.Err())
		}
	}
}

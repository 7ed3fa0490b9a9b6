package sandbox

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// bearer is a token, as gRPC sends it.
type bearer string

// GetRequestMetadata gives the header.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity is false: the server is on this machine.
func (bearer) RequireTransportSecurity() bool { return false }

// Dial prepares a connection to the server of a sandbox, for calls with a token. Nothing is
// dialled before the first call.
func Dial(address, token string) (*grpc.ClientConn, error) {
	reconnect := backoff.DefaultConfig
	reconnect.BaseDelay, reconnect.MaxDelay = restartFirst, restartMax
	connection, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(bearer(token)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: probeTimeout}),
	)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", address, err)
	}
	return connection, nil
}

// ensurePending gives a subscription on which an activation can be launched: one of an
// earlier start that nobody has used, or a new one.
func ensurePending(ctx context.Context, connection grpc.ClientConnInterface) (string, error) {
	subscriptions := dialtonev1.NewSubscriptionServiceClient(connection)
	found, err := subscriptions.ListSubscriptions(ctx, &dialtonev1.ListSubscriptionsRequest{
		Status: dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_PENDING,
	})
	if err != nil {
		return "", fmt.Errorf("look for a pending subscription: %w", err)
	}
	for _, s := range found.GetSubscriptions() {
		if s.GetActivationId() == "" && s.GetPlan() == MobilePlan {
			return s.GetSubscriptionId(), nil
		}
	}
	return createPending(ctx, subscriptions, Customer{Name: "Ada Lovelace", Email: "ada@customer.example"})
}

// Customer is whom a subscription is sold to.
type Customer struct{ Name, Email string }

func createPending(ctx context.Context, subscriptions dialtonev1.SubscriptionServiceClient, customer Customer) (string, error) {
	short := uuid.NewString()[:8]
	created, err := subscriptions.CreateSubscription(ctx, &dialtonev1.CreateSubscriptionRequest{
		RequestId: uuid.NewString(), SubscriptionId: "sub-" + short, AccountId: "acct-" + short,
		CustomerName: customer.Name, CustomerEmail: customer.Email,
		Plan: MobilePlan, PendingUntilActivated: true,
	})
	if err != nil {
		return "", fmt.Errorf("make a pending subscription: %w", err)
	}
	return created.GetSubscription().GetSubscriptionId(), nil
}

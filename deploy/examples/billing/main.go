// Command billing launches the Mobile Activation of a pending subscription, and bills once the
// feed says that its line is live (DIALTONE_ADDRESS=… DIALTONE_TOKEN=… billing sale.json).
// Kill it, or any server, at any moment and run it again: nothing is lost or happens twice.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/local"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// sale is a row of your database. Its request id is kept before the first call.
type sale struct {
	file, Subscription, IMEI, ZIP, RequestID, Activation string
	Cursor                                               int64 // how far the feed was dealt with
}

func main() {
	s := &sale{file: os.Args[len(os.Args)-1], RequestID: uuid.NewString()}
	text, err := os.ReadFile(s.file)
	err = errors.Join(err, json.Unmarshal(text, s))
	for _, step := range []func(context.Context, *grpc.ClientConn) error{s.keep, s.launch, s.keep, s.follow} {
		if err == nil {
			err = insist(step)
		}
	}
	if err != nil {
		panic(err) //nolint:forbidigo // a real one waits for somebody to look
	}
}

// insist repeats a step until it is answered. Whether a lost call got through, nobody need know.
func insist(step func(context.Context, *grpc.ClientConn) error) error {
	servers := strings.Split(os.Getenv("DIALTONE_ADDRESS"), ",")
	for n, wait := 0, 100*time.Millisecond; ; n, wait = n+1, min(2*wait, 2*time.Second) {
		server, err := grpc.NewClient(servers[n%len(servers)], grpc.WithTransportCredentials(local.NewCredentials())) // elsewhere credentials.NewTLS
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute) //nolint:forbidigo // nobody gives us one
		err = step(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+os.Getenv("DIALTONE_TOKEN")), server)
		cancel()
		server.Close()
		if c := status.Code(err); c != codes.Unavailable && c != codes.DeadlineExceeded && c != codes.ResourceExhausted {
			return err
		}
		<-time.After(wait)
	}
}

func (s *sale) launch(ctx context.Context, server *grpc.ClientConn) error {
	response, err := dialtonev1.NewWorkflowServiceClient(server).LaunchWorkflow(ctx, &dialtonev1.LaunchWorkflowRequest{
		RequestId: s.RequestID, Workflow: &dialtonev1.LaunchWorkflowRequest_MobileActivation{MobileActivation: &dialtonev1.MobileActivation{SubscriptionId: s.Subscription, Imei: s.IMEI, ZipCode: s.ZIP}},
	})
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() == "ACTIVATION_IN_PROGRESS" {
			s.Activation = info.GetMetadata()["activation_id"] // a colleague's is as good as ours
			return nil
		}
	}
	s.Activation = response.GetWorkflow().GetActivationId()
	return err
}

// follow reads the feed from the cursor on. An event may come twice, and none is left out.
func (s *sale) follow(ctx context.Context, server *grpc.ClientConn) error {
	feed, err := dialtonev1.NewEventServiceClient(server).WatchEvents(ctx, &dialtonev1.WatchEventsRequest{After: s.Cursor, ActivationId: s.Activation})
	for news := (*dialtonev1.WatchEventsResponse)(nil); err == nil; err = errors.Join(err, s.keep(ctx, server)) {
		if news, err = feed.Recv(); news.GetEvent().GetType() == "subscription.activated" {
			line := news.GetEvent().GetSubscription()
			fmt.Fprintln(os.Stdout, "start billing", s.Subscription, "number", line.GetPhoneNumber(), "since", line.GetActivateTime().AsTime().Format(time.RFC3339))
			return nil
		}
		s.Cursor = max(s.Cursor, news.GetNextAfter())
	}
	return err
}

func (s *sale) keep(context.Context, *grpc.ClientConn) error {
	text, _ := json.MarshalIndent(s, "", "  ")
	if err := os.WriteFile(s.file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(s.file+".new", s.file) // a kill leaves the old one or the new one
}

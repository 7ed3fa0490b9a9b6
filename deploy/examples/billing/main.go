// Command billing is what a billing system does with Dialtone: it records a pending
// subscription, launches its Mobile Activation, and bills once the feed says the line is live.
// Kill it, or any server, at any moment and run it again: nothing is lost or happens twice.
//
//	DIALTONE_ADDRESS=127.0.0.1:7400 DIALTONE_TOKEN=… billing sale.json
//
// where sale.json begins as
//
//	{"Subscription": "sub-1001", "Account": "acct-7", "Name": "Ada Lovelace", "Email": "ada@example.com",
//	 "Plan": "mobile-5g", "IMEI": "490154203237518", "ZIP": "90012"}
//
// Several servers are named with commas between them.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
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

// sale is a row of your database; here it is a file, and whoever sold the plan began it.
type sale struct {
	file, Subscription, Account, Name, Email, Plan, IMEI, ZIP string
	// A request id is drawn once and kept before the first call. With the same id a call may
	// be repeated for ever: it is carried out once, and answered each time.
	CreateID, LaunchID, Activation string
	Cursor                         int64 // how far the feed was dealt with
}

func main() {
	s := &sale{file: os.Args[len(os.Args)-1], CreateID: uuid.NewString(), LaunchID: uuid.NewString()}
	text, err := os.ReadFile(s.file)
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	for _, step := range []func(context.Context, *grpc.ClientConn) error{s.keep, s.create, s.launch, s.keep, s.follow} {
		if err == nil {
			err = insist(step)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "billing:", err)
		os.Exit(1)
	}
}

// insist does a step until it is answered, each time with the next server.
func insist(step func(context.Context, *grpc.ClientConn) error) error {
	servers := strings.Split(os.Getenv("DIALTONE_ADDRESS"), ",")
	for n, wait := 0, 100*time.Millisecond; ; n, wait = n+1, min(2*wait, 2*time.Second) {
		// In clear text, which local refuses beyond this machine: there use credentials.NewTLS.
		server, err := grpc.NewClient(servers[n%len(servers)], grpc.WithTransportCredentials(local.NewCredentials()))
		if err != nil {
			return err
		}
		// A feed is opened anew each minute, so that a server which hangs is noticed. A lost
		// connection is UNAVAILABLE, and nobody knows whether the call got through: so again.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute) //nolint:forbidigo // nobody gives us one
		err = step(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+os.Getenv("DIALTONE_TOKEN")), server)
		cancel()
		server.Close()
		if !slices.Contains([]codes.Code{codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted}, status.Code(err)) {
			return err
		}
		<-time.After(wait/2 + rand.N(wait))
	}
}

func (s *sale) create(ctx context.Context, server *grpc.ClientConn) error {
	_, err := dialtonev1.NewSubscriptionServiceClient(server).CreateSubscription(ctx, &dialtonev1.CreateSubscriptionRequest{
		RequestId: s.CreateID, SubscriptionId: s.Subscription, AccountId: s.Account, CustomerName: s.Name,
		CustomerEmail: s.Email, Plan: s.Plan, PendingUntilActivated: true,
	})
	return err
}

func (s *sale) launch(ctx context.Context, server *grpc.ClientConn) error {
	fields := &dialtonev1.MobileActivation{SubscriptionId: s.Subscription, Imei: s.IMEI, ZipCode: s.ZIP}
	response, err := dialtonev1.NewWorkflowServiceClient(server).LaunchWorkflow(ctx, &dialtonev1.LaunchWorkflowRequest{
		RequestId: s.LaunchID, Workflow: &dialtonev1.LaunchWorkflowRequest_MobileActivation{MobileActivation: fields},
	})
	s.Activation = response.GetWorkflow().GetActivationId()
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() == "ACTIVATION_IN_PROGRESS" {
			s.Activation, err = info.GetMetadata()["activation_id"], nil // a colleague's is as good as ours
		}
	}
	return err
}

// follow reads the feed from the cursor on. An event may come twice, and none is left out. One
// feed tells of all your subscriptions, and of those that end without a line; here it is enough
// to see one through.
func (s *sale) follow(ctx context.Context, server *grpc.ClientConn) error {
	feed, err := dialtonev1.NewEventServiceClient(server).WatchEvents(ctx, &dialtonev1.WatchEventsRequest{After: s.Cursor, ActivationId: s.Activation})
	for ; err == nil; err = s.keep(ctx, server) {
		news, err := feed.Recv()
		if err != nil {
			return err
		}
		if event, line := news.GetEvent(), news.GetEvent().GetSubscription(); event.GetType() == "subscription.activated" {
			fmt.Fprintln(os.Stdout, "start billing", s.Subscription, "number", line.GetPhoneNumber(), "since", line.GetActivateTime().AsTime().Format(time.RFC3339))
			return nil
		}
		s.Cursor = news.GetNextAfter()
	}
	return err
}

// keep replaces the file as a whole: a kill leaves the old one or the new one.
func (s *sale) keep(context.Context, *grpc.ClientConn) error {
	text, _ := json.MarshalIndent(s, "", "  ")
	if err := os.WriteFile(s.file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(s.file+".new", s.file)
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// pathTimeout bounds one path.
const pathTimeout = time.Minute

// record plays a path and writes its history.
func (r *recorder) record(ctx context.Context, p path, file string) error {
	ctx, stop := context.WithTimeout(ctx, pathTimeout)
	defer stop()
	if p.fault != nil {
		if err := call(ctx, http.MethodPost, p.at(r.addresses), p.fault); err != nil {
			return err
		}
	}
	launched, err := r.launch(ctx, p)
	if err != nil {
		return err
	}
	if err := r.follow(ctx, p, launched.GetActivationId()); err != nil {
		return err
	}
	if p.fault != nil {
		if err := call(ctx, http.MethodDelete, p.at(r.addresses), nil); err != nil {
			return err
		}
	}
	recorded := launched.GetWorkflowId()
	if p.after != nil {
		if recorded, err = p.after(ctx, r, launched); err != nil {
			return err
		}
	}
	return r.write(ctx, recorded, !p.open, file)
}

func (r *recorder) launch(ctx context.Context, p path) (*dialtonev1.Workflow, error) {
	if p.number != "" {
		return sandbox.LaunchPort(ctx, r.connection, sandbox.Customer{Name: "Ada Lovelace", Email: "ada@customer.example"}, p.number)
	}
	id := "recorded-" + uuid.NewString()[:8]
	_, err := dialtonev1.NewSubscriptionServiceClient(r.connection).CreateSubscription(ctx, &dialtonev1.CreateSubscriptionRequest{
		RequestId: uuid.NewString(), SubscriptionId: id, AccountId: "recorded", Plan: sandbox.MobilePlan,
		CustomerName: "Ada Lovelace", CustomerEmail: "ada@customer.example", PendingUntilActivated: true,
	})
	if err != nil {
		return nil, fmt.Errorf("make a subscription: %w", err)
	}
	launched, err := dialtonev1.NewWorkflowServiceClient(r.connection).LaunchWorkflow(ctx, &dialtonev1.LaunchWorkflowRequest{
		RequestId: uuid.NewString(),
		Workflow: &dialtonev1.LaunchWorkflowRequest_MobileActivation{MobileActivation: &dialtonev1.MobileActivation{
			SubscriptionId: id, Imei: cmp.Or(p.imei, sandbox.GoodIMEI), ZipCode: cmp.Or(p.zip, sandbox.GoodZIP),
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("launch: %w", err)
	}
	return launched.GetWorkflow(), nil
}

// follow watches a path, does what belongs to it, and returns where it is recorded: at its
// end, or where it waits.
func (r *recorder) follow(ctx context.Context, p path, activation string) error {
	if err := r.answer(ctx, p.says, activation); err != nil {
		return err
	}
	if p.when != nil {
		met, err := sandbox.Follow(ctx, r.connection, activation, p.when)
		switch {
		case err != nil:
			return err
		case !p.when(met):
			return errors.New("the path ended before what it was to meet")
		case p.open:
			return nil
		}
		if err := p.then(ctx, r, met); err != nil {
			return err
		}
	}
	_, err := sandbox.Follow(ctx, r.connection, activation, func(*dialtonev1.Workflow) bool { return false })
	return err
}

// identity and stickyQueue name a process and its machine, which say nothing about a path.
var (
	identity    = regexp.MustCompile(`"identity":\s*"[^"]*"`)
	stickyQueue = regexp.MustCompile(`"name":\s*"[^":]+(:[0-9a-f-]{36})"`)
)

// write reads a run's history from Temporal, once the run has closed if it is to close.
func (r *recorder) write(ctx context.Context, workflow string, closes bool, file string) error {
	if closes {
		if err := r.temporal.GetWorkflow(ctx, workflow, "").Get(ctx, nil); err != nil {
			return fmt.Errorf("wait for the run's end: %w", err)
		}
	}
	var history historypb.History
	events := r.temporal.GetWorkflowHistory(ctx, workflow, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return fmt.Errorf("read the history: %w", err)
		}
		history.Events = append(history.Events, event)
	}
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: "  "}.Marshal(&history)
	if err != nil {
		return fmt.Errorf("write the history as JSON: %w", err)
	}
	text = identity.ReplaceAll(text, []byte(`"identity": "recorded"`))
	text = stickyQueue.ReplaceAll(text, []byte(`"name": "recorded$1"`))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("make the directory of histories: %w", err)
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

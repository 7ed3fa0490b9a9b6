package server_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

func (b *bundle) watchWorkflow(t *testing.T, c clients, token string, id mobile.ActivationID) dialtonev1.WorkflowService_WatchWorkflowClient {
	t.Helper()
	stream, err := c.workflows.WatchWorkflow(as(t.Context(), token), &dialtonev1.WatchWorkflowRequest{
		Lookup: &dialtonev1.WatchWorkflowRequest_ActivationId{ActivationId: string(id)},
	})
	must(t, err)
	return stream
}

// await reads until a state was sent, and sees to it that revisions never fall.
func await(t *testing.T, stream dialtonev1.WorkflowService_WatchWorkflowClient, state dialtonev1.WorkflowState) *dialtonev1.Workflow {
	t.Helper()
	var revision int64
	for {
		response, err := stream.Recv()
		must(t, err)
		w := response.GetWorkflow()
		if w.GetRevision() < revision {
			t.Errorf("revision %d after %d", w.GetRevision(), revision)
		}
		revision = w.GetRevision()
		if w.GetState() == state {
			return w
		}
	}
}

const (
	accepted  = dialtonev1.WorkflowState_WORKFLOW_STATE_ACCEPTED
	running   = dialtonev1.WorkflowState_WORKFLOW_STATE_RUNNING
	waiting   = dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_CARRIER
	succeeded = dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED
)

func TestWatchWorkflow_ToTheEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.launched(t, b.a)
	stream := b.watchWorkflow(t, b.clients, b.a.operator(), a.ID)

	await(t, stream, accepted)
	for _, state := range []mobile.State{mobile.StateRunning, mobile.StateWaitingForCarrier, mobile.StateRunning, mobile.StateSucceeded} {
		b.move(t, b.a, a.ID, state)
	}
	w := await(t, stream, succeeded)

	if w.GetEndTime() == nil {
		t.Errorf("%v", w)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	// One that has ended is sent once.
	stream = b.watchWorkflow(t, b.clients, b.a.operator(), a.ID)
	await(t, stream, succeeded)
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

// What moves only the time (attempts, delivery) is sent too.
func TestWatchWorkflow_Attempts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.launched(t, b.a)
	stream := b.watchWorkflow(t, b.clients, b.a.operator(), a.ID)
	await(t, stream, accepted)

	for n := int32(1); n <= 3; n++ {
		b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
			return s.RecordAttempt(ctx, store.Attempt{
				Tenant: b.a.ID, Activation: a.ID, Step: mobile.StepCheckSubscription, State: mobile.StepRunning, Counts: true, At: today(),
			})
		})
		for {
			response, err := stream.Recv()
			must(t, err)
			if step := response.GetWorkflow().GetSteps()[0]; step.GetAttempts() == n {
				if response.GetWorkflow().GetCurrentStep() != step.GetName() {
					t.Errorf("it is at %q", response.GetWorkflow().GetCurrentStep())
				}
				break
			}
		}
	}
}

// The listener's connection is cut: the watchers read each second and miss nothing.
func TestWatch_ListenerCut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.launched(t, b.a)
	stream := b.watchWorkflow(t, b.clients, b.a.operator(), a.ID)
	await(t, stream, accepted)
	events := b.watchEvents(t, b.clients, b.a.billing(), 0)

	conn := b.Connect(t)
	cut := func() {
		_, err := conn.Exec(t.Context(), `
			SELECT pg_terminate_backend(pid)
			FROM pg_stat_activity
			WHERE application_name = 'dialtone listener' AND datname = current_database()`)
		must(t, err)
	}
	for _, step := range []struct {
		to   mobile.State
		want dialtonev1.WorkflowState
	}{{mobile.StateRunning, running}, {mobile.StateWaitingForCarrier, waiting}, {mobile.StateRunning, running}, {mobile.StateSucceeded, succeeded}} {
		cut()
		b.move(t, b.a, a.ID, step.to)
		b.number(t)
		cut()
		await(t, stream, step.want)
	}

	// subscription.created, accepted, and the four moves.
	for sequence := int64(1); sequence <= 6; sequence++ {
		response, err := events.Recv()
		must(t, err)
		if response.GetEvent().GetSequence() != sequence {
			t.Fatalf("got event %v, want number %d", response.GetEvent(), sequence)
		}
	}
}

// A process that goes down ends its streams in a way that says to call again, and the next
// one goes on where it was.
func TestWatch_Restart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.open(t, prometheus.NewRegistry())
	a := b.launched(t, b.a)
	b.number(t)
	stream := b.watchWorkflow(t, first.clients, b.a.operator(), a.ID)
	await(t, stream, accepted)
	events := b.watchEvents(t, first.clients, b.a.billing(), 0)
	var after int64
	for range 2 {
		response, err := events.Recv()
		must(t, err)
		after = response.GetNextAfter()
	}

	first.stop()
	again := refusal{Code: codes.Unavailable, Reason: "TRY_AGAIN"}
	_, err := stream.Recv()
	wantRefusal(t, err, again)
	_, err = events.Recv()
	wantRefusal(t, err, again)
	b.move(t, b.a, a.ID, mobile.StateRunning)
	b.number(t)
	second := b.open(t, prometheus.NewRegistry())

	await(t, b.watchWorkflow(t, second.clients, b.a.operator(), a.ID), running)
	response, err := b.watchEvents(t, second.clients, b.a.billing(), after).Recv()
	must(t, err)
	if got := response.GetEvent(); got.GetSequence() != after+1 || got.GetWorkflow().GetState() != running {
		t.Errorf("after the restart: %v", got)
	}
}

// A stream does not outlive its token.
func TestWatch_TokenRevoked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.launched(t, b.a)
	token, id := b.newToken(t, mobile.Token{Principal: mobile.PrincipalOperator, Tenant: b.a.ID, Name: "Ann"})
	stream := b.watchWorkflow(t, b.clients, token, a.ID)
	await(t, stream, accepted)

	_, err := b.admins.RevokeToken(as(t.Context(), b.admin), revoke(id))
	must(t, err)

	_, err = stream.Recv()
	wantRefusal(t, err, refusal{Code: codes.Unauthenticated, Reason: "UNAUTHENTICATED"})
}

// Many watch, much changes, and everybody sees the end.
func TestWatchWorkflow_Many(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const activations, watchers = 5, 8
	all := make([]mobile.Activation, 0, activations)
	for range activations {
		all = append(all, b.launched(t, b.a))
	}
	var watching sync.WaitGroup
	for _, a := range all {
		for range watchers {
			stream := b.watchWorkflow(t, b.clients, b.a.operator(), a.ID)
			watching.Go(func() { await(t, stream, succeeded) })
		}
	}
	for _, state := range []mobile.State{mobile.StateRunning, mobile.StateWaitingForCarrier, mobile.StateRunning, mobile.StateSucceeded} {
		for _, a := range all {
			b.move(t, b.a, a.ID, state)
		}
	}
	watching.Wait()
}

// The memory of a token is short, also when it was revoked at another process.
func TestGate_RevokedElsewhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	text, id := b.newToken(t, mobile.Token{Principal: mobile.PrincipalOperator, Tenant: b.a.ID, Name: "Ann"})
	now := time.Now()
	gate := access.NewGate(b.DB, func() time.Time { return now })
	caller, err := gate.Authenticate(t.Context(), "bearer "+text)
	must(t, err)
	if caller.TokenID != id || caller.Tenant != b.a.ID || caller.Actor("") != "Ann" {
		t.Errorf("%+v", caller)
	}

	_, err = b.Connect(t).Exec(t.Context(), `UPDATE tokens SET revoked_at = now() WHERE token_id = $1`, id)
	must(t, err)

	now = now.Add(5 * time.Second)
	if _, err := gate.Authenticate(t.Context(), "Bearer "+text); !errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("after five seconds: %v", err)
	}
}

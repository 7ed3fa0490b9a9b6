package server_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/server"
)

func reviveWorkflow(id mobile.ActivationID) *dialtonev1.ReviveWorkflowRequest {
	return &dialtonev1.ReviveWorkflowRequest{RequestId: uuid.NewString(), ActivationId: string(id), Reason: "Nothing moves"}
}

// engine is what is said about the engine's runs.
type engine struct {
	server.Runs
	alive func(ctx context.Context, workflowID string) (string, error)
}

func (e engine) Alive(ctx context.Context, workflowID string) (string, error) {
	return e.alive(ctx, workflowID)
}

func with(alive func(context.Context, string) (string, error)) func(*server.Config) {
	return func(c *server.Config) { c.Runs = engine{alive: alive} }
}

// Nothing here needs the engine: what was asked is kept for the relay, and answered, however
// long the engine is away.
func TestReviveWorkflow_WithoutEngine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.operator())
	a := b.launched(t, b.a)
	request := reviveWorkflow(a.ID)
	request.Revision = 1

	response, err := b.admins.ReviveWorkflow(ctx, request)
	must(t, err)

	if response.GetAlreadyRunning() || response.GetWorkflow().GetActivationId() != string(a.ID) {
		t.Errorf("%v", response)
	}
	// The repeat does nothing more; another may.
	again, err := b.admins.ReviveWorkflow(ctx, request)
	must(t, err)
	if !proto.Equal(again, response) {
		t.Errorf("a repeat answers %v", again)
	}
	replace := reviveWorkflow(a.ID)
	replace.ReplaceRun = true
	_, err = b.admins.ReviveWorkflow(ctx, replace)
	must(t, err)
	if got := ask[[]string](t, b, `SELECT array_agg(kind ORDER BY outbox_id) FROM outbox`); !cmp.Equal(got, []string{"START", "INTAKE", "REPLACE"}) {
		t.Errorf("filed %v", got)
	}
	if got := ask[string](t, b, `SELECT intake_id::text FROM outbox WHERE kind = 'REPLACE'`); got != replace.GetRequestId() {
		t.Errorf("the replacement is for request %s", got)
	}
	if got := ask[[]string](t, b, `SELECT array_agg(method || ' ' || resource_id ORDER BY at) FROM audit`); !cmp.Equal(got, []string{
		"ReviveWorkflow " + string(a.ID), "ReviveWorkflow " + string(a.ID),
	}) {
		t.Errorf("audited %v", got)
	}
	replace.ReplaceRun = false
	_, err = b.admins.ReviveWorkflow(ctx, replace)
	wantRefusal(t, err, refusal{
		Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED", Meta: map[string]string{"activation_id": string(a.ID)},
	})
}

// ADMIN says whose it is; a console says for whom it asks.
func TestReviveWorkflow_Callers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.launched(t, b.a)
	named, asked := reviveWorkflow(a.ID), reviveWorkflow(a.ID)
	named.TenantId, asked.TenantId = string(b.a.ID), string(b.a.ID)
	asked.Actor = "Ann"

	for range 2 {
		_, err := b.admins.ReviveWorkflow(as(t.Context(), b.admin), named)
		must(t, err)
		_, err = b.admins.ReviveWorkflow(as(t.Context(), b.a.token(mobile.PrincipalConsole)), asked)
		must(t, err)
	}

	if got := ask[[]string](t, b, `SELECT array_agg(tenant_id || ' ' || principal ORDER BY at) FROM audit`); !cmp.Equal(got, []string{
		string(b.a.ID) + " ADMIN", string(b.a.ID) + " CONSOLE",
	}) {
		t.Errorf("audited %v", got)
	}
	named.RequestId = uuid.NewString()
	named.TenantId = string(b.b.ID)
	_, err := b.admins.ReviveWorkflow(as(t.Context(), b.admin), named)
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"})
	_, err = b.admins.ReviveWorkflow(as(t.Context(), b.a.operator()), named)
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "TENANT_NOT_FOUND"})
	named.TenantId = ""
	_, err = b.admins.ReviveWorkflow(as(t.Context(), b.admin), named)
	wantRefusal(t, err, invalid(map[string]string{"tenant_id": "FIELD_REQUIRED"}))
	asked.RequestId, asked.Actor = uuid.NewString(), ""
	_, err = b.admins.ReviveWorkflow(as(t.Context(), b.a.token(mobile.PrincipalConsole)), asked)
	wantRefusal(t, err, invalid(map[string]string{"actor": "FIELD_REQUIRED"}))
}

// Whether a run is there is what the engine says before anything is filed, and no without an
// answer.
func TestReviveWorkflow_AlreadyRunning(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		alive   func(context.Context, string) (string, error)
		replace bool
		want    bool
	}{
		"alive":    {func(context.Context, string) (string, error) { return "run", nil }, false, true},
		"lost":     {func(context.Context, string) (string, error) { return "", nil }, false, false},
		"replaced": {func(context.Context, string) (string, error) { return "run", nil }, true, false},
		"down":     {func(context.Context, string) (string, error) { return "", errors.New("connection refused") }, false, false},
		"hangs": {func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "run", ctx.Err()
		}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, with(test.alive))
			request := reviveWorkflow(b.launched(t, b.a).ID)
			request.ReplaceRun = test.replace
			// Half of what the caller has is kept for the record.
			ctx, cancel := context.WithTimeout(as(t.Context(), b.a.operator()), 5*time.Second)
			defer cancel()

			response, err := b.admins.ReviveWorkflow(ctx, request)
			must(t, err)

			if response.GetAlreadyRunning() != test.want {
				t.Errorf("%v", response)
			}
			if n := ask[int](t, b, `SELECT count(*) FROM outbox WHERE kind <> 'START'`); n != 1 {
				t.Errorf("%d were filed", n)
			}
		})
	}
}

// A run that the first call started was not there before, also when the call is repeated.
func TestReviveWorkflow_Repeat(t *testing.T) {
	t.Parallel()
	there := ""
	b := setup(t, with(func(context.Context, string) (string, error) { return there, nil }))
	ctx := as(t.Context(), b.a.operator())
	lost, alive := b.launched(t, b.a), b.launched(t, b.a)
	b.claim(t, lost, "first")
	b.claim(t, alive, "first")
	reviveLost, reviveAlive := reviveWorkflow(lost.ID), reviveWorkflow(alive.ID)

	for _, test := range []struct {
		request *dialtonev1.ReviveWorkflowRequest
		there   string
		want    bool
	}{
		{reviveLost, "", false},
		{reviveLost, "second", false},
		{reviveAlive, "first", true},
		{reviveAlive, "first", true},
	} {
		there = test.there
		response, err := b.admins.ReviveWorkflow(ctx, test.request)
		must(t, err)
		if response.GetAlreadyRunning() != test.want {
			t.Errorf("while %q is there: %v", there, response.GetAlreadyRunning())
		}
	}
}

// claim lets a run have an activation, as its first activity does.
func (b *bundle) claim(t *testing.T, a mobile.Activation, run string) {
	t.Helper()
	_, err := b.Connect(t).Exec(t.Context(), `UPDATE activations SET run_id = $2 WHERE activation_id = $1`, a.ID, run)
	must(t, err)
}

func TestReviveWorkflow_Refusals(t *testing.T) {
	t.Parallel()
	asked := 0
	b := setup(t, with(func(context.Context, string) (string, error) { asked++; return "", nil }))
	ended := b.launched(t, b.a)
	b.move(t, b.a, ended.ID, mobile.StateRejected)
	open, others := b.launched(t, b.a), b.launched(t, b.b)
	stale := reviveWorkflow(open.ID)
	stale.Revision = 7

	for name, test := range map[string]struct {
		request *dialtonev1.ReviveWorkflowRequest
		want    refusal
	}{
		"ended": {reviveWorkflow(ended.ID), refusal{
			Code: codes.FailedPrecondition, Reason: "WORKFLOW_ENDED",
			Meta: map[string]string{"state": "REJECTED", "activation_id": string(ended.ID)},
		}},
		"stale": {stale, refusal{
			Code: codes.FailedPrecondition, Reason: "STALE_REVISION",
			Meta: map[string]string{"revision": "1", "activation_id": string(open.ID)},
		}},
		"another's": {reviveWorkflow(others.ID), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}},
		"absent":    {reviveWorkflow(mobile.ActivationID(uuid.NewString())), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}},
		"empty": {&dialtonev1.ReviveWorkflowRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "activation_id": "FIELD_REQUIRED", "reason": "FIELD_REQUIRED",
		})},
		"malformed": {
			&dialtonev1.ReviveWorkflowRequest{RequestId: "x", ActivationId: "a/b", Revision: -1, Reason: "x", Actor: "Ann"},
			invalid(map[string]string{
				"request_id": "FIELD_MALFORMED", "activation_id": "FIELD_MALFORMED", "revision": "FIELD_MALFORMED",
				"actor": "FIELD_NOT_ALLOWED",
			}),
		},
	} {
		_, err := b.admins.ReviveWorkflow(as(t.Context(), b.a.operator()), test.request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, test.want) })
	}
	if n := ask[int](t, b, `SELECT count(*) FROM requests`); n != 0 {
		t.Errorf("%d refusals were remembered", n)
	}
	if n := ask[int](t, b, `SELECT count(*) FROM outbox WHERE kind <> 'START'`); n != 0 {
		t.Errorf("%d refusals were filed", n)
	}
	if asked != 1 {
		t.Errorf("the engine was asked %d times, want only about what is there and open", asked)
	}
}

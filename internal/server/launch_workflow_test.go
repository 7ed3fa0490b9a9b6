package server_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestLaunch(t *testing.T) {
	t.Parallel()
	nudged := make(chan struct{}, 1)
	b := setup(t, func(c *server.Config) {
		c.Nudge = func() { nudged <- struct{}{} }
		c.Policies = `{"patience":"1s"}`
	})
	sub := b.pending(t, b.a)
	request := launch(sub.ID)
	request.GetMobileActivation().Imei = "49 015420-323751 8"
	request.GetMobileActivation().ZipCode = " 100011234 "
	request.GetMobileActivation().NameOverride = "  Grace Hopper "

	response, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
	must(t, err)

	w := response.GetWorkflow()
	want := &dialtonev1.Workflow{
		Type: dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_ACTIVATION, Revision: 1,
		SubscriptionId: string(sub.ID), AccountId: sub.AccountID, TenantId: string(b.a.ID),
		State: dialtonev1.WorkflowState_WORKFLOW_STATE_ACCEPTED, Next: "The engine takes it up",
		WaitingOn: dialtonev1.Party_PARTY_DIALTONE,
		Launch: &dialtonev1.Launch{
			RequestId: request.GetRequestId(), Principal: dialtonev1.Principal_PRINCIPAL_BILLING, Actor: "billing",
			Imei: "490154203237518", ZipCode: "10001-1234", NameOverridden: true,
			MaskedName: mobile.MaskName("Grace Hopper"), MaskedEmail: mobile.MaskEmail(storetest.CustomerEmail),
		},
		Choices: []*dialtonev1.Choice{
			{
				Command: dialtonev1.Command_COMMAND_CORRECT_CONTACT, Text: "Correct the customer's name or address",
				Cli: "dialtone workflow correct " + w.GetActivationId() + " --reason WHY --email ADDRESS --authentication HOW",
			},
			{
				Command: dialtonev1.Command_COMMAND_CANCEL_WORKFLOW, Irreversible: true,
				Text: "Cancel it: what was taken is given back, and the subscription stays pending",
				Cli:  "dialtone workflow cancel " + w.GetActivationId() + " --reason WHY",
			},
			{
				Command: dialtonev1.Command_COMMAND_REVIVE_WORKFLOW, Text: "Look after its run in the engine, should it be lost",
				Cli: "dialtone workflow revive " + w.GetActivationId() + " --reason WHY",
			},
		},
		WorkflowId:   "activation/" + string(b.a.ID) + "/" + string(sub.ID) + "/" + w.GetActivationId(),
		ActivationId: w.GetActivationId(),
		TemporalUrl: "http://temporal.example:8080/namespaces/dialtone/workflows/activation%2F" +
			string(b.a.ID) + "%2F" + string(sub.ID) + "%2F" + w.GetActivationId(),
	}
	for _, name := range mobile.TypeNewLine.Plan() {
		want.Steps = append(want.Steps, &dialtonev1.Step{
			Name: string(name), Title: name.Title(), State: dialtonev1.StepState_STEP_STATE_PENDING,
		})
	}
	times := protocmp.IgnoreFields(&dialtonev1.Workflow{}, "since", "create_time", "update_time")
	if diff := cmp.Diff(want, w, protocmp.Transform(), times); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if w.GetCreateTime() == nil || w.GetSince() == nil || uuid.MustParse(w.GetActivationId()).Version() != 7 {
		t.Errorf("%v", w)
	}
	select {
	case <-nudged:
	default:
		t.Error("the relay was not nudged")
	}
	if got := ask[string](t, b, `SELECT policies FROM activations`); got != `{"patience":"1s"}` {
		t.Errorf("policies %s", got)
	}
}

// ask reads one value past all doors.
func ask[T any](t *testing.T, b *bundle, sql string, args ...any) T {
	t.Helper()
	var answer T
	must(t, b.Connect(t).QueryRow(t.Context(), sql, args...).Scan(&answer))
	return answer
}

func TestLaunch_Accepts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, change := range map[string]func(*mobileFields){
		"blanks in the IMEI":  func(m *mobileFields) { m.Imei = " 49-015420 323751-8 " },
		"ZIP+4":               func(m *mobileFields) { m.ZipCode = "10001-1234" },
		"ZIP+4 as nine":       func(m *mobileFields) { m.ZipCode = "100011234" },
		"a name of any kind":  func(m *mobileFields) { m.NameOverride = "María-José O’Neil 李" },
		"an address with tag": func(m *mobileFields) { m.EmailOverride = "ann+mobile@example.co.uk" },
	} {
		request := launch(b.pending(t, b.a).ID)
		change(request.GetMobileActivation())
		_, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLaunch_Subscriptions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	active, cancelled, suspended := b.withStatus(t, "ACTIVE"), b.withStatus(t, "CANCELLED"), b.withStatus(t, "SUSPENDED")
	fibre, unknown := b.withPlan(t, storetest.FibrePlanName), b.withPlan(t, "no-such-plan")
	others := b.pending(t, b.b)
	open := b.launched(t, b.a)

	notPending := refusal{Code: codes.FailedPrecondition, Reason: "SUBSCRIPTION_NOT_PENDING"}
	notMobile := refusal{Code: codes.FailedPrecondition, Reason: "SUBSCRIPTION_NOT_MOBILE"}
	for name, test := range map[string]struct {
		sub  mobile.SubscriptionID
		want refusal
		meta map[string]string
	}{
		"active":    {active, notPending, map[string]string{"status": "ACTIVE"}},
		"suspended": {suspended, notPending, map[string]string{"status": "SUSPENDED"}},
		"cancelled": {cancelled, notPending, map[string]string{"status": "CANCELLED"}},
		"absent":    {"absent", refusal{Code: codes.NotFound, Reason: "SUBSCRIPTION_NOT_FOUND"}, nil},
		"another's": {others.ID, refusal{Code: codes.NotFound, Reason: "SUBSCRIPTION_NOT_FOUND"}, nil},
		"fibre":     {fibre, notMobile, map[string]string{"plan_kind": "INTERNET"}},
		"unknown":   {unknown, notMobile, nil},
		"open": {
			open.Subscription,
			refusal{Code: codes.AlreadyExists, Reason: "ACTIVATION_IN_PROGRESS"},
			map[string]string{"activation_id": string(open.ID)},
		},
	} {
		for _, validateOnly := range []bool{false, true} {
			request := launch(test.sub)
			request.ValidateOnly = validateOnly
			_, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
			t.Run(name, func(t *testing.T) {
				want := test.want
				want.Meta = map[string]string{"subscription_id": string(test.sub)}
				for key, value := range test.meta {
					want.Meta[key] = value
				}
				wantRefusal(t, err, want)
			})
		}
	}
}

// withStatus makes a subscription of tenant a with a status that no call gives.
func (b *bundle) withStatus(t *testing.T, status string) mobile.SubscriptionID {
	t.Helper()
	sub := b.pending(t, b.a)
	_, err := b.Connect(t).Exec(t.Context(), `UPDATE subscriptions SET status = $1 WHERE subscription_id = $2`, status, sub.ID)
	must(t, err)
	return sub.ID
}

func (b *bundle) withPlan(t *testing.T, plan string) mobile.SubscriptionID {
	t.Helper()
	request := newSubscription()
	request.Plan = plan
	response, err := b.subscriptions.CreateSubscription(as(t.Context(), b.a.billing()), request)
	must(t, err)
	return mobile.SubscriptionID(response.GetSubscription().GetSubscriptionId())
}

func TestLaunch_ValidateOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sub := b.pending(t, b.a)
	request := launch(sub.ID)
	request.ValidateOnly = true
	request.GetMobileActivation().Imei = "49015420 3237518"
	before := b.counts(t)

	response, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.operator()), request)
	must(t, err)

	w := response.GetWorkflow()
	if w.GetActivationId() != "" || w.GetWorkflowId() != "" || w.GetTemporalUrl() != "" || w.GetCreateTime() != nil || w.GetChoices() != nil {
		t.Errorf("a trial has identifiers: %v", w)
	}
	if len(w.GetSteps()) != 6 || w.GetLaunch().GetImei() != "490154203237518" {
		t.Errorf("a trial shows what would be: %v", w)
	}
	if response.GetPreflight().GetDevice().GetVerdict() != dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_UNKNOWN {
		t.Errorf("%v", response.GetPreflight())
	}
	if diff := cmp.Diff(before, b.counts(t)); diff != "" {
		t.Errorf("a trial kept something (-before +after):\n%s", diff)
	}
	// The request id of a trial is free.
	request.ValidateOnly = false
	_, err = b.workflows.LaunchWorkflow(as(t.Context(), b.a.operator()), request)
	must(t, err)
}

func TestLaunch_ByConsole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.token(mobile.PrincipalConsole))
	request := launch(b.pending(t, b.a).ID)

	_, err := b.workflows.LaunchWorkflow(ctx, request)
	wantRefusal(t, err, invalid(map[string]string{"actor": "FIELD_REQUIRED"}))

	request.Actor = "Grace"
	response, err := b.workflows.LaunchWorkflow(ctx, request)
	must(t, err)
	if got := response.GetWorkflow().GetLaunch(); got.GetActor() != "Grace" || got.GetPrincipal() != dialtonev1.Principal_PRINCIPAL_CONSOLE {
		t.Errorf("%v", got)
	}
	if actor := ask[string](t, b, `SELECT actor FROM audit WHERE method = 'LaunchWorkflow'`); !strings.HasPrefix(actor, "Grace (token ") {
		t.Errorf("audited as %q", actor)
	}
}

func TestLaunch_Repeat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.billing())
	request := launch(b.pending(t, b.a).ID)
	request.RequestId = strings.ToUpper(request.GetRequestId())
	first, err := b.workflows.LaunchWorkflow(ctx, request)
	must(t, err)
	id := mobile.ActivationID(first.GetWorkflow().GetActivationId())
	b.move(t, b.a, id, mobile.StateRunning)

	// The same by meaning, not by bytes.
	again := proto.CloneOf(request)
	again.RequestId = strings.ToLower(request.GetRequestId())
	again.GetMobileActivation().Imei = "49-015420-323751-8"
	second, err := b.workflows.LaunchWorkflow(ctx, again)
	must(t, err)
	if w := second.GetWorkflow(); w.GetActivationId() != string(id) || w.GetState() != dialtonev1.WorkflowState_WORKFLOW_STATE_RUNNING {
		t.Errorf("a repeat answers %v", w)
	}

	// Also after the end, and although the subscription is not pending any more.
	b.move(t, b.a, id, mobile.StateSucceeded)
	_, err = b.Connect(t).Exec(t.Context(), `UPDATE subscriptions SET status = 'ACTIVE'`)
	must(t, err)
	third, err := b.workflows.LaunchWorkflow(ctx, again)
	must(t, err)
	if third.GetWorkflow().GetActivationId() != string(id) {
		t.Errorf("a late repeat answers %v", third)
	}

	other := proto.CloneOf(request)
	other.GetMobileActivation().ZipCode = "10002"
	_, err = b.workflows.LaunchWorkflow(ctx, other)
	wantRefusal(t, err, refusal{
		Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED", Meta: map[string]string{"activation_id": string(id)},
	})
	// Another tenant's request ids are its own.
	_, err = b.workflows.LaunchWorkflow(as(t.Context(), b.b.billing()), other)
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "SUBSCRIPTION_NOT_FOUND"})
}

// move changes an activation's state, as an activity does.
func (b *bundle) move(t *testing.T, h house, id mobile.ActivationID, to mobile.State) {
	t.Helper()
	b.record(t, h.ID, func(ctx context.Context, s *store.Store) error {
		return s.Move(ctx, store.Move{Tenant: h.ID, Activation: id, To: to, At: today(), Next: string(to)})
	})
}

// A refusal is not remembered: the same request works once the cause is gone.
func TestLaunch_AfterRefusal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.billing())
	request := launch("sub-late")
	_, err := b.workflows.LaunchWorkflow(ctx, request)
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "SUBSCRIPTION_NOT_FOUND"})

	create := newSubscription()
	create.SubscriptionId = "sub-late"
	_, err = b.subscriptions.CreateSubscription(ctx, create)
	must(t, err)

	_, err = b.workflows.LaunchWorkflow(ctx, request)
	must(t, err)
}

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
		Choices: []*dialtonev1.Choice{{
			Command: dialtonev1.Command_COMMAND_CANCEL_WORKFLOW, Irreversible: true,
			Text: "Cancel it: what was taken is given back, and the subscription stays pending",
			Cli:  "dialtone workflow cancel " + w.GetActivationId() + " --reason WHY",
		}},
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

func TestLaunch_BadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sub := b.pending(t, b.a)
	before := b.counts(t)

	// The violations are by field; the prefix is added below.
	for name, test := range map[string]struct {
		change func(*dialtonev1.LaunchWorkflowRequest, *dialtonev1.MobileActivation)
		want   map[string]string
	}{
		"no IMEI":                {set(func(m *mobileFields) { m.Imei = "" }), bad("imei", "FIELD_REQUIRED")},
		"IMEI check digit":       {set(func(m *mobileFields) { m.Imei = "490154203237519" }), bad("imei", "IMEI_CHECK_DIGIT")},
		"IMEI all equal":         {set(func(m *mobileFields) { m.Imei = "000000000000000" }), bad("imei", "IMEI_ALL_EQUAL")},
		"IMEISV":                 {set(func(m *mobileFields) { m.Imei = "4901542032375186" }), bad("imei", "IMEI_IS_IMEISV")},
		"IMEI of letters":        {set(func(m *mobileFields) { m.Imei = "49015420323751X" }), bad("imei", "IMEI_NOT_DIGITS")},
		"IMEI short":             {set(func(m *mobileFields) { m.Imei = "49015420323751" }), bad("imei", "IMEI_LENGTH")},
		"IMEI of other digits":   {set(func(m *mobileFields) { m.Imei = "٤٩٠١٥٤٢٠٣٢٣٧٥١٨" }), bad("imei", "IMEI_NOT_DIGITS")},
		"no ZIP":                 {set(func(m *mobileFields) { m.ZipCode = "" }), bad("zip_code", "FIELD_REQUIRED")},
		"ZIP of letters":         {set(func(m *mobileFields) { m.ZipCode = "ABCDE" }), bad("zip_code", "ZIP_NOT_VALID")},
		"ZIP 00000":              {set(func(m *mobileFields) { m.ZipCode = "00000" }), bad("zip_code", "ZIP_NOT_IN_A_STATE")},
		"ZIP of no state":        {set(func(m *mobileFields) { m.ZipCode = "00100" }), bad("zip_code", "ZIP_NOT_IN_A_STATE")},
		"ZIP of the forces":      {set(func(m *mobileFields) { m.ZipCode = "09012" }), bad("zip_code", "ZIP_MILITARY")},
		"ZIP of six":             {set(func(m *mobileFields) { m.ZipCode = "100011" }), bad("zip_code", "ZIP_NOT_VALID")},
		"name with line break":   {set(func(m *mobileFields) { m.NameOverride = "Ann\nBcc: x" }), bad("name_override", "FIELD_CONTROL_CHARACTER")},
		"name with NUL":          {set(func(m *mobileFields) { m.NameOverride = "Ann\x00" }), bad("name_override", "FIELD_CONTROL_CHARACTER")},
		"name turned round":      {set(func(m *mobileFields) { m.NameOverride = "Ann\u202eeb" }), bad("name_override", "FIELD_INVISIBLE_CHARACTER")},
		"name of blanks":         {set(func(m *mobileFields) { m.NameOverride = "   " }), bad("name_override", "FIELD_BLANK")},
		"name of 10,000":         {set(func(m *mobileFields) { m.NameOverride = strings.Repeat("a", 10_000) }), bad("name_override", "FIELD_TOO_LONG")},
		"address with break":     {set(func(m *mobileFields) { m.EmailOverride = "a@example.com\r\nBcc: b@example.com" }), bad("email_override", "FIELD_CONTROL_CHARACTER")},
		"address turned round":   {set(func(m *mobileFields) { m.EmailOverride = "a\u200f@example.com" }), bad("email_override", "FIELD_INVISIBLE_CHARACTER")},
		"address of blanks":      {set(func(m *mobileFields) { m.EmailOverride = "  " }), bad("email_override", "FIELD_BLANK")},
		"address of 10,000":      {set(func(m *mobileFields) { m.EmailOverride = strings.Repeat("a", 10_000) + "@example.com" }), bad("email_override", "FIELD_TOO_LONG")},
		"two addresses":          {set(func(m *mobileFields) { m.EmailOverride = "a@example.com, b@example.com" }), bad("email_override", "EMAIL_NOT_ONE")},
		"no address":             {set(func(m *mobileFields) { m.EmailOverride = "ann" }), bad("email_override", "EMAIL_NOT_VALID")},
		"number without donor":   {set(func(m *mobileFields) { m.PortPhoneNumber = "+12125550123" }), bad("port_carrier", "PORT_FIELDS_TOGETHER")},
		"donor without number":   {set(func(m *mobileFields) { m.PortCarrier = "att" }), bad("port_phone_number", "PORT_FIELDS_TOGETHER")},
		"number from Canada":     {set(func(m *mobileFields) { m.PortPhoneNumber, m.PortCarrier = "+14165550123", "att" }), bad("port_phone_number", "NUMBER_NOT_US")},
		"no subscription":        {set(func(m *mobileFields) { m.SubscriptionId = "" }), bad("subscription_id", "FIELD_REQUIRED")},
		"id with a slash":        {set(func(m *mobileFields) { m.SubscriptionId = "a/b" }), bad("subscription_id", "FIELD_MALFORMED")},
		"id with an at":          {set(func(m *mobileFields) { m.SubscriptionId = "a@b" }), bad("subscription_id", "FIELD_MALFORMED")},
		"id with a space":        {set(func(m *mobileFields) { m.SubscriptionId = "a b" }), bad("subscription_id", "FIELD_MALFORMED")},
		"id that ends in a line": {set(func(m *mobileFields) { m.SubscriptionId = "ab\n" }), bad("subscription_id", "FIELD_MALFORMED")},
		"no workflow":            {func(r *dialtonev1.LaunchWorkflowRequest, _ *mobileFields) { r.Workflow = nil }, map[string]string{"workflow": "FIELD_REQUIRED"}},
		"empty oneof": {func(r *dialtonev1.LaunchWorkflowRequest, _ *mobileFields) {
			r.Workflow = &dialtonev1.LaunchWorkflowRequest_MobileActivation{}
		}, map[string]string{"mobile_activation.subscription_id": "FIELD_REQUIRED", "mobile_activation.imei": "FIELD_REQUIRED", "mobile_activation.zip_code": "FIELD_REQUIRED"}},
		"no request id":        {requestID(""), map[string]string{"request_id": "FIELD_REQUIRED"}},
		"nil request id":       {requestID("00000000-0000-0000-0000-000000000000"), map[string]string{"request_id": "FIELD_MALFORMED"}},
		"request id of words":  {requestID("please"), map[string]string{"request_id": "FIELD_MALFORMED"}},
		"request id in braces": {requestID("{2f1e4c1a-9d5b-4d8e-8a47-0c1f7f0c9a11}"), map[string]string{"request_id": "FIELD_MALFORMED"}},
		"an actor of billing":  {func(r *dialtonev1.LaunchWorkflowRequest, _ *mobileFields) { r.Actor = "Ann" }, map[string]string{"actor": "FIELD_NOT_ALLOWED"}},
		"everything at once": {
			func(r *dialtonev1.LaunchWorkflowRequest, m *mobileFields) {
				r.RequestId, m.SubscriptionId, m.Imei, m.ZipCode = "x", "a/b", "1", "x"
				m.NameOverride, m.EmailOverride, m.PortCarrier = " ", "x", "att"
			},
			map[string]string{
				"request_id": "FIELD_MALFORMED", "mobile_activation.subscription_id": "FIELD_MALFORMED",
				"mobile_activation.imei": "IMEI_LENGTH", "mobile_activation.zip_code": "ZIP_NOT_VALID",
				"mobile_activation.name_override": "FIELD_BLANK", "mobile_activation.email_override": "EMAIL_NOT_VALID",
				"mobile_activation.port_phone_number": "PORT_FIELDS_TOGETHER",
			},
		},
	} {
		for _, validateOnly := range []bool{false, true} {
			request := launch(sub.ID)
			request.ValidateOnly = validateOnly
			test.change(request, request.GetMobileActivation())
			_, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
			t.Run(name, func(t *testing.T) { wantRefusal(t, err, invalid(test.want)) })
		}
	}

	if diff := cmp.Diff(before, b.counts(t)); diff != "" {
		t.Errorf("something was made (-before +after):\n%s", diff)
	}
}

type mobileFields = dialtonev1.MobileActivation

func set(change func(*mobileFields)) func(*dialtonev1.LaunchWorkflowRequest, *mobileFields) {
	return func(_ *dialtonev1.LaunchWorkflowRequest, m *mobileFields) { change(m) }
}

func requestID(id string) func(*dialtonev1.LaunchWorkflowRequest, *mobileFields) {
	return func(r *dialtonev1.LaunchWorkflowRequest, _ *mobileFields) { r.RequestId = id }
}

func bad(field, reason string) map[string]string {
	return map[string]string{"mobile_activation." + field: reason}
}

// counts tells how many rows each table has. last_use of tokens moves, their number does not.
func (b *bundle) counts(t *testing.T) map[string]int64 {
	t.Helper()
	conn := b.Connect(t)
	rows, err := conn.Query(t.Context(), `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
	must(t, err)
	var tables []string
	for rows.Next() {
		var table string
		must(t, rows.Scan(&table))
		tables = append(tables, table)
	}
	must(t, rows.Err())
	counts := make(map[string]int64)
	for _, table := range tables {
		var n int64
		must(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
		counts[table] = n
	}
	return counts
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
		"open": {open.Subscription, refusal{Code: codes.AlreadyExists, Reason: "ACTIVATION_IN_PROGRESS"},
			map[string]string{"activation_id": string(open.ID)}},
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

// A port passes every check, and is refused in a way that says so.
func TestLaunch_Port(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.counts(t)
	port := func(sub mobile.SubscriptionID) *dialtonev1.LaunchWorkflowRequest {
		request := launch(sub)
		request.GetMobileActivation().PortPhoneNumber = "(212) 555-0123"
		request.GetMobileActivation().PortCarrier = "AT&T"
		return request
	}
	sub, open := b.pending(t, b.a), b.launched(t, b.a)

	_, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), port(sub.ID))
	wantRefusal(t, err, refusal{Code: codes.Unimplemented, Reason: "NOT_BUILT"})
	if !strings.Contains(err.Error(), "number") {
		t.Errorf("%v", err)
	}
	_, err = b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), port("absent"))
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "SUBSCRIPTION_NOT_FOUND"})
	_, err = b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), port(open.Subscription))
	wantRefusal(t, err, refusal{Code: codes.AlreadyExists, Reason: "ACTIVATION_IN_PROGRESS"})

	if after := b.counts(t); after["requests"] != before["requests"] || after["audit"] != before["audit"] {
		t.Errorf("a refusal was remembered: %v", after)
	}
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

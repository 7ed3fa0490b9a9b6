package server_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/dynamicpb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
)

// what tenant a's call about tenant b's things comes to.
type outcome struct {
	// reason of the refusal; empty where the call answers, and shows nothing of b's.
	reason string
	// requests name b's things in every way that the schema has, as JSON.
	requests []string
}

const (
	notFound = "WORKFLOW_NOT_FOUND"
	notBuilt = "NOT_BUILT"
	noTenant = "TENANT_NOT_FOUND"
	denied   = "PERMISSION_DENIED"
	nothing  = ""
)

// isolation has a case for every RPC. $ACT, $SUB, $ACC, $WID, $TEN and $REQ stand for what is
// b's; $NEW for a fresh request id.
func isolation() map[string]outcome {
	command := `{"requestId":"$NEW","activationId":"$ACT","reason":"x"}`
	act := `{"requestId":"$NEW","activationId":"$ACT","revision":1`
	cases := map[string]outcome{
		"SubscriptionService/CreateSubscription": {"", []string{`{"requestId":"$REQ","subscriptionId":"$SUB","accountId":"$ACC","customerName":"Eve","customerEmail":"eve@example.com","plan":"mobile-10gb"}`}},
		"SubscriptionService/GetSubscription":    {"SUBSCRIPTION_NOT_FOUND", []string{`{"subscriptionId":"$SUB"}`}},
		"SubscriptionService/ListSubscriptions":  {nothing, []string{`{}`, `{"accountId":"$ACC"}`}},
		"SubscriptionService/CancelSubscription": {"SUBSCRIPTION_NOT_FOUND", []string{`{"requestId":"$NEW","subscriptionId":"$SUB","reason":"x"}`}},
		"WorkflowService/LaunchWorkflow": {"SUBSCRIPTION_NOT_FOUND", []string{
			`{"requestId":"$REQ","mobileActivation":{"subscriptionId":"$SUB","imei":"490154203237518","zipCode":"10001"}}`,
			`{"requestId":"$NEW","validateOnly":true,"mobileActivation":{"subscriptionId":"$SUB","imei":"490154203237518","zipCode":"10001"}}`,
		}},
		"WorkflowService/GetWorkflow":   {notFound, []string{`{"activationId":"$ACT"}`, `{"workflowId":"$WID"}`, `{"subscriptionId":"$SUB"}`}},
		"WorkflowService/ListWorkflows": {nothing, []string{`{}`, `{"accountId":"$ACC"}`, `{"subscriptionId":"$SUB","view":"WORKFLOW_VIEW_FULL"}`}},
		"WorkflowService/WatchWorkflow": {notFound, []string{`{"activationId":"$ACT"}`, `{"workflowId":"$WID"}`, `{"subscriptionId":"$SUB"}`}},
		"WorkflowService/CancelWorkflow": {notFound, []string{
			command, `{"requestId":"$REQ","activationId":"$ACT","reason":"x"}`,
		}},
		"WorkflowService/ResendActivationEmail": {notFound, []string{
			command, `{"requestId":"$NEW","activationId":"$ACT","reason":"x","email":"eve@example.com","authentication":"x"}`,
		}},
		"WorkflowService/CorrectContact": {notFound, []string{
			`{"requestId":"$NEW","activationId":"$ACT","reason":"x","name":"Eve"}`,
		}},
		"WorkflowService/ResolveAction": {notFound, []string{
			`{"requestId":"$NEW","activationId":"$ACT","reason":"x","resolution":"RESOLUTION_DISMISS"}`,
		}},
		"WorkflowService/ReplaceProfile": {notFound, []string{
			`{"requestId":"$NEW","activationId":"$ACT","reason":"x","authentication":"x"}`,
		}},
		"EventService/ListEvents":          {nothing, []string{`{}`, `{"activationId":"$ACT"}`, `{"subscriptionId":"$SUB"}`}},
		"EventService/WatchEvents":         {nothing, []string{`{}`, `{"activationId":"$ACT"}`, `{"subscriptionId":"$SUB"}`}},
		"AdminService/GetTenant":           {noTenant, []string{`{"tenantId":"$TEN"}`}},
		"AdminService/ImportProfiles":      {noTenant, []string{`{"requestId":"$NEW","tenantId":"$TEN","profileType":"x","iccids":["1"]}`}},
		"AdminService/ListProfiles":        {nothing, []string{`{}`, `{"activationId":"$ACT"}`}}, // Of another tenant: TestListProfiles_BadInput.
		"AdminService/FindWorkflows":       {notBuilt, []string{`{"tenantId":"$TEN","query":"$SUB"}`, `{"query":"$ACT"}`}},
		"AdminService/GetOverview":         {notBuilt, []string{`{"tenantId":"$TEN"}`}},
		"AdminService/HoldPartner":         {notBuilt, []string{`{"requestId":"$NEW","tenantId":"$TEN"}`}},
		"AdminService/ResumePartner":       {notBuilt, []string{`{"requestId":"$NEW","tenantId":"$TEN"}`}},
		"AdminService/ReviveWorkflow":      {notFound, []string{command, `{"requestId":"$REQ","activationId":"$ACT","reason":"x","replaceRun":true}`}},
		"AdminService/CheckHealth":         {notBuilt, []string{`{}`}},
		"PortalService/GetPortingPrompt":   {notFound, []string{`{"activationId":"$ACT"}`}},
		"PortalService/GetInstallCode":     {notFound, []string{`{"activationId":"$ACT"}`}},
		"PortalService/ReportInstallation": {notFound, []string{`{"requestId":"$NEW","activationId":"$ACT","outcome":"INSTALLATION_OUTCOME_WORKS"}`}},
		"PortalService/CreatePortalLink":   {notFound, []string{command}},
		"PortalService/RequestPortalLink":  {nothing, []string{`{"requestId":"$NEW","token":"x"}`}}, // With a token of theirs: TestRequestPortalLink_TellsNothing.
	}
	for _, name := range []string{"CreateTenant", "UpdateTenant", "CreateToken", "ListTokens", "RevokeToken"} {
		cases["AdminService/"+name] = outcome{denied, []string{`{}`}}
	}
	for _, name := range []string{
		"RetryStep", "CorrectPort", "ExtendDeadline", "AddNote",
	} {
		cases["WorkflowService/"+name] = outcome{notBuilt, []string{command}}
	}
	for name, said := range map[string]string{
		"SubmitPortingInfo": `,"us":{"pin":"1"}`, "ConfirmDonorAction": `,"action":"DONOR_ACTION_LOCK_TAKEN_OFF"`,
		"ChangeNumber": `,"portCarrier":"att"`, "ChangeDevice": `,"imei":"490154203237518"`, "KeepNewNumber": "", "StopPort": "",
	} {
		cases["PortalService/"+name] = outcome{notFound, []string{act + said + "}"}}
	}
	return cases
}

// Every call of the schema, made by one tenant with all that is another's, finds nothing.
func TestTenants_NeverMeet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	create := newSubscription()
	create.SubscriptionId, create.AccountId = "their-sub", "their-account"
	_, err := b.subscriptions.CreateSubscription(as(t.Context(), b.b.billing()), create)
	must(t, err)
	launched, err := b.workflows.LaunchWorkflow(as(t.Context(), b.b.billing()), launch("their-sub"))
	must(t, err)
	theirs := launched.GetWorkflow()
	b.number(t)
	stocked := delivery(iccids(1, 1)...)
	stocked.Source = "their-delivery"
	_, err = b.admins.ImportProfiles(as(t.Context(), b.b.operator()), stocked)
	must(t, err)
	// Something of a's own, so that a feed has a first message.
	b.pending(t, b.a)
	b.number(t)
	fill := func(s string) string {
		return strings.NewReplacer("$ACT", theirs.GetActivationId(), "$SUB", "their-sub", "$ACC", "their-account",
			"$WID", theirs.GetWorkflowId(), "$TEN", string(b.b.ID), "$REQ", theirs.GetLaunch().GetRequestId(),
			"$NEW", uuid.NewString()).Replace(s)
	}

	cases := isolation()
	methods := slices.Sorted(maps.Keys(schema()))
	// Last the one by which a gets a subscription of the same name, all its own.
	slices.SortStableFunc(methods, func(x, y string) int {
		return strings.Count(x, "/CreateSubscription") - strings.Count(y, "/CreateSubscription")
	})
	for _, method := range methods {
		short := strings.TrimPrefix(method, "/dialtone.v1.")
		test, ok := cases[short]
		if !ok {
			t.Errorf("%s has no case here: what does it answer about another tenant's things?", short)
			continue
		}
		for _, text := range test.requests {
			request := dynamicpb.NewMessage(schema()[method].Input())
			must(t, protojson.Unmarshal([]byte(fill(text)), request))
			if short == "EventService/WatchEvents" && strings.Contains(text, "Id") {
				continue // It would rightly wait for ever: TestWatchEvents_Filter.
			}
			response, err := b.invoke(t, b.a.token(allowed(method)), method, request)
			switch {
			case test.reason != "" && err == nil:
				t.Errorf("%s %s answers %v, want %s", short, text, response, test.reason)
			case test.reason != "":
				if got := refused(t, err); got.Reason != test.reason {
					t.Errorf("%s %s: %v, want %s", short, text, err, test.reason)
				}
			case err != nil:
				t.Errorf("%s %s: %v", short, text, err)
			default:
				shown := protojson.Format(response)
				if strings.Contains(shown, theirs.GetActivationId()) || strings.Contains(shown, string(b.b.ID)) ||
					short != "SubscriptionService/CreateSubscription" && strings.Contains(shown, "their-") {
					t.Errorf("%s %s shows what is another's:\n%s", short, text, shown)
				}
			}
		}
	}
	for name := range cases {
		if schema()["/dialtone.v1."+name] == nil {
			t.Errorf("%s is not in the schema", name)
		}
	}
}

// allowed picks a tenant's principal that may make the call; billing where none may.
func allowed(method string) mobile.Principal {
	for _, p := range access.Policies()[method].Principals {
		if p != mobile.PrincipalAdmin && p != mobile.PrincipalPortal {
			return p
		}
	}
	return mobile.PrincipalBilling
}

// A page token works for the tenant, the list and the filter that it came from.
func TestPageTokens_OfAnother(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.launched(t, b.a)
		b.launched(t, b.b)
	}
	ctx, their := as(t.Context(), b.a.billing()), as(t.Context(), b.b.billing())
	subs, err := b.subscriptions.ListSubscriptions(their, &dialtonev1.ListSubscriptionsRequest{PageSize: 1})
	must(t, err)
	flows, err := b.workflows.ListWorkflows(their, &dialtonev1.ListWorkflowsRequest{PageSize: 1})
	must(t, err)
	ours, err := b.workflows.ListWorkflows(ctx, &dialtonev1.ListWorkflowsRequest{PageSize: 1, Open: true})
	must(t, err)
	subToken, token, open := subs.GetNextPageToken(), flows.GetNextPageToken(), ours.GetNextPageToken()

	wrong := invalid(map[string]string{"page_token": "FIELD_MALFORMED"})
	_, err = b.subscriptions.ListSubscriptions(ctx, &dialtonev1.ListSubscriptionsRequest{PageToken: subToken})
	wantRefusal(t, err, wrong)
	for name, request := range map[string]*dialtonev1.ListWorkflowsRequest{
		"another tenant's": {PageToken: token},
		"another list's":   {PageToken: subToken},
		"another filter's": {PageToken: open},
		"cut":              {PageToken: open[:len(open)-2], Open: true},
		"nonsense":         {PageToken: "nonsense", Open: true},
		"turned":           {PageToken: "A" + open[1:], Open: true, NeedsOperator: true},
	} {
		_, err = b.workflows.ListWorkflows(ctx, request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, wrong) })
	}
	// Size and view are not part of the filter.
	next, err := b.workflows.ListWorkflows(ctx, &dialtonev1.ListWorkflowsRequest{
		PageToken: open, Open: true, PageSize: 7, View: dialtonev1.WorkflowView_WORKFLOW_VIEW_FULL,
	})
	must(t, err)
	if len(next.GetWorkflows()) != 2 {
		t.Errorf("%d on the second page", len(next.GetWorkflows()))
	}
	_, err = b.workflows.ListWorkflows(ctx, &dialtonev1.ListWorkflowsRequest{PageSize: -1})
	if got := refused(t, err); got.Code != codes.InvalidArgument {
		t.Errorf("a negative page: %v", err)
	}
}

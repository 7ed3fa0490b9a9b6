package server_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// some activations, each in a place of its own, by name.
func (b *bundle) some(t *testing.T) map[string]mobile.Activation {
	t.Helper()
	all := map[string]mobile.Activation{}
	for _, name := range []string{"accepted", "running", "asked", "ended", "installed", "live"} {
		all[name] = b.launched(t, b.a)
	}
	b.move(t, b.a, all["running"].ID, mobile.StateRunning)
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		return s.RecordAttempt(ctx, store.Attempt{
			Tenant: b.a.ID, Activation: all["running"].ID, Step: mobile.StepCheckDevice, State: mobile.StepRetrying,
			Reason: "PARTNER_BUSY", At: today(),
		})
	})
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		return s.OpenItem(ctx, b.a.ID, mobile.Item{Activation: all["asked"].ID, Kind: mobile.ItemStepStuck})
	})
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		_, err := s.End(ctx, store.Move{
			Tenant: b.a.ID, Activation: all["ended"].ID, To: mobile.StateRejected, Reason: "DEVICE_BLOCKED", At: today(),
		})
		return err
	})
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		_, err := s.ReserveProfile(ctx, b.a.ID, mobile.Profile{
			Activation: all["installed"].ID, ICCID: "89014103211118510720", ProfileType: storetest.ProfileType,
		}, "MATCHING-1")
		return err
	})
	must(t, b.InSystem(t.Context(), func(s *store.Store) error {
		_, _, err := s.RecordInstall(t.Context(), "89014103211118510720", store.InstallReport{
			InstallReport: mobile.InstallReport{Point: mobile.PointInstall, Outcome: mobile.OutcomeDone},
		})
		return err
	}))
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		return s.OpenItem(ctx, b.a.ID, mobile.Item{Activation: all["live"].ID, Kind: mobile.ItemNumberAtRisk})
	})
	_, err := b.Connect(t).Exec(t.Context(), `UPDATE activations SET since = since - interval '1 hour', created_at = created_at - interval '1 day' WHERE activation_id = $1`, all["accepted"].ID)
	must(t, err)
	return all
}

func TestListWorkflows_Filters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.some(t)
	names := map[string]string{}
	for name, a := range all {
		names[string(a.ID)] = name
	}
	yesterday := timestamppb.New(time.Now().Add(-12 * time.Hour))

	for name, test := range map[string]struct {
		request *dialtonev1.ListWorkflowsRequest
		want    []string // Newest first.
	}{
		"all":           {&dialtonev1.ListWorkflowsRequest{}, []string{"live", "installed", "ended", "asked", "running", "accepted"}},
		"any state":     {&dialtonev1.ListWorkflowsRequest{States: []dialtonev1.WorkflowState{running, 0}}, []string{"live", "installed", "ended", "asked", "running", "accepted"}},
		"states":        {&dialtonev1.ListWorkflowsRequest{States: []dialtonev1.WorkflowState{running, dialtonev1.WorkflowState_WORKFLOW_STATE_REJECTED}}, []string{"ended", "running"}},
		"step":          {&dialtonev1.ListWorkflowsRequest{Step: "check_device"}, []string{"running"}},
		"reason of end": {&dialtonev1.ListWorkflowsRequest{Reason: "DEVICE_BLOCKED"}, []string{"ended"}},
		"reason of try": {&dialtonev1.ListWorkflowsRequest{Reason: "PARTNER_BUSY"}, []string{"running"}},
		"installed":     {&dialtonev1.ListWorkflowsRequest{InstallStates: []dialtonev1.InstallState{dialtonev1.InstallState_INSTALL_STATE_INSTALLED}}, []string{"installed"}},
		"account":       {&dialtonev1.ListWorkflowsRequest{AccountId: all["asked"].AccountID}, []string{"asked"}},
		"subscription":  {&dialtonev1.ListWorkflowsRequest{SubscriptionId: string(all["asked"].Subscription)}, []string{"asked"}},
		"older":         {&dialtonev1.ListWorkflowsRequest{OlderThan: durationpb.New(30 * time.Minute)}, []string{"accepted"}},
		"stuck":         {&dialtonev1.ListWorkflowsRequest{Stuck: true}, []string{"live", "asked", "accepted"}},
		"for operators": {&dialtonev1.ListWorkflowsRequest{NeedsOperator: true}, []string{"live", "asked"}},
		"at risk":       {&dialtonev1.ListWorkflowsRequest{Severity: dialtonev1.Severity_SEVERITY_AT_RISK}, []string{"live"}},
		"routine":       {&dialtonev1.ListWorkflowsRequest{Severity: dialtonev1.Severity_SEVERITY_ROUTINE}, []string{"asked"}},
		"new lines":     {&dialtonev1.ListWorkflowsRequest{Type: dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_ACTIVATION, Open: true}, []string{"live", "installed", "asked", "running", "accepted"}},
		"ports":         {&dialtonev1.ListWorkflowsRequest{Type: dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_PORT_IN}, nil},
		"since":         {&dialtonev1.ListWorkflowsRequest{CreateTimeFrom: yesterday, Order: dialtonev1.WorkflowOrder_WORKFLOW_ORDER_NEWEST_FIRST}, []string{"live", "installed", "ended", "asked", "running"}},
		"until":         {&dialtonev1.ListWorkflowsRequest{CreateTimeUntil: yesterday}, []string{"accepted"}},
	} {
		// By pages of two, which must come to the same.
		var got []string
		request := test.request
		request.PageSize = 2
		for {
			response, err := b.workflows.ListWorkflows(as(t.Context(), b.a.operator()), request)
			must(t, err)
			for _, w := range response.GetWorkflows() {
				got = append(got, names[w.GetActivationId()])
			}
			if request.PageToken = response.GetNextPageToken(); request.GetPageToken() == "" {
				break
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestListWorkflows_Views(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.some(t)
	ctx := as(t.Context(), b.a.billing())

	basic, err := b.workflows.ListWorkflows(ctx, &dialtonev1.ListWorkflowsRequest{NeedsOperator: true})
	must(t, err)
	full, err := b.workflows.ListWorkflows(ctx, &dialtonev1.ListWorkflowsRequest{
		NeedsOperator: true, View: dialtonev1.WorkflowView_WORKFLOW_VIEW_FULL,
	})
	must(t, err)

	w, f := basic.GetWorkflows()[0], full.GetWorkflows()[0]
	if w.GetSteps() != nil || w.GetItems() != nil || w.GetChoices() != nil || w.GetSeverity() != dialtonev1.Severity_SEVERITY_AT_RISK || w.GetLaunch() == nil {
		t.Errorf("the basic view: %v", w)
	}
	if len(f.GetSteps()) != 6 || len(f.GetItems()) != 1 || f.GetItems()[0].GetMessage() == "" || len(f.GetChoices()) != 4 {
		t.Errorf("the full view: %v", f)
	}
}

func TestListWorkflows_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	notBuilt := refusal{Code: codes.Unimplemented, Reason: "NOT_BUILT"}
	for name, test := range map[string]struct {
		request *dialtonev1.ListWorkflowsRequest
		want    refusal
	}{
		"order": {&dialtonev1.ListWorkflowsRequest{Order: dialtonev1.WorkflowOrder_WORKFLOW_ORDER_DEADLINE_FIRST}, notBuilt},
		"malformed": {
			&dialtonev1.ListWorkflowsRequest{
				PageSize: -1, PageToken: "x", States: []dialtonev1.WorkflowState{99}, InstallStates: []dialtonev1.InstallState{99},
				Severity: 99, Type: 99, Step: "No Step", Reason: "no reason", AccountId: "a b", SubscriptionId: "a/b",
				Donor: "AT&T", PortStates: []dialtonev1.PortState{99},
				OlderThan: durationpb.New(-1), CreateTimeFrom: &timestamppb.Timestamp{Nanos: -1}, Order: 99, View: 99,
			},
			invalid(map[string]string{
				"page_size": "FIELD_MALFORMED", "page_token": "FIELD_MALFORMED", "states": "FIELD_MALFORMED",
				"install_states": "FIELD_MALFORMED", "severity": "FIELD_MALFORMED", "type": "FIELD_MALFORMED",
				"step": "FIELD_MALFORMED", "reason": "FIELD_MALFORMED", "account_id": "FIELD_MALFORMED",
				"subscription_id": "FIELD_MALFORMED", "older_than": "FIELD_MALFORMED", "create_time_from": "FIELD_MALFORMED",
				"order": "FIELD_MALFORMED", "view": "FIELD_MALFORMED", "donor": "FIELD_MALFORMED", "port_states": "FIELD_MALFORMED",
			}),
		},
	} {
		_, err := b.workflows.ListWorkflows(as(t.Context(), b.a.operator()), test.request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, test.want) })
	}
}

// Of several numbers that a customer has named for one activation, the last one counts.
func TestListWorkflows_Ports(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.launched(t, b.a)
	asked, refused, changed := b.ported(t, "+12125550130", "att"), b.ported(t, "+12125550131", "verizon"), b.ported(t, "+12125550132", "att")
	names := map[string]string{asked.GetActivationId(): "asked", refused.GetActivationId(): "refused", changed.GetActivationId(): "changed"}
	conn := b.Connect(t)
	_, err := conn.Exec(t.Context(), `UPDATE ports SET state = 'REFUSED', reason = 'PIN_INVALID' WHERE activation_id = $1`, refused.GetActivationId())
	must(t, err)
	_, err = conn.Exec(t.Context(), `UPDATE ports SET state = 'CANCELLED', closed_at = now(), reason = 'ZIP_INVALID' WHERE activation_id = $1`, changed.GetActivationId())
	must(t, err)
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		return s.InsertPort(ctx, mobile.Port{
			ID: mobile.PortID(uuid.NewString()), Tenant: b.a.ID, Activation: mobile.ActivationID(changed.GetActivationId()),
			Number: "+12125550133", Donor: "verizon",
		})
	})
	const awaiting, no, cancelled = dialtonev1.PortState_PORT_STATE_AWAITING_INFO, dialtonev1.PortState_PORT_STATE_REFUSED, dialtonev1.PortState_PORT_STATE_CANCELLED

	for name, test := range map[string]struct {
		request *dialtonev1.ListWorkflowsRequest
		want    []string
	}{
		"any state":       {&dialtonev1.ListWorkflowsRequest{PortStates: []dialtonev1.PortState{no, 0}, Type: dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_PORT_IN}, []string{"changed", "refused", "asked"}},
		"donor":           {&dialtonev1.ListWorkflowsRequest{Donor: "att"}, []string{"asked"}},
		"another donor":   {&dialtonev1.ListWorkflowsRequest{Donor: "verizon"}, []string{"changed", "refused"}},
		"nobody's donor":  {&dialtonev1.ListWorkflowsRequest{Donor: "no_such_donor"}, nil},
		"awaiting":        {&dialtonev1.ListWorkflowsRequest{PortStates: []dialtonev1.PortState{awaiting}}, []string{"changed", "asked"}},
		"two states":      {&dialtonev1.ListWorkflowsRequest{PortStates: []dialtonev1.PortState{awaiting, no}}, []string{"changed", "refused", "asked"}},
		"one before":      {&dialtonev1.ListWorkflowsRequest{PortStates: []dialtonev1.PortState{cancelled}}, nil},
		"donor and state": {&dialtonev1.ListWorkflowsRequest{Donor: "verizon", PortStates: []dialtonev1.PortState{no}}, []string{"refused"}},
		"reason":          {&dialtonev1.ListWorkflowsRequest{Reason: "PIN_INVALID"}, []string{"refused"}},
		"reason before":   {&dialtonev1.ListWorkflowsRequest{Reason: "ZIP_INVALID"}, nil},
	} {
		response, err := b.workflows.ListWorkflows(as(t.Context(), b.a.operator()), test.request)
		must(t, err)
		var got []string
		for _, w := range response.GetWorkflows() {
			got = append(got, names[w.GetActivationId()])
			if w.GetPort() == nil {
				t.Errorf("%s: the basic view lacks the port", name)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// A page holds at most 200, or 50 in full, whatever was asked for; and 50 when nothing was.
func TestListWorkflows_PageSizes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.launched(t, b.a)
	_, err := b.Connect(t).Exec(t.Context(), `
		INSERT INTO activations (activation_id, tenant_id, subscription_id, account_id, type, workflow_id, state, since, imei, zip_code, carrier_plan, profile_type,
		                         launch_principal, launch_actor, launch_request_id, created_at, updated_at, ended_at)
		SELECT gen_random_uuid(), tenant_id, subscription_id, account_id, type, 'w' || n, 'FAILED', since, imei, zip_code, carrier_plan, profile_type,
		       launch_principal, launch_actor, launch_request_id, created_at, updated_at, since
		FROM activations, generate_series(1, 250) n
		WHERE activation_id = $1`, first.ID)
	must(t, err)
	full := dialtonev1.WorkflowView_WORKFLOW_VIEW_FULL
	for _, test := range []struct {
		request *dialtonev1.ListWorkflowsRequest
		want    int
	}{
		{&dialtonev1.ListWorkflowsRequest{}, 50},
		{&dialtonev1.ListWorkflowsRequest{PageSize: 1000}, 200},
		{&dialtonev1.ListWorkflowsRequest{PageSize: 1000, View: full}, 50},
	} {
		response, err := b.workflows.ListWorkflows(as(t.Context(), b.a.billing()), test.request)
		must(t, err)
		if got := len(response.GetWorkflows()); got != test.want || response.GetNextPageToken() == "" {
			t.Errorf("%v: %d on the page", test.request, got)
		}
	}
}

func TestListSubscriptions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.billing())
	first := b.pending(t, b.a)
	fibre := b.withPlan(t, storetest.FibrePlanName)
	active := b.withStatus(t, "ACTIVE")
	for name, test := range map[string]struct {
		request *dialtonev1.ListSubscriptionsRequest
		want    []mobile.SubscriptionID
	}{
		"all":     {&dialtonev1.ListSubscriptionsRequest{}, []mobile.SubscriptionID{active, fibre, first.ID}},
		"account": {&dialtonev1.ListSubscriptionsRequest{AccountId: first.AccountID}, []mobile.SubscriptionID{first.ID}},
		"active":  {&dialtonev1.ListSubscriptionsRequest{Status: dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_ACTIVE}, []mobile.SubscriptionID{active}},
		"fibre":   {&dialtonev1.ListSubscriptionsRequest{PlanKind: dialtonev1.PlanKind_PLAN_KIND_INTERNET}, []mobile.SubscriptionID{fibre}},
	} {
		var got []mobile.SubscriptionID
		request := test.request
		request.PageSize = 1
		for {
			response, err := b.subscriptions.ListSubscriptions(ctx, request)
			must(t, err)
			for _, sub := range response.GetSubscriptions() {
				got = append(got, mobile.SubscriptionID(sub.GetSubscriptionId()))
			}
			if request.PageToken = response.GetNextPageToken(); request.GetPageToken() == "" {
				break
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
	_, err := b.subscriptions.ListSubscriptions(ctx, &dialtonev1.ListSubscriptionsRequest{PageSize: -1, AccountId: "a b", Status: 99, PlanKind: 99})
	wantRefusal(t, err, invalid(map[string]string{
		"page_size": "FIELD_MALFORMED", "account_id": "FIELD_MALFORMED", "status": "FIELD_MALFORMED", "plan_kind": "FIELD_MALFORMED",
	}))
}

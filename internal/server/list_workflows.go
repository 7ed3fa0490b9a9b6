package server

import (
	"context"
	"regexp"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// fullPageSizeMax bounds a page that shows everything.
const fullPageSizeMax = 50

// ListWorkflows pages through the tenant's activations, newest first. A filter or an order
// that is not built is refused, never passed over.
func (r *rpcs) ListWorkflows(ctx context.Context, request *dialtonev1.ListWorkflowsRequest) (*dialtonev1.ListWorkflowsResponse, error) {
	caller := access.From(ctx)
	var f form
	filter := f.workflowFilter(request)
	after, size := f.page(r.pages, caller.Tenant, request)
	full := request.GetView() == dialtonev1.WorkflowView_WORKFLOW_VIEW_FULL
	if full {
		size = min(size, fullPageSizeMax)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if err := checkListBuilt(request); err != nil {
		return nil, err
	}
	response := &dialtonev1.ListWorkflowsResponse{}
	err := r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) error {
		all, err := s.ListActivations(ctx, caller.Tenant, filter, after, size+1)
		if err != nil {
			return err
		}
		response.NextPageToken = ""
		if len(all) > size {
			all = all[:size]
			last := all[size-1]
			response.NextPageToken = r.pages.next(caller.Tenant, request, store.Cursor{Created: last.Created, ID: string(last.ID)})
		}
		response.Workflows, err = r.showWorkflows(ctx, s, caller.Tenant, all)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !full {
		for _, w := range response.GetWorkflows() {
			basic(w)
		}
	}
	return response, nil
}

var (
	stepForm   = regexp.MustCompile(`^[a-z_]{1,64}$`)
	donorForm  = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)
	reasonForm = regexp.MustCompile(`^[A-Z0-9_]{1,64}$`)
)

func (f *form) workflowFilter(request *dialtonev1.ListWorkflowsRequest) store.ActivationFilter {
	filter := store.ActivationFilter{
		States:        anyOf[mobile.State](f, "states", dialtonev1.WorkflowState_name, "WORKFLOW_STATE_", request.GetStates()),
		InstallStates: anyOf[mobile.InstallState](f, "install_states", dialtonev1.InstallState_name, "INSTALL_STATE_", request.GetInstallStates()),
		PortStates:    anyOf[mobile.PortState](f, "port_states", dialtonev1.PortState_name, "PORT_STATE_", request.GetPortStates()),
		Severity:      chosen[mobile.Severity](f, "severity", dialtonev1.Severity_name, "SEVERITY_", request.GetSeverity()),
		Type:          f.workflowType(request.GetType()),
		Step:          mobile.StepName(f.matching("step", request.GetStep(), stepForm)),
		Reason:        f.matching("reason", request.GetReason(), reasonForm),
		Donor:         mobile.DonorCode(f.matching("donor", request.GetDonor(), donorForm)),
		AccountID:     f.optionalID("account_id", request.GetAccountId()),
		Subscription:  f.optionalSubscription("subscription_id", request.GetSubscriptionId()),
		From:          f.time("create_time_from", request.GetCreateTimeFrom()),
		Before:        f.time("create_time_until", request.GetCreateTimeUntil()),
		Open:          request.GetOpen(),
		Stuck:         request.GetStuck(),
		NeedsOperator: request.GetNeedsOperator(),
	}
	if older := request.GetOlderThan(); older != nil {
		filter.LongerThan = older.AsDuration()
		if older.CheckValid() != nil || filter.LongerThan < 0 {
			f.refuse("older_than", "FIELD_MALFORMED", "A length of time is positive.")
		}
	}
	if _, ok := dialtonev1.WorkflowOrder_name[int32(request.GetOrder())]; !ok {
		f.refuse("order", "FIELD_MALFORMED", "The schema has no such value.")
	}
	if _, ok := dialtonev1.WorkflowView_name[int32(request.GetView())]; !ok {
		f.refuse("view", "FIELD_MALFORMED", "The schema has no such value.")
	}
	return filter
}

// checkListBuilt refuses what the schema has and this version has not.
func checkListBuilt(request *dialtonev1.ListWorkflowsRequest) error {
	switch request.GetOrder() {
	case dialtonev1.WorkflowOrder_WORKFLOW_ORDER_UNSPECIFIED, dialtonev1.WorkflowOrder_WORKFLOW_ORDER_NEWEST_FIRST:
		return nil
	default:
		return errNotBuilt.Saying("Only the order NEWEST_FIRST is built in this version. Leave order out.")
	}
}

// matching reads a word of a known form; an empty one does not filter.
func (f *form) matching(field, s string, form *regexp.Regexp) string {
	if s != "" && !form.MatchString(s) {
		f.refuse(field, "FIELD_MALFORMED", "This is not a name as the schema lists them.")
	}
	return s
}

func (f *form) workflowType(t dialtonev1.WorkflowType) mobile.Type {
	switch t {
	case dialtonev1.WorkflowType_WORKFLOW_TYPE_UNSPECIFIED:
		return ""
	case dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_ACTIVATION:
		return mobile.TypeNewLine
	case dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_PORT_IN:
		return mobile.TypePortIn
	}
	f.refuse("type", "FIELD_MALFORMED", "The schema has no such value.")
	return ""
}

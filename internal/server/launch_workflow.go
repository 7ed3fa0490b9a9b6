package server

import (
	"context"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// LaunchWorkflow makes an activation and files its start with the relay. It is answered once
// that is committed, whether the engine can be reached or not.
func (r *rpcs) LaunchWorkflow(ctx context.Context, request *dialtonev1.LaunchWorkflowRequest) (*dialtonev1.LaunchWorkflowResponse, error) {
	caller := access.From(ctx)
	launch, m, err := readLaunch(caller, request)
	if err != nil {
		return nil, err
	}
	if request.GetValidateOnly() {
		return r.tryLaunch(ctx, launch, m)
	}
	var workflow *dialtonev1.Workflow
	err = r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) error {
		id, repeated, err := r.accept(ctx, s, m)
		if err != nil {
			return err
		}
		if !repeated {
			if err := r.launch(ctx, s, launch, m); err != nil {
				return withSubscription(err, launch.Subscription)
			}
		}
		workflow, err = r.readWorkflow(ctx, s, caller.Tenant, store.Key{ID: mobile.ActivationID(id)})
		return err
	})
	if err != nil {
		return nil, err
	}
	r.nudge()
	return &dialtonev1.LaunchWorkflowResponse{Workflow: workflow}, nil
}

// readLaunch reads the launch form.
func readLaunch(caller access.Caller, request *dialtonev1.LaunchWorkflowRequest) (mobile.Launch, mutation, error) {
	var f form
	m := mutation{
		method: "LaunchWorkflow", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		person: f.actor(caller, request.GetActor()), activation: true,
		resource: uuid.Must(uuid.NewV7()).String(),
	}
	fields := request.GetMobileActivation()
	if fields == nil {
		f.refuse("workflow", "FIELD_REQUIRED", "Say which workflow to launch: set mobile_activation.")
		return mobile.Launch{}, m, f.err()
	}
	launch, violations := mobile.NewLaunch(mobile.LaunchForm{
		SubscriptionID: fields.GetSubscriptionId(), IMEI: fields.GetImei(), ZIPCode: fields.GetZipCode(),
		NameOverride: fields.GetNameOverride(), EmailOverride: fields.GetEmailOverride(),
		PortPhoneNumber: fields.GetPortPhoneNumber(), PortCarrier: fields.GetPortCarrier(),
	})
	f.violations = append(f.violations, violations...)
	m.fields = append(launch.Fields(), m.person)
	return launch, m, f.err()
}

// launch makes the activation, holding the subscription, so that a cancel of it and another
// launch take turns with this one.
func (r *rpcs) launch(ctx context.Context, s *store.Store, launch mobile.Launch, m mutation) error {
	sub, err := s.LockSubscription(ctx, m.tenant, launch.Subscription)
	if err != nil {
		return err
	}
	plan, err := checkLaunch(ctx, s, sub, launch)
	if err != nil {
		return err
	}
	return s.InsertActivation(ctx, newActivation(ctx, sold{sub, plan}, launch, m), r.policies)
}

// checkLaunch makes every check but the one that the index on open activations makes, and
// gives the plan.
func checkLaunch(ctx context.Context, s *store.Store, sub mobile.Subscription, launch mobile.Launch) (mobile.Plan, error) {
	if sub.Status != mobile.SubscriptionPending {
		return mobile.Plan{}, store.ErrSubscriptionNotPending.With("status", string(sub.Status))
	}
	plan, known, err := s.Plan(ctx, sub.Tenant, sub.Plan)
	switch {
	case err != nil:
		return plan, err
	case !known:
		return plan, errSubscriptionNotMobile.Saying("The subscription's plan is not in the tenant's table of plans. " +
			"Add it there as a mobile plan, with the carrier's plan and the eSIM profile type.")
	case plan.Kind != mobile.PlanMobile:
		return plan, errSubscriptionNotMobile.With("plan_kind", string(plan.Kind))
	case launch.Type() == mobile.TypeNewLine:
		return plan, nil
	}
	if err := checkFree(ctx, s, sub); err != nil {
		return plan, err
	}
	return plan, errNotBuilt.Saying("The fields are right, but bringing a number in is not built yet in this version. " +
		"Nothing was done. Launch without port_phone_number and port_carrier for a new number.")
}

// checkFree refuses when the subscription has an open activation.
func checkFree(ctx context.Context, s *store.Store, sub mobile.Subscription) error {
	open, found, err := s.OpenActivation(ctx, sub.Tenant, sub.ID)
	if found {
		return store.ErrActivationInProgress.With("activation_id", string(open))
	}
	return err
}

// sold is a subscription with its plan.
type sold struct {
	mobile.Subscription
	plan mobile.Plan
}

func newActivation(ctx context.Context, sub sold, launch mobile.Launch, m mutation) mobile.Activation {
	id := mobile.ActivationID(m.resource)
	return mobile.Activation{
		ID:            id,
		Tenant:        sub.Tenant,
		Subscription:  sub.ID,
		AccountID:     sub.AccountID,
		Type:          launch.Type(),
		WorkflowID:    mobile.WorkflowID(sub.Tenant, sub.ID, id),
		State:         mobile.StateAccepted,
		Next:          "The engine takes it up",
		IMEI:          launch.IMEI,
		ZIP:           launch.ZIP,
		CarrierPlan:   sub.plan.CarrierPlan,
		ProfileType:   sub.plan.ProfileType,
		NameOverride:  launch.NameOverride,
		EmailOverride: launch.EmailOverride,
		Launched:      doer(ctx, m),
	}
}

// tryLaunch makes every check of a launch and keeps nothing. What it shows has the planned
// steps and the normal form of the fields, and no identifiers.
func (r *rpcs) tryLaunch(ctx context.Context, launch mobile.Launch, m mutation) (*dialtonev1.LaunchWorkflowResponse, error) {
	var sub sold
	err := r.db.InTenant(ctx, m.tenant, func(s *store.Store) (err error) {
		if sub.Subscription, err = s.Subscription(ctx, m.tenant, launch.Subscription); err != nil {
			return err
		}
		if sub.plan, err = checkLaunch(ctx, s, sub.Subscription, launch); err != nil {
			return err
		}
		return checkFree(ctx, s, sub.Subscription)
	})
	if err != nil {
		return nil, withSubscription(err, launch.Subscription)
	}
	planned := newActivation(ctx, sub, launch, m)
	planned.ID, planned.WorkflowID, planned.Launched.RequestID = "", "", ""
	for _, name := range launch.Type().Plan() {
		planned.Steps = append(planned.Steps, mobile.Step{Name: name, State: mobile.StepPending})
	}
	workflow := r.show.workflow(planned, sub.Subscription)
	workflow.Choices, workflow.TemporalUrl = nil, ""
	return &dialtonev1.LaunchWorkflowResponse{Workflow: workflow, Preflight: notAsked()}, nil
}

// notAsked is the preflight of a version that does not ask the carrier beforehand.
func notAsked() *dialtonev1.Preflight {
	return &dialtonev1.Preflight{Device: &dialtonev1.PreflightCheck{
		Verdict: dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_UNKNOWN,
		Reason:  "NOT_BUILT",
		Message: "The carrier is not asked beforehand in this version. The activation asks it as its second step.",
	}}
}

package server

import (
	"context"
	"strings"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/fault"
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

// launching is a launch form as it was understood.
type launching struct {
	mobile.Launch

	// donor is whom the number leaves; the zero value for a new line.
	donor mobile.Donor
}

// readLaunch reads the launch form.
func readLaunch(caller access.Caller, request *dialtonev1.LaunchWorkflowRequest) (launching, mutation, error) {
	var f form
	m := mutation{
		method: "LaunchWorkflow", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		person: f.actor(caller, request.GetActor()), activation: true,
		resource: uuid.Must(uuid.NewV7()).String(),
	}
	fields := request.GetMobileActivation()
	if fields == nil {
		f.refuse("workflow", "FIELD_REQUIRED", "Say which workflow to launch: set mobile_activation.")
		return launching{}, m, f.err()
	}
	launch, violations := mobile.NewLaunch(mobile.LaunchForm{
		SubscriptionID: fields.GetSubscriptionId(), IMEI: fields.GetImei(), ZIPCode: fields.GetZipCode(),
		NameOverride: fields.GetNameOverride(), EmailOverride: fields.GetEmailOverride(),
		PortPhoneNumber: fields.GetPortPhoneNumber(), PortCarrier: fields.GetPortCarrier(),
	})
	f.violations = append(f.violations, violations...)
	// The donor counts as it was named: a table that knows more names makes no other request.
	m.fields = append(launch.Fields(), m.person)
	return launching{launch, f.donor("mobile_activation.port_carrier", launch.PortCarrier)}, m, f.err()
}

// donor finds a company in the donor table. The table only grows: what was accepted once must
// be recognised when it is repeated.
func (f *form) donor(field, name string) mobile.Donor {
	if name == "" {
		return mobile.Donor{}
	}
	donor, known := mobile.FindDonor(name)
	if !known {
		f.refuse(field, "DONOR_UNKNOWN", "The donor table does not have this company. Give a code or a name of it, such as "+
			someDonors()+"; or other, for a company that it does not list.")
	}
	return donor
}

// donorsNamed is how many donors a refusal names as examples.
const donorsNamed = 4

// someDonors names the first of the donor table: "att (AT&T), verizon (Verizon)".
func someDonors() string {
	var named []string
	for _, donor := range mobile.Donors()[:donorsNamed] {
		named = append(named, string(donor.Code)+" ("+donor.Name+")")
	}
	return strings.Join(named, ", ")
}

// launch makes the activation, holding the subscription, so that a cancel of it and another
// launch take turns with this one. The number comes after the activation: a subscription that
// has an open one is told of that, also when it brings the same number.
func (r *rpcs) launch(ctx context.Context, s *store.Store, launch launching, m mutation) error {
	sub, err := s.LockSubscription(ctx, m.tenant, launch.Subscription)
	if err != nil {
		return err
	}
	plan, err := checkLaunch(ctx, s, sub)
	if err != nil {
		return err
	}
	a := newActivation(ctx, sold{sub, plan}, launch, m)
	if err := s.InsertActivation(ctx, a, r.policies); err != nil || a.Port == nil {
		return err
	}
	if err := checkNumber(ctx, s, *a.Port); err != nil {
		return err
	}
	return s.InsertPort(ctx, *a.Port)
}

// checkLaunch makes every check of the subscription but the one that the index on open
// activations makes, and gives the plan.
func checkLaunch(ctx context.Context, s *store.Store, sub mobile.Subscription) (mobile.Plan, error) {
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
	}
	return plan, nil
}

// checkNumber refuses a number that the tenant has on a line already: it has nowhere to come
// from.
func checkNumber(ctx context.Context, s *store.Store, port mobile.Port) error {
	ours, err := s.HasLiveLine(ctx, port.Tenant, port.Number)
	if err != nil || !ours {
		return err
	}
	return fault.InvalidFields([]fault.Violation{{
		Field: "mobile_activation.port_phone_number", Reason: string(mobile.PortSameNetwork),
		Text: "This number is on one of your own lines already, so it cannot be brought in. Check the number, or end that line first.",
	}})
}

// sold is a subscription with its plan.
type sold struct {
	mobile.Subscription
	plan mobile.Plan
}

// newActivation is the activation that a launch asks for, with the port of the number that it
// brings along.
func newActivation(ctx context.Context, sub sold, launch launching, m mutation) mobile.Activation {
	id := mobile.ActivationID(m.resource)
	a := mobile.Activation{
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
	if launch.Type() == mobile.TypePortIn {
		a.PhoneNumber = launch.PortNumber
		a.Port = &mobile.Port{
			ID: mobile.PortID(uuid.Must(uuid.NewV7()).String()), Tenant: sub.Tenant, Activation: id,
			Number: launch.PortNumber, Donor: launch.donor.Code, State: mobile.PortAwaitingInfo,
		}
	}
	return a
}

// tryLaunch makes every check of a launch, asks the carrier, and keeps nothing. What it shows
// has the planned steps and the normal form of the fields, and no identifiers.
func (r *rpcs) tryLaunch(ctx context.Context, launch launching, m mutation) (*dialtonev1.LaunchWorkflowResponse, error) {
	var sub sold
	var planned mobile.Activation
	err := r.db.InTenant(ctx, m.tenant, func(s *store.Store) (err error) {
		if sub.Subscription, err = s.Subscription(ctx, m.tenant, launch.Subscription); err != nil {
			return err
		}
		if sub.plan, err = checkLaunch(ctx, s, sub.Subscription); err != nil {
			return err
		}
		planned = newActivation(ctx, sub, launch, m)
		return checkPlanned(ctx, s, planned)
	})
	if err != nil {
		return nil, withSubscription(err, launch.Subscription)
	}
	planned.ID, planned.WorkflowID, planned.Launched.RequestID = "", "", ""
	for _, name := range launch.Type().Plan() {
		planned.Steps = append(planned.Steps, mobile.Step{Name: name, State: mobile.StepPending})
	}
	workflow := r.show.workflow(planned, sub.Subscription)
	workflow.Choices, workflow.TemporalUrl = nil, ""
	// Outside the transaction: the carrier may take its time.
	return &dialtonev1.LaunchWorkflowResponse{Workflow: workflow, Preflight: r.show.preflight(r.askCarrier(ctx, launch))}, nil
}

// checkPlanned makes the checks that the indexes make for a launch, in the same order.
func checkPlanned(ctx context.Context, s *store.Store, a mobile.Activation) error {
	open, found, err := s.OpenActivation(ctx, a.Tenant, a.Subscription)
	switch {
	case found:
		return store.ErrActivationInProgress.With("activation_id", string(open))
	case err != nil, a.Port == nil:
		return err
	}
	if err := checkNumber(ctx, s, *a.Port); err != nil {
		return err
	}
	open, found, err = s.BeingPorted(ctx, a.Tenant, a.Port.Number)
	if found {
		return store.ErrNumberBeingPorted.With("activation_id", string(open))
	}
	return err
}

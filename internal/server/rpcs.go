package server

import (
	"cmp"
	"context"
	"errors"
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// rpcs holds the handlers of all services, one file for each RPC. Those that it does not
// have come from the generated code and answer NOT_BUILT.
type rpcs struct {
	dialtonev1.UnimplementedSubscriptionServiceServer
	dialtonev1.UnimplementedWorkflowServiceServer
	dialtonev1.UnimplementedPortalServiceServer
	dialtonev1.UnimplementedEventServiceServer
	dialtonev1.UnimplementedAdminServiceServer

	db       *store.DB
	watch    *store.Watch
	gate     *access.Gate
	pages    pages
	show     show
	policies string
	network  Network
	nudge    func()
	runs     Runs
	now      func() time.Time
	draining <-chan struct{}
	// heartbeat is how long the feed may be silent.
	heartbeat time.Duration
	// preflightPatience is how long the carrier may take to answer a trial.
	preflightPatience time.Duration
}

func newRPCs(config Config, gate *access.Gate, draining <-chan struct{}) *rpcs {
	r := &rpcs{
		db: config.DB, watch: config.Watch, gate: gate, pages: pages{config.Digester},
		show:     show{temporalUI: config.TemporalUIURL, namespace: config.Namespace},
		policies: config.Policies, network: config.Network, nudge: config.Nudge, runs: config.Runs, now: config.Now, draining: draining,
		heartbeat:         cmp.Or(config.heartbeat, heartbeatDefault),
		preflightPatience: cmp.Or(config.preflightPatience, preflightPatienceDefault),
	}
	if r.nudge == nil {
		r.nudge = func() {}
	}
	if r.now == nil {
		r.now = time.Now
	}
	return r
}

// mutation is a call that changes something, as it is remembered and audited.
type mutation struct {
	// method is the RPC's name.
	method    string
	requestID string
	// tenant is whose things it changes; empty for the installation's.
	tenant mobile.TenantID
	// fields are the normalised fields that make two requests the same.
	fields []string
	// resource is what it would make or changes.
	resource string
	// activation tells that the resource is an activation.
	activation bool
	// reason is the caller's own words; person is whom a console names.
	reason string
	person string
	// authentication says how the customer was authenticated, where that matters.
	authentication string
	// audit is the id of the audit's row; made when empty.
	audit string
}

// why is what the audit keeps.
func (m mutation) why() string {
	if m.authentication == "" {
		return m.reason
	}
	return m.reason + "\nThe customer was authenticated: " + m.authentication
}

// accept is the first act in the transaction of every call that changes something. It
// remembers the request and audits it. When the request was accepted before, it gives the
// resource of that time and true: then nothing is to be done again.
func (r *rpcs) accept(ctx context.Context, s *store.Store, m mutation) (resource string, repeated bool, err error) {
	caller := access.From(ctx)
	resource, repeated, err = s.Accept(ctx, store.Request{
		Tenant: caller.Tenant, Method: m.method, ID: m.requestID, Fields: m.fields, Resource: m.resource,
	})
	switch {
	case errors.Is(err, store.ErrRequestIDReused) && m.activation:
		return "", false, store.ErrRequestIDReused.With("activation_id", resource)
	case err != nil:
		return "", false, err
	case repeated:
		return resource, true, nil
	}
	return resource, false, s.Audit(ctx, store.Deed{
		ID: m.audit, Tenant: m.tenant, Principal: caller.Principal, Actor: caller.AuditActor(m.person), Method: m.method,
		Resource: resource, RequestID: m.requestID, Reason: m.why(),
	})
}

// doer is who makes the call, as an activation remembers it.
func doer(ctx context.Context, m mutation) mobile.Doer {
	caller := access.From(ctx)
	return mobile.Doer{Principal: caller.Principal, Actor: caller.Actor(m.person), RequestID: m.requestID}
}

// readWorkflow shows an activation as this transaction sees it.
func (r *rpcs) readWorkflow(ctx context.Context, s *store.Store, tenant mobile.TenantID, key store.Key) (*dialtonev1.Workflow, error) {
	a, err := s.Activation(ctx, tenant, key)
	if err != nil {
		return nil, err
	}
	shown, err := r.showWorkflows(ctx, s, tenant, []mobile.Activation{a})
	if err != nil {
		return nil, err
	}
	return shown[0], nil
}

// showWorkflows shows activations in full.
func (r *rpcs) showWorkflows(ctx context.Context, s *store.Store, tenant mobile.TenantID, all []mobile.Activation) ([]*dialtonev1.Workflow, error) {
	ids := make([]mobile.SubscriptionID, 0, len(all))
	for _, a := range all {
		ids = append(ids, a.Subscription)
	}
	subscriptions, err := s.Subscriptions(ctx, tenant, ids)
	if err != nil {
		return nil, err
	}
	shown := make([]*dialtonev1.Workflow, 0, len(all))
	for _, a := range all {
		shown = append(shown, r.show.workflow(a, subscriptions[a.Subscription]))
	}
	return shown, nil
}

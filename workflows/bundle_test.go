package workflows_test

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.uber.org/goleak"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/workflows"
)

// The test environment leaves the coroutines of a run behind.
func TestMain(m *testing.M) {
	storetest.Main(m,
		goleak.IgnoreAnyFunction("go.temporal.io/sdk/internal.(*coroutineState).run"),
		goleak.IgnoreAnyFunction("go.temporal.io/sdk/internal.(*testWorkflowEnvironmentImpl).ExecuteActivity.func2"),
		goleak.IgnoreAnyFunction("go.temporal.io/sdk/internal.(*testWorkflowEnvironmentImpl).executeActivityWithRetryForTest"))
}

// smdpAddress is what activation codes carry here.
const smdpAddress = "smdp.example.com"

// callTimeout is how long the partners' clients wait: short, so that a partner that hangs
// costs a test little.
const callTimeout = 300 * time.Millisecond

// bundle is one activation in Temporal's test environment, on a real Postgres, with every
// partner pretended at its wire.
type bundle struct {
	env        *testsuite.TestWorkflowEnvironment
	db         *store.DB
	activation mobile.Activation
	carrier    partner
	smdp       partner
	sendgrid   partner
	// esim is the pretend SM-DP+ itself.
	esim *esimtest.Server
	// mails is the pretend SendGrid itself.
	mails *mailtest.Server
	// network is the pretend carrier itself, and carrierNow its clock; nil: the world's.
	network    *carriertest.Server
	carrierNow func() time.Time
}

// partner is one pretend partner.
type partner struct {
	url     string
	journal *partnertest.Journal
	faults  *partnertest.Faults
}

// order is what the launch of a bundle differs in.
type order struct {
	imei  mobile.IMEI
	zip   mobile.ZIP
	plan  mobile.Plan
	email string
	donor mobile.DonorCode
	// comesUpAfter is how long, in real time, a line takes that does not come up at once.
	comesUpAfter time.Duration
}

func setup(t *testing.T, o order) *bundle {
	t.Helper()
	b := &bundle{db: storetest.New(t)}
	b.launch(t, o)
	b.partners(t, cmp.Or(o.comesUpAfter, time.Millisecond))
	b.engine(t, b.activation.WorkflowID)
	return b
}

// engine makes another test environment on the same record and partners: for a run that
// follows another one.
func (b *bundle) engine(t *testing.T, workflowID string) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	logger := slog.New(slog.DiscardHandler)
	suite.SetLogger(sdklog.NewStructuredLogger(logger))
	b.env = suite.NewTestWorkflowEnvironment()
	b.env.SetTestTimeout(30 * time.Second)
	b.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: workflowID, TaskQueue: "test"})
	b.env.SetWorkerOptions(worker.Options{
		Interceptors: []interceptor.WorkerInterceptor{activities.NewInterceptor(b.db, logger)},
	})
	workflows.Register(b.env)
	activities.Register(b.env, b.collaborators(t))
}

func (b *bundle) launch(t *testing.T, o order) {
	t.Helper()
	tenant := storetest.Tenant(t, b.db)
	if o.plan.Name != "" {
		tenant.Plans = append(tenant.Plans, o.plan)
		b.system(t, func(s *store.Store) error { return s.UpdateTenant(t.Context(), tenant) })
	}
	sub := storetest.Subscription(t, b.db, tenant)
	if o.plan.Name != "" {
		sub.ID, sub.Plan = "sub-"+mobile.SubscriptionID(uuid.NewString()), o.plan.Name
		b.tenant(t, tenant.ID, func(s *store.Store) error { return s.InsertSubscription(t.Context(), sub) })
	}
	a := storetest.NewActivation(sub)
	if o.imei != "" {
		a.IMEI = o.imei
	}
	if o.zip != "" {
		a.ZIP = o.zip
	}
	if o.plan.Name != "" {
		a.CarrierPlan, a.ProfileType = o.plan.CarrierPlan, o.plan.ProfileType
	}
	a.EmailOverride = o.email
	b.tenant(t, tenant.ID, func(s *store.Store) error { return s.InsertActivation(t.Context(), a, "") })
	b.activation = storetest.Read(t, b.db, a)
}

func (b *bundle) partners(t *testing.T, comesUpAfter time.Duration) {
	t.Helper()
	b.carrier = pretend(t, "carrier", func(p partner) (http.Handler, func()) {
		server, err := carriertest.New(carriertest.Config{
			Journal: p.journal, Faults: p.faults, ComesUpAfter: comesUpAfter, Now: b.carrierNow,
		})
		fatal(t, err)
		b.network = server
		return server, server.Close
	})
	b.smdp = pretend(t, "smdp", func(p partner) (http.Handler, func()) {
		server, err := esimtest.New(esimtest.Config{Journal: p.journal, Faults: p.faults, SMDPAddress: smdpAddress})
		fatal(t, err)
		b.esim = server
		return server, server.Close
	})
	b.sendgrid = pretend(t, "sendgrid", func(p partner) (http.Handler, func()) {
		server, err := mailtest.New(mailtest.Config{Journal: p.journal, Faults: p.faults})
		fatal(t, err)
		b.mails = server
		return server, server.Close
	})
}

func pretend(t *testing.T, name string, start func(partner) (http.Handler, func())) partner {
	t.Helper()
	journal, err := partnertest.OpenJournal(filepath.Join(t.TempDir(), name+".journal"))
	fatal(t, err)
	p := partner{journal: journal, faults: &partnertest.Faults{}}
	handler, stop := start(p)
	server := httptest.NewServer(handler)
	p.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		stop()
		_ = journal.Close()
	})
	return p
}

func (b *bundle) collaborators(t *testing.T) activities.Config {
	t.Helper()
	carrierClient, err := carrier.New(carrier.Config{URL: b.carrier.url, APIKey: "key", Timeout: callTimeout})
	fatal(t, err)
	smdp, err := esim.New(esim.Config{URL: b.smdp.url, RequesterID: "dialtone", SMDPAddress: smdpAddress, Timeout: callTimeout})
	fatal(t, err)
	sendgrid, err := mail.New(mail.Config{URL: b.sendgrid.url, APIKey: "key", Timeout: callTimeout})
	fatal(t, err)
	return activities.Config{
		DB: b.db, Carrier: carrierClient, SMDP: smdp, SendGrid: sendgrid, CallTimeout: callTimeout,
		NewToken: func(p mobile.Principal) (string, mobile.Token, []byte) {
			token := uuid.NewString()
			return token, mobile.Token{ID: token, Principal: p}, []byte(token)
		},
	}
}

// run runs the workflow to its end and gives its result.
func (b *bundle) run(t *testing.T, policies workflows.Policies) workflows.ActivationResult {
	t.Helper()
	b.env.ExecuteWorkflow(string(b.activation.Type), workflows.ActivationInput{
		Tenant: b.activation.Tenant, Activation: b.activation.ID, Policies: policies,
	})
	if !b.env.IsWorkflowCompleted() {
		t.Fatal("the workflow did not end")
	}
	fatal(t, b.env.GetWorkflowError())
	var result workflows.ActivationResult
	fatal(t, b.env.GetWorkflowResult(&result))
	return result
}

// after does something once so much workflow time has passed.
func (b *bundle) after(d time.Duration, what func()) { b.env.RegisterDelayedCallback(what, d) }

// cancel files a cancel as the front does, and wakes the run as the relay does.
func (b *bundle) cancel(t *testing.T) {
	t.Helper()
	b.tenant(t, b.activation.Tenant, func(s *store.Store) error {
		return s.CancelActivation(context.WithoutCancel(t.Context()), store.Cancel{
			Tenant: b.activation.Tenant, Activation: b.activation.ID, Reason: "changed their mind",
		})
	})
	b.env.SignalWorkflow("intake", workflows.Intake{ID: uuid.NewString()})
}

// now reads the activation as it stands in the record.
func (b *bundle) now(t *testing.T) mobile.Activation {
	t.Helper()
	return storetest.Read(t, b.db, b.activation)
}

// subscription reads the subscription as it stands in the record.
func (b *bundle) subscription(t *testing.T) (sub mobile.Subscription) {
	t.Helper()
	b.tenant(t, b.activation.Tenant, func(s *store.Store) (err error) {
		sub, err = s.Subscription(t.Context(), b.activation.Tenant, b.activation.Subscription)
		return err
	})
	return sub
}

func (b *bundle) tenant(t *testing.T, id mobile.TenantID, what func(*store.Store) error) {
	t.Helper()
	fatal(t, b.db.InTenant(context.WithoutCancel(t.Context()), id, what))
}

func (b *bundle) system(t *testing.T, what func(*store.Store) error) {
	t.Helper()
	fatal(t, b.db.InSystem(t.Context(), what))
}

// breaks lets calls to a partner go wrong.
func (p partner) breaks(t *testing.T, fault partnertest.Fault) partnertest.Fault {
	t.Helper()
	set, err := p.faults.Set(fault)
	fatal(t, err)
	return set
}

// count is how often the partner did an act, by its journal on disk.
func (p partner) count(t *testing.T, act string) int {
	t.Helper()
	entries, err := partnertest.ReadJournal(p.journal.Path())
	fatal(t, err)
	n := 0
	for _, e := range entries {
		if e.Act == act {
			n++
		}
	}
	return n
}

// states lists the states of the steps, in order.
func states(a mobile.Activation) []mobile.StepState {
	var list []mobile.StepState
	for _, step := range a.Steps {
		list = append(list, step.State)
	}
	return list
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

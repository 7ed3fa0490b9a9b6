package sandbox_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// scenario is how an act outside comes about, and what there is in the end.
type scenario struct {
	act mobile.Act
	// variant tells it from others with the same act.
	variant string
	// plan and imei are what it is launched with; with a number that is brought along, its
	// ending alone.
	plan, imei string
	number     string
	// before is what there must be before the launch. May be nil.
	before func(*testing.T, rig)
	// provoke lets the act happen where the journey alone does not, once the journey has come
	// as far as reached says.
	reached func(*dialtonev1.Workflow) bool
	provoke func(*testing.T, rig, *dialtonev1.Workflow)
	// over tells that the act is over, should its moment not have been passed.
	over func(*dialtonev1.Workflow) bool
	// ends is how the activation ends, and leaves what it leaves at the partners. What goes on
	// is done only after the end.
	ends   dialtonev1.WorkflowState
	goesOn bool
	leaves traces
	// then is what happens once the worker runs again. May be nil.
	then func(*testing.T, rig, scenario, *dialtonev1.Workflow)
	// lostAt is the moment at which a mail to the customer dies with the worker, if there is one,
	// and lost tells that the worker died there.
	lostAt string
	lost   bool
	// answers are what an operator must answer after a death at that moment. At any other it
	// ends unaided.
	answers map[string]answer
}

// answer is what an operator says who has looked at the partner's side.
type answer func(*testing.T, rig, *dialtonev1.Workflow) (dialtonev1.Resolution, string)

// scenarios has one for each act, and more where an act has more than one way.
func scenarios() []scenario {
	return []scenario{
		// By profile type nothing tells whether an order arrived; by ICCID of our stock the same
		// order again is the same.
		newLine(mobile.ActOrderProfile).answered(map[string]answer{afterRow: sendAgain, afterCall: doneAsOrdered}),
		newLine(mobile.ActOrderProfile).fromStock(),
		newLine(mobile.ActConfirmProfile),
		newLine(mobile.ActActivateLine),
		// A mail that SendGrid has is told by its events; that it has none is told by nobody.
		newLine(mobile.ActSendMail).answered(map[string]answer{afterRow: sendAgain}),
		cancelled(mobile.ActDeactivateLine),
		cancelled(mobile.ActCancelProfile),
		replaced(mobile.ActChangeSIM),
		replaced(mobile.ActRetireProfile),
		// Whether a mail to the customer went out before its row is nobody's to say either, and
		// nothing waits for it: an operator is told, and nobody sends it again.
		askedOnce(mobile.ActSendNotice),
		ported(mobile.ActSubmitPort).when(asksCustomer, givesDetails),
		refusedOnce(mobile.ActSupplementPort),
		revokedOnce(mobile.ActReschedulePort),
		withdrawn(mobile.ActCancelPort),
	}
}

func newLine(act mobile.Act) scenario {
	return scenario{
		act: act, plan: sandbox.MobilePlan, imei: sandbox.GoodIMEI, over: hasEnded,
		ends: dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED, leaves: oneOfEach,
	}
}

func (s scenario) answered(answers map[string]answer) scenario {
	s.answers = answers
	return s
}

// fromStock takes the profile from our own stock, which has it on another plan.
func (s scenario) fromStock() scenario {
	s.variant, s.plan, s.before = "FromStock", stockPlan, stockOne
	return s
}

// cancelled is called off once there is a profile and a line to give back.
func cancelled(act mobile.Act) scenario {
	return scenario{
		act: act, plan: sandbox.MobilePlan, imei: carriertest.IMEIComesUpSilently, reached: isComingUp, over: hasEnded,
		provoke: func(t *testing.T, r rig, w *dialtonev1.Workflow) {
			t.Helper()
			cancel(t, connect(t, r.Sandbox), w)
		},
		ends: dialtonev1.WorkflowState_WORKFLOW_STATE_CANCELLED, leaves: allGivenBack,
	}
}

// replaced has a line that gets another eSIM once it is live.
func replaced(act mobile.Act) scenario {
	s := newLine(act)
	s.variant, s.reached, s.provoke, s.goesOn, s.leaves = "Replaced", toTheEnd, replace, true, oneReplaced
	return s
}

// ported brings a number along.
func ported(act mobile.Act) scenario {
	return scenario{
		act: act, number: portsCalmly, over: hasEnded, ends: dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED, leaves: onePorted,
	}
}

// when lets the act happen once the journey has come so far.
func (s scenario) when(reached func(*dialtonev1.Workflow) bool, provoke func(*testing.T, rig, *dialtonev1.Workflow)) scenario {
	s.reached, s.provoke = reached, provoke
	return s
}

// askedOnce has a customer who gets the mail that asks for details, and stops it all.
func askedOnce(act mobile.Act) scenario {
	s := ported(act)
	s.over = isMailed
	s.ends, s.leaves, s.lostAt = dialtonev1.WorkflowState_WORKFLOW_STATE_REJECTED, traces{Mails: 2}, afterRow
	s.then = func(t *testing.T, r rig, s scenario, w *dialtonev1.Workflow) {
		t.Helper()
		connection := connect(t, r.Sandbox)
		await(t, "the mail, or an operator is told that there may be none", func() bool {
			if s.lost {
				return isTold(t, connection, w, mobile.ItemMailNotDelivered)
			}
			return mailsWith(t, r.Sandbox, w, "We need a few details") > 0
		})
		stops(t, r.Sandbox, w)
	}
	return s
}

func givesDetails(t *testing.T, r rig, w *dialtonev1.Workflow) {
	t.Helper()
	gives(t, r.Sandbox, w)
}

// refusedOnce has a PIN that the donor refuses and the customer corrects.
func refusedOnce(act mobile.Act) scenario {
	s := ported(act).when(asksCustomer, func(t *testing.T, r rig, w *dialtonev1.Workflow) {
		t.Helper()
		gives(t, r.Sandbox, w)
		gives(t, r.Sandbox, askedAgain(t, connect(t, r.Sandbox), w, w.GetPort().GetPrompt().GetRevision()))
	})
	s.number, s.leaves = refusesPINOnce, onePortCorrected
	return s
}

// revokedOnce has a time that the donor takes back.
func revokedOnce(act mobile.Act) scenario {
	s := ported(act).when(asksCustomer, func(t *testing.T, r rig, w *dialtonev1.Workflow) {
		t.Helper()
		gives(t, r.Sandbox, w)
		follow(t, connect(t, r.Sandbox), w.GetActivationId(), portIs(dialtonev1.PortState_PORT_STATE_SUBMITTED))
		turn(t, r.Sandbox, w, carriertest.HandRevoke)
	})
	s.leaves = onePortCorrected
	s.leaves.Mails--
	return s
}

// withdrawn is called off while a donor is silent.
func withdrawn(act mobile.Act) scenario {
	s := ported(act).when(asksCustomer, func(t *testing.T, r rig, w *dialtonev1.Workflow) {
		t.Helper()
		connection := connect(t, r.Sandbox)
		gives(t, r.Sandbox, w)
		follow(t, connection, w.GetActivationId(), portIs(dialtonev1.PortState_PORT_STATE_SUBMITTED))
		cancel(t, connection, w)
	})
	s.number, s.ends, s.leaves = neverAnswers, dialtonev1.WorkflowState_WORKFLOW_STATE_CANCELLED, onePortWithdrawn
	return s
}

// begin launches, and gives the order just before the act can happen.
func (s scenario) begin(t *testing.T, r rig, order func()) *dialtonev1.Workflow {
	t.Helper()
	if s.before != nil {
		s.before(t, r)
	}
	connection := connect(t, r.Sandbox)
	if s.provoke == nil {
		order()
		return s.launch(t, connection)
	}
	w := s.launch(t, connection)
	w = follow(t, connection, w.GetActivationId(), s.reached)
	order()
	s.provoke(t, r, w)
	return w
}

func (s scenario) launch(t *testing.T, connection grpc.ClientConnInterface) *dialtonev1.Workflow {
	t.Helper()
	if s.number != "" {
		return launchPort(t, connection, s.number)
	}
	return launchOn(t, connection, s.plan, s.imei)
}

// diedAt is what is left of it after a death at that moment.
func (s scenario) diedAt(moment string) scenario {
	if moment == s.lostAt {
		s.leaves.Mails--
		s.lost = true
	}
	return s
}

// settle follows the activation to its end, with the operator's answer where there must be
// one, and looks at the partners.
func (s scenario) settle(t *testing.T, r rig, w *dialtonev1.Workflow, answered answer) {
	t.Helper()
	connection, id := connect(t, r.Sandbox), w.GetActivationId()
	if s.then != nil {
		s.then(t, r, s, w)
	}
	waiting := follow(t, connection, id, asksOperator)
	switch asked := asksOperator(waiting); {
	case asked && answered == nil:
		t.Fatalf("it asks an operator: %s (%s); outside there is %+v", waiting.GetReason(), waiting.GetReasonMessage(), tracesOf(t, r, id))
	case !asked && answered != nil:
		t.Errorf("it ended %s, and nobody was asked", waiting.GetState())
	case asked:
		if waiting.GetReason() != "OUTCOME_UNKNOWN" {
			t.Errorf("the operator is asked %s", waiting.GetReason())
		}
		resolve(t, r, waiting, answered)
	}
	ends(t, connection, id, s.ends)
	if s.goesOn {
		await(t, "it is done, or somebody is asked", func() bool {
			return len(openItems(t, connection, id)) > 0 || tracesOf(t, r, id) == s.leaves
		})
	}
	if s.lost {
		await(t, "the next mail arrives, so that nobody need care about the lost one", func() bool { return len(openItems(t, connection, id)) == 0 })
	}
	if open := openItems(t, connection, id); len(open) > 0 {
		t.Errorf("an operator is asked: %v", open)
	}
	if diff := cmp.Diff(s.leaves, tracesOf(t, r, id)); diff != "" {
		t.Errorf("outside there is not what should be (-want +got):\n%s", diff)
	}
}

func openItems(t *testing.T, connection grpc.ClientConnInterface, activation string) []*dialtonev1.Item {
	t.Helper()
	var open []*dialtonev1.Item
	for _, item := range readWorkflow(t, connection, activation).GetItems() {
		if item.GetCloseTime() == nil {
			open = append(open, item)
		}
	}
	return open
}

// isTold tells whether an operator is told of that.
func isTold(t *testing.T, connection grpc.ClientConnInterface, w *dialtonev1.Workflow, kind mobile.ItemKind) bool {
	t.Helper()
	return slices.ContainsFunc(openItems(t, connection, w.GetActivationId()), func(i *dialtonev1.Item) bool {
		return i.GetKind() == string(kind)
	})
}

func readWorkflow(t *testing.T, connection grpc.ClientConnInterface, activation string) *dialtonev1.Workflow {
	t.Helper()
	answer, err := dialtonev1.NewWorkflowServiceClient(connection).GetWorkflow(t.Context(), &dialtonev1.GetWorkflowRequest{
		Lookup: &dialtonev1.GetWorkflowRequest_ActivationId{ActivationId: activation},
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetWorkflow()
}

func asksOperator(w *dialtonev1.Workflow) bool {
	return w.GetState() == dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_OPERATOR
}

func settleNewLine(t *testing.T, r rig, w *dialtonev1.Workflow) {
	t.Helper()
	newLine("").settle(t, r, w, nil)
}

// settleOneNewLine also makes sure that nothing else was launched on the subscription.
func settleOneNewLine(t *testing.T, r rig, w *dialtonev1.Workflow) {
	t.Helper()
	settleNewLine(t, r, w)
	all, err := dialtonev1.NewWorkflowServiceClient(connect(t, r.Sandbox)).ListWorkflows(t.Context(), &dialtonev1.ListWorkflowsRequest{
		SubscriptionId: w.GetSubscriptionId(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(all.GetWorkflows()); got != 1 {
		t.Errorf("%d activations were launched", got)
	}
}

func settleCancel(t *testing.T, r rig, w *dialtonev1.Workflow) {
	t.Helper()
	cancelled("").settle(t, r, w, nil)
}

// launchSlowly launches, and returns when the line is ordered and coming up.
func launchSlowly(t *testing.T, connection grpc.ClientConnInterface) *dialtonev1.Workflow {
	t.Helper()
	w := launch(t, connection, carriertest.IMEIComesUpSilently)
	return follow(t, connection, w.GetActivationId(), isComingUp)
}

func isComingUp(w *dialtonev1.Workflow) bool {
	return w.GetState() == dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_CARRIER
}

// replace gives the customer another eSIM on the same line.
func replace(t *testing.T, r rig, w *dialtonev1.Workflow) {
	t.Helper()
	_, err := dialtonev1.NewWorkflowServiceClient(asOperator(t, r)).ReplaceProfile(t.Context(), &dialtonev1.ReplaceProfileRequest{
		RequestId: uuid.NewString(), ActivationId: w.GetActivationId(),
		Reason: "The phone was lost.", Authentication: "passport",
	})
	if err != nil {
		t.Fatal(err)
	}
}

// stockPlan is a plan whose profiles come from our own stock.
const (
	stockPlan = "mobile-stock"
	stockType = "STOCK-5G"
)

// stockOne brings one profile into the stock.
func stockOne(t *testing.T, r rig) {
	t.Helper()
	at := r.Addresses()
	admin := dialtonev1.NewAdminServiceClient(dial(t, at.GRPC, at.AdminToken))
	offerStockPlan(t, at, admin)
	file := call(t, http.MethodPost, at.ES2PlusURL+"/_pretend/assign", []byte(`{"profile_type":"`+stockType+`","count":1}`))
	came, err := admin.ImportProfiles(t.Context(), &dialtonev1.ImportProfilesRequest{
		RequestId: uuid.NewString(), TenantId: at.Tenant, ProfileType: stockType, Iccids: strings.Fields(string(file)),
	})
	if err != nil || came.GetImportedCount() != 1 {
		t.Fatalf("import one profile: %v, %v", came, err)
	}
}

// offerStockPlan adds the plan to the tenant's, unless it is there.
func offerStockPlan(t *testing.T, at sandbox.Addresses, admin dialtonev1.AdminServiceClient) {
	t.Helper()
	found, err := admin.GetTenant(t.Context(), &dialtonev1.GetTenantRequest{TenantId: at.Tenant})
	if err != nil {
		t.Fatal(err)
	}
	plans := found.GetTenant().GetPlans()
	if slices.ContainsFunc(plans, func(p *dialtonev1.Plan) bool { return p.GetPlan() == stockPlan }) {
		return
	}
	_, err = admin.UpdateTenant(t.Context(), &dialtonev1.UpdateTenantRequest{
		RequestId: uuid.NewString(),
		Tenant: &dialtonev1.Tenant{TenantId: at.Tenant, Plans: append(plans, &dialtonev1.Plan{
			Plan: stockPlan, Kind: dialtonev1.PlanKind_PLAN_KIND_MOBILE, CarrierPlan: "CP-5G-UNLIMITED", ProfileType: stockType,
		})},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"plans"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func asOperator(t *testing.T, r rig) *grpc.ClientConn {
	t.Helper()
	at := r.Addresses()
	return dial(t, at.GRPC, at.OperatorToken)
}

func dial(t *testing.T, address, token string) *grpc.ClientConn {
	t.Helper()
	connection, err := sandbox.Dial(address, token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// resolve answers the one item that is open, as an operator.
func resolve(t *testing.T, r rig, w *dialtonev1.Workflow, answered answer) {
	t.Helper()
	resolution, reference := answered(t, r, w)
	service := dialtonev1.NewWorkflowServiceClient(asOperator(t, r))
	request := &dialtonev1.ResolveActionRequest{
		RequestId: uuid.NewString(), ActivationId: w.GetActivationId(), Reason: "Looked at the partner's side.",
		Resolution: resolution, Reference: reference,
	}
	persist(t, func() error {
		_, err := service.ResolveAction(t.Context(), request)
		return err
	})
}

func sendAgain(*testing.T, rig, *dialtonev1.Workflow) (dialtonev1.Resolution, string) {
	return dialtonev1.Resolution_RESOLUTION_SEND_AGAIN, ""
}

// doneAsOrdered names the profile that the SM-DP+ has given.
func doneAsOrdered(t *testing.T, r rig, w *dialtonev1.Workflow) (dialtonev1.Resolution, string) {
	t.Helper()
	orders := ordersOf(t, r, w.GetActivationId())
	if len(orders) != 1 {
		t.Fatalf("the SM-DP+ has given %d profiles", len(orders))
	}
	return dialtonev1.Resolution_RESOLUTION_DONE, orders[0].Reference
}

// traces are what the partners' journals say of an activation: how many of each were made, and
// how many of them given back.
type traces struct {
	Profiles, ProfilesConfirmed, ProfilesGivenBack int
	Lines, LinesTakenDown, SIMChanges              int
	PortOrders, PortCorrections, PortCancels       int
	Mails                                          int
}

// How an activation may end.
var (
	oneOfEach    = traces{Profiles: 1, ProfilesConfirmed: 1, Lines: 1, Mails: 1}
	allGivenBack = traces{Profiles: 1, ProfilesConfirmed: 1, ProfilesGivenBack: 1, Lines: 1, LinesTakenDown: 1}
	oneReplaced  = traces{Profiles: 2, ProfilesConfirmed: 2, ProfilesGivenBack: 1, Lines: 1, SIMChanges: 1, Mails: 2}

	// A port has a mail that asks for details, too, and one for each refusal.
	onePorted        = traces{Profiles: 1, ProfilesConfirmed: 1, PortOrders: 1, Mails: 2}
	onePortCorrected = traces{Profiles: 1, ProfilesConfirmed: 1, PortOrders: 1, PortCorrections: 1, Mails: 3}
	onePortWithdrawn = traces{Profiles: 1, ProfilesConfirmed: 1, ProfilesGivenBack: 1, PortOrders: 1, PortCancels: 1, Mails: 2}
)

func tracesOf(t *testing.T, r rig, activation string) traces {
	t.Helper()
	at := r.Addresses()
	orders := ordersOf(t, r, activation)
	found := traces{
		Profiles:        len(orders),
		Lines:           len(journal(t, at.CarrierURL, carriertest.ActActivateLine, activation)),
		LinesTakenDown:  len(journal(t, at.CarrierURL, carriertest.ActDeactivateLine, activation)),
		SIMChanges:      len(journal(t, at.CarrierURL, carriertest.ActChangeSIM, activation)),
		PortOrders:      len(portEntries(t, r.Sandbox, carriertest.ActSubmitPort, activation)),
		PortCorrections: len(portEntries(t, r.Sandbox, carriertest.ActSupplementPort, activation)),
		PortCancels:     len(portEntries(t, r.Sandbox, carriertest.ActCancelPort, activation)),
		Mails:           len(mailsOf(t, at, activation)),
	}
	for _, order := range orders {
		found.ProfilesConfirmed += len(journal(t, at.ES2PlusURL, "confirm_order", order.Reference))
		found.ProfilesGivenBack += len(journal(t, at.ES2PlusURL, "cancel_order", order.Reference))
	}
	return found
}

// ordersOf are the profiles that the SM-DP+ gave to an activation, whoever asked, and however
// often.
func ordersOf(t *testing.T, r rig, activation string) []partnertest.Entry {
	t.Helper()
	var orders []partnertest.Entry
	for _, e := range journal(t, r.Addresses().ES2PlusURL, "download_order", "") {
		if strings.HasPrefix(e.Key, activation+"/") {
			orders = append(orders, e)
		}
	}
	return orders
}

package sandbox_test

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	crashpoint "github.com/dialtone/dialtone/internal/crash"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// What a cancel of a subscription is refused with.
const (
	tooLate       = "TOO_LATE_TO_CANCEL"
	notApplicable = "NOT_APPLICABLE"
)

// juncture is where an activation stands still while billing cancels its subscription.
type juncture struct {
	name string
	// reach launches and brings the activation there, where it stays until it is let go.
	reach func(*testing.T, rig) (w *dialtonev1.Workflow, letGo func())
	// alone tells that nothing else may happen meanwhile, because more stands still than this
	// activation.
	alone bool
	// there is what the partners have done by then.
	there traces
	// refusal is what the cancel is refused with; empty when it is accepted.
	refusal string
}

// TestCancelEverywhere: whenever billing cancels the subscription of a new line, it is told the
// truth. Before the line is live all is given back; from then on nothing automatic takes the
// line down, and an operator is asked until the subscription is active. The partners' journals
// are the witness.
func TestCancelEverywhere(t *testing.T) {
	r := crashing(t)
	for _, j := range junctures() {
		t.Run(j.name, func(t *testing.T) {
			if !j.alone {
				t.Parallel()
			}
			j.cancel(t, r)
		})
	}
}

// junctures are those of the journey, in its order.
func junctures() []juncture {
	var (
		nothing   traces
		ordered   = traces{Profiles: 1}
		confirmed = traces{Profiles: 1, ProfilesConfirmed: 1}
		up        = traces{Profiles: 1, ProfilesConfirmed: 1, Lines: 1}
		down      = traces{Profiles: 1, ProfilesConfirmed: 1, Lines: 1, LinesTakenDown: 1}
		returned  = traces{Profiles: 1, ProfilesConfirmed: 1, ProfilesGivenBack: 1}
	)
	return slices.Concat(
		[]juncture{
			{name: "Accepted", reach: carriedNoFurther("relay.claimed")},
			{name: "Started", reach: carriedNoFurther("relay.told")},
			{name: "check_subscription", reach: withoutWorker, alone: true},
			{name: "check_device", reach: callingCarrier("POST /v1/device-checks"), alone: true},
		},
		around(mobile.ActOrderProfile, inJourney(sandbox.GoodIMEI), nothing, ordered),
		around(mobile.ActConfirmProfile, inJourney(sandbox.GoodIMEI), ordered, confirmed),
		around(mobile.ActActivateLine, inJourney(sandbox.GoodIMEI), confirmed, up),
		[]juncture{
			{name: "ComingUp/Silently", reach: comingUp, there: up},
			{name: "ComingUp/TheEventHasCome", reach: upUnread, there: up},
			{name: "ComingUp/BeingRead", reach: callingCarrier("GET /v1/lines/*"), alone: true, there: up},
			{name: "Live/AtOnce", reach: inJourney(sandbox.GoodIMEI)("line.live"), there: up, refusal: tooLate},
			{name: "Live/AfterTheEvent", reach: inJourney(carriertest.IMEIComesUpLater)("line.live"), there: up, refusal: tooLate},
		},
		refused(notApplicable, around(mobile.ActSendMail, inJourney(sandbox.GoodIMEI), up, oneOfEach)),
		[]juncture{
			{name: "Active/MailStuck", reach: mailStuck, alone: true, there: up, refusal: notApplicable},
			{name: "Active/Ended", reach: ended, there: oneOfEach, refusal: notApplicable},
		},
		// And while it is being given back: because the carrier refused, or because somebody else
		// has cancelled.
		around(mobile.ActCancelProfile, inJourney(carriertest.IMEIBlockedAtActivation), confirmed, returned),
		around(mobile.ActDeactivateLine, afterCancel, up, down),
	)
}

// reaching brings an activation to a point of internal/crash, which is about these and the
// activation.
type reaching func(point string, about ...string) func(*testing.T, rig) (*dialtonev1.Workflow, func())

// around has the moments of an act, and what the partners have done before it and after it.
func around(act mobile.Act, reach reaching, before, after traces) []juncture {
	var all []juncture
	for _, moment := range moments() {
		there := before
		if moment == afterCall || moment == afterVerdict {
			there = after
		}
		name := path.Join(string(act), strings.TrimPrefix(moment, "effect."))
		all = append(all, juncture{name: name, reach: reach(moment, string(act)), there: there})
	}
	return all
}

func refused(reason string, all []juncture) []juncture {
	for i := range all {
		all[i].refusal = reason
	}
	return all
}

// inJourney launches with that phone. The order is given before the run begins, so that it is
// for this activation and no other.
func inJourney(imei string) reaching {
	return func(point string, about ...string) func(*testing.T, rig) (*dialtonev1.Workflow, func()) {
		return func(t *testing.T, r rig) (*dialtonev1.Workflow, func()) {
			t.Helper()
			connection := connect(t, r.Sandbox)
			for {
				subscription := subscribe(t, connection)
				begin := r.order(t, crashpoint.Name("relay.claimed", subscription)+crashpoint.Hold)
				w := send(t, connection, launchRequest(subscription, imei))
				order := orderFor(w, point, about)
				letGo := r.order(t, order)
				begin()
				if r.reached(t, order, w, hasEnded) {
					return w, letGo
				}
			}
		}
	}
}

// afterCancel is reached once the activation was cancelled while its line was coming up.
func afterCancel(point string, about ...string) func(*testing.T, rig) (*dialtonev1.Workflow, func()) {
	return func(t *testing.T, r rig) (*dialtonev1.Workflow, func()) {
		t.Helper()
		connection := connect(t, r.Sandbox)
		w := launchSlowly(t, connection)
		order := orderFor(w, point, about)
		letGo := r.order(t, order)
		cancel(t, connection, w)
		r.obeyed(t, order)
		return w, letGo
	}
}

func orderFor(w *dialtonev1.Workflow, point string, about []string) string {
	return crashpoint.Name(point, append(slices.Clone(about), w.GetActivationId())...) + crashpoint.Hold
}

// carriedNoFurther holds the relay that brings the launch to the engine.
func carriedNoFurther(point string) func(*testing.T, rig) (*dialtonev1.Workflow, func()) {
	return func(t *testing.T, r rig) (*dialtonev1.Workflow, func()) {
		t.Helper()
		connection := connect(t, r.Sandbox)
		subscription := subscribe(t, connection)
		order := crashpoint.Name(point, subscription) + crashpoint.Hold
		letGo := r.order(t, order)
		w := send(t, connection, launchRequest(subscription, sandbox.GoodIMEI))
		r.obeyed(t, order)
		return w, letGo
	}
}

// withoutWorker leaves the run at its beginning.
func withoutWorker(t *testing.T, r rig) (*dialtonev1.Workflow, func()) {
	t.Helper()
	r.stopWorker(t)
	w := launch(t, connect(t, r.Sandbox), sandbox.GoodIMEI)
	await(t, "the run is started", func() bool { return r.hasPassed(t, "relay.told", w.GetSubscriptionId()) })
	return w, func() {
		if err := r.Resume(sandbox.Worker); err != nil {
			t.Fatal(err)
		}
	}
}

// callingCarrier leaves the carrier's answer to a call away.
func callingCarrier(match string) func(*testing.T, rig) (*dialtonev1.Workflow, func()) {
	return func(t *testing.T, r rig) (*dialtonev1.Workflow, func()) {
		t.Helper()
		carrier := r.Addresses().CarrierURL
		mend := goWrong(t, carrier, partnertest.Fault{Match: match, Kind: partnertest.Slow, Times: 1})
		w := launch(t, connect(t, r.Sandbox), sandbox.GoodIMEI)
		await(t, "the carrier is called", func() bool { return bitten(t, carrier) })
		return w, mend
	}
}

// bitten tells whether a partner's one fault has bitten a call.
func bitten(t *testing.T, partner string) bool {
	t.Helper()
	var faults []partnertest.Fault
	if err := json.Unmarshal(call(t, http.MethodGet, partner+"/_pretend/faults", nil), &faults); err != nil {
		t.Fatal(err)
	}
	return len(faults) == 1 && faults[0].Hits > 0
}

// comingUp waits for a line of which no event will tell.
func comingUp(t *testing.T, r rig) (*dialtonev1.Workflow, func()) {
	t.Helper()
	return launchSlowly(t, connect(t, r.Sandbox)), func() {}
}

// upUnread has a line that is up at the carrier, which has told us, and which nobody has read.
func upUnread(t *testing.T, r rig) (*dialtonev1.Workflow, func()) {
	t.Helper()
	w, letGo := inJourney(carriertest.IMEIComesUpLater)(afterVerdict, string(mobile.ActActivateLine))(t, r)
	await(t, "the carrier tells that the line is up", func() bool {
		return len(journal(t, r.Addresses().CarrierURL, partnertest.ActDelivered, w.GetActivationId())) > 0
	})
	return w, letGo
}

// mailStuck has a subscription that is active, and a mail that SendGrid does not take.
func mailStuck(t *testing.T, r rig) (*dialtonev1.Workflow, func()) {
	t.Helper()
	mend := goWrong(t, r.Addresses().SendGridURL, partnertest.Fault{Match: "POST /v3/mail/send", Kind: partnertest.Status, Status: 503})
	connection := connect(t, r.Sandbox)
	w := launch(t, connection, sandbox.GoodIMEI)
	return follow(t, connection, w.GetActivationId(), func(w *dialtonev1.Workflow) bool {
		return slices.ContainsFunc(w.GetSteps(), func(s *dialtonev1.Step) bool {
			return s.GetName() == string(mobile.StepSendActivationEmail) && s.GetState() == dialtonev1.StepState_STEP_STATE_RETRYING
		})
	}), mend
}

func ended(t *testing.T, r rig) (*dialtonev1.Workflow, func()) {
	t.Helper()
	connection := connect(t, r.Sandbox)
	w := launch(t, connection, sandbox.GoodIMEI)
	return ends(t, connection, w.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED), func() {}
}

// cancel cancels there, and follows the activation to its end.
func (j juncture) cancel(t *testing.T, r rig) {
	t.Helper()
	connection := connect(t, r.Sandbox)
	w, letGo := j.reach(t, r)
	if diff := cmp.Diff(j.there, tracesOf(t, r, w.GetActivationId())); diff != "" {
		t.Errorf("it is not where it should be (-want +got):\n%s", diff)
	}

	answer, err := dialtonev1.NewSubscriptionServiceClient(connection).CancelSubscription(t.Context(), &dialtonev1.CancelSubscriptionRequest{
		RequestId: uuid.NewString(), SubscriptionId: w.GetSubscriptionId(), Reason: "the customer changed their mind",
	})

	j.wantAnswer(t, answer, err)
	if j.refusal == tooLate {
		wantAtRisk(t, r, w)
	} else if open := openItems(t, connection, w.GetActivationId()); len(open) > 0 {
		t.Errorf("an operator is asked: %v", open)
	}
	letGo()
	j.wantEnd(t, r, w)
	if j.refusal == tooLate {
		dismiss(t, r, w)
	}
}

func (j juncture) wantAnswer(t *testing.T, answer *dialtonev1.CancelSubscriptionResponse, err error) {
	t.Helper()
	switch got := status.Convert(err); {
	case j.refusal == "":
		if err != nil || answer.GetSubscription().GetStatus() != dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_CANCELLED ||
			answer.GetWorkflow().GetCancel() == nil {
			t.Fatalf("the cancel is answered %v, %v", answer, err)
		}
	case got.Code() != codes.FailedPrecondition || reasonOf(got) != j.refusal:
		t.Fatalf("the cancel is answered %v, %v, want %s", answer, err, j.refusal)
	}
}

func reasonOf(s *status.Status) string {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// wantAtRisk makes sure that an operator is asked, and has no choice that takes the line down.
func wantAtRisk(t *testing.T, r rig, w *dialtonev1.Workflow) {
	t.Helper()
	w = readWorkflow(t, asOperator(t, r), w.GetActivationId())
	var kinds []string
	for _, item := range w.GetItems() {
		kinds = append(kinds, item.GetKind())
	}
	if diff := cmp.Diff([]string{string(mobile.ItemNumberAtRisk)}, kinds); diff != "" {
		t.Fatalf("the items (-want +got):\n%s", diff)
	}
	var choices []dialtonev1.Resolution
	for _, choice := range w.GetChoices() {
		switch {
		case choice.GetItemId() == w.GetItems()[0].GetItemId():
			choices = append(choices, choice.GetResolution())
		case choice.GetCommand() == dialtonev1.Command_COMMAND_CANCEL_WORKFLOW:
			t.Error("a live line can be cancelled")
		}
	}
	if diff := cmp.Diff([]dialtonev1.Resolution{dialtonev1.Resolution_RESOLUTION_DISMISS}, choices); diff != "" {
		t.Errorf("its choices (-want +got):\n%s", diff)
	}
}

// dismiss closes what was asked, which is open after the end too.
func dismiss(t *testing.T, r rig, w *dialtonev1.Workflow) {
	t.Helper()
	connection := connect(t, r.Sandbox)
	if open := openItems(t, connection, w.GetActivationId()); len(open) != 1 {
		t.Fatalf("after the end an operator is asked: %v", open)
	}
	resolve(t, r, w, func(*testing.T, rig, *dialtonev1.Workflow) (dialtonev1.Resolution, string) {
		return dialtonev1.Resolution_RESOLUTION_DISMISS, ""
	})
	if open := openItems(t, connection, w.GetActivationId()); len(open) > 0 {
		t.Errorf("still an operator is asked: %v", open)
	}
}

// outcome is how an activation has ended, by our record and by the partners' journals.
type outcome struct {
	Activation   string
	Subscription string
	Live         bool
	Outside      traces
}

func (j juncture) wantEnd(t *testing.T, r rig, w *dialtonev1.Workflow) {
	t.Helper()
	connection, id := connect(t, r.Sandbox), w.GetActivationId()
	w = follow(t, connection, id, asksOperator)
	got := outcome{
		Activation:   w.GetState().String(),
		Subscription: statusOf(t, connection, w.GetSubscriptionId()).String(),
		Live:         w.GetLine().GetLiveTime() != nil,
		Outside:      tracesOf(t, r, id),
	}
	want := outcome{
		Activation:   dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED.String(),
		Subscription: dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_ACTIVE.String(),
		Live:         true, Outside: oneOfEach,
	}
	if j.refusal == "" {
		want = outcome{
			Activation:   dialtonev1.WorkflowState_WORKFLOW_STATE_CANCELLED.String(),
			Subscription: dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_CANCELLED.String(),
			Outside:      allOf(got.Outside),
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it has not come to its end (-want +got):\n%s", diff)
	}
}

// allOf is all that was taken given back: how far a run comes before it hears of a cancel is
// not said.
func allOf(taken traces) traces {
	profiles, lines := min(taken.Profiles, 1), min(taken.Lines, 1)
	return traces{
		Profiles: profiles, ProfilesConfirmed: min(taken.ProfilesConfirmed, profiles), ProfilesGivenBack: profiles,
		Lines: lines, LinesTakenDown: lines,
	}
}

func statusOf(t *testing.T, connection grpc.ClientConnInterface, subscription string) dialtonev1.SubscriptionStatus {
	t.Helper()
	answer, err := dialtonev1.NewSubscriptionServiceClient(connection).GetSubscription(t.Context(), &dialtonev1.GetSubscriptionRequest{
		SubscriptionId: subscription,
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetSubscription().GetStatus()
}

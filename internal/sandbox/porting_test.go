package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// What every customer of these tests knows about the old account: nobody else has such an
// account number or such PINs.
const (
	canaryAccount = "QF-7730-514-2291"
	canaryPIN     = "Q7V4X9ZB"
	canaryNewPIN  = "Z3K8W2HM"
)

// The endings of numbers, by which the pretend carrier knows how their ports go.
const (
	portsCalmly     = "00"
	refusesPINOnce  = "01"
	neverAnswers    = "19"
	movesAllTheSame = "21"
)

// launchPort launches with a number that is brought along.
func launchPort(t *testing.T, connection grpc.ClientConnInterface, ending string) *dialtonev1.Workflow {
	t.Helper()
	launched, err := sandbox.LaunchPort(t.Context(), connection, sandbox.Customer{Name: canaryName, Email: canaryEmail}, ending)
	if err != nil {
		t.Fatal(err)
	}
	return launched
}

// asksCustomer tells whether the customer is asked something.
func asksCustomer(w *dialtonev1.Workflow) bool {
	return w.GetState() == dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_CUSTOMER && w.GetPort().GetPrompt() != nil
}

// portIs tells whether the port is in this state.
func portIs(state dialtonev1.PortState) func(*dialtonev1.Workflow) bool {
	return func(w *dialtonev1.Workflow) bool { return w.GetPort().GetState() == state }
}

// asPortal calls the server as the provider's portal does.
func asPortal(t *testing.T, s *sandbox.Sandbox) dialtonev1.PortalServiceClient {
	t.Helper()
	at := s.Addresses()
	return dialtonev1.NewPortalServiceClient(dial(t, at.GRPC, at.PortalBackendToken))
}

// prompted reads what the customer is asked.
func prompted(t *testing.T, portal dialtonev1.PortalServiceClient, w *dialtonev1.Workflow) *dialtonev1.PortingPrompt {
	t.Helper()
	shown, err := portal.GetPortingPrompt(t.Context(), &dialtonev1.GetPortingPromptRequest{ActivationId: w.GetActivationId()})
	if err != nil {
		t.Fatal(err)
	}
	return shown.GetPrompt()
}

// gives answers the question that is open, once there is a mail about it, and corrects the PIN if
// that was refused.
func gives(t *testing.T, s *sandbox.Sandbox, w *dialtonev1.Workflow) {
	t.Helper()
	portal := asPortal(t, s)
	prompt := prompted(t, portal, w)
	knows := sandbox.PortingInfo(canaryPIN)
	knows.AccountNumber = canaryAccount
	subject := "We need a few details"
	if prompt.GetKind() != dialtonev1.PromptKind_PROMPT_KIND_PROVIDE_INFO {
		subject, knows.Pin = "Action required", canaryNewPIN
	}
	await(t, "the mail: "+subject, func() bool { return mailsWith(t, s, w, subject) > 0 })
	given, err := portal.SubmitPortingInfo(t.Context(), &dialtonev1.SubmitPortingInfoRequest{
		RequestId: uuid.NewString(), ActivationId: w.GetActivationId(), Revision: prompt.GetRevision(),
		Credentials: &dialtonev1.SubmitPortingInfoRequest_Us{Us: sandbox.AnswerTo(prompt, knows)},
	})
	if err != nil || given.GetVerdict() != dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_ACCEPTED {
		t.Fatalf("what the customer gave: %v, %v", given, err)
	}
}

// asked launches with a number, and returns once the customer is asked for details.
func asked(t *testing.T, connection grpc.ClientConnInterface, ending string) *dialtonev1.Workflow {
	t.Helper()
	return askedAgain(t, connection, launchPort(t, connection, ending), 0)
}

// askedAgain waits until the customer is asked something after that question.
func askedAgain(t *testing.T, connection grpc.ClientConnInterface, w *dialtonev1.Workflow, after int64) *dialtonev1.Workflow {
	t.Helper()
	w = follow(t, connection, w.GetActivationId(), func(w *dialtonev1.Workflow) bool {
		return asksCustomer(w) && w.GetPort().GetPrompt().GetRevision() > after || asksOperator(w)
	})
	if !asksCustomer(w) {
		t.Fatalf("it is %s, %s, and the customer is not asked", w.GetState(), w.GetReason())
	}
	return w
}

// atDonor launches with a number, answers, and returns once the order is with the donor.
func atDonor(t *testing.T, s *sandbox.Sandbox, ending string) *dialtonev1.Workflow {
	t.Helper()
	connection := connect(t, s)
	w := asked(t, connection, ending)
	gives(t, s, w)
	return follow(t, connection, w.GetActivationId(), portIs(dialtonev1.PortState_PORT_STATE_SUBMITTED))
}

// portEntries are what the pretend carrier did to an activation's ports when we asked.
func portEntries(t *testing.T, s *sandbox.Sandbox, act, activation string) []partnertest.Entry {
	t.Helper()
	var found []partnertest.Entry
	for _, e := range journal(t, s.Addresses().CarrierURL, act, "") {
		if strings.HasPrefix(e.Key, activation+"/") {
			found = append(found, e)
		}
	}
	return found
}

// turn gives the activation's last port a turn by hand.
func turn(t *testing.T, s *sandbox.Sandbox, w *dialtonev1.Workflow, hand string) {
	t.Helper()
	orders := portEntries(t, s, carriertest.ActSubmitPort, w.GetActivationId())
	if len(orders) == 0 {
		t.Fatal("nothing was ordered")
	}
	call(t, http.MethodPost, s.Addresses().CarrierURL+"/_pretend/ports/"+orders[len(orders)-1].Reference+"/"+hand, nil)
}

// mailsWith counts the mails about an activation with that subject.
func mailsWith(t *testing.T, s *sandbox.Sandbox, w *dialtonev1.Workflow, subject string) int {
	t.Helper()
	n := 0
	for _, e := range mailsOf(t, s.Addresses(), w.GetActivationId()) {
		if body, _ := e.Data["body"].(string); strings.Contains(body, `"subject":"`+subject) {
			n++
		}
	}
	return n
}

// stops gives up the port as the customer, and the activation with it.
func stops(t *testing.T, s *sandbox.Sandbox, w *dialtonev1.Workflow) {
	t.Helper()
	said, err := asPortal(t, s).StopPort(t.Context(), &dialtonev1.StopPortRequest{
		RequestId: uuid.NewString(), ActivationId: w.GetActivationId(),
	})
	if err != nil || said.GetVerdict() != dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_ACCEPTED {
		t.Fatalf("to stop it: %v, %v", said, err)
	}
}

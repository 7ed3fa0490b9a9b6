package sandbox_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// TestServerKilled: a launch whose server is killed next happens, and repeated it is the
// same one.
func TestServerKilled(t *testing.T) {
	s := running(t)
	connection := connect(t, s)
	request := &dialtonev1.LaunchWorkflowRequest{
		RequestId: uuid.NewString(),
		Workflow: &dialtonev1.LaunchWorkflowRequest_MobileActivation{MobileActivation: &dialtonev1.MobileActivation{
			SubscriptionId: subscribe(t, connection), Imei: sandbox.GoodIMEI, ZipCode: sandbox.GoodZIP,
		}},
	}

	launched := send(t, connection, request)
	crash(t, s, sandbox.Server)
	repeated := send(t, connection, request)

	if launched.GetActivationId() != repeated.GetActivationId() {
		t.Errorf("it was launched twice: %s and %s", launched.GetActivationId(), repeated.GetActivationId())
	}
	once(t, s, ends(t, connection, launched.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED))
}

// TestWorkerKilled: a worker that dies while the carrier and SendGrid have acted and not yet
// answered leaves each act done once.
func TestWorkerKilled(t *testing.T) {
	s := running(t)
	at, connection := s.Addresses(), connect(t, s)
	profiles := len(journal(t, at.ES2PlusURL, "download_order", ""))
	mendMail := goWrong(t, at.SendGridURL, partnertest.Fault{Match: "POST /v3/mail/send", Kind: partnertest.Hang, Applied: true, Times: 1})
	mailed := launch(t, connection, sandbox.GoodIMEI)
	await(t, "SendGrid has the mail", func() bool { return len(mailsOf(t, at, mailed.GetActivationId())) > 0 })
	mendLine := goWrong(t, at.CarrierURL, partnertest.Fault{Match: "POST /v1/lines", Kind: partnertest.Hang, Applied: true, Times: 1})
	ordered := launch(t, connection, sandbox.GoodIMEI)
	await(t, "the carrier has the order", func() bool {
		return len(journal(t, at.CarrierURL, carriertest.ActActivateLine, ordered.GetActivationId())) > 0
	})

	crash(t, s, sandbox.Worker)
	mendMail()
	mendLine()

	once(t, s, ends(t, connection, ordered.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED))
	// SendGrid knows no keys: the mail is settled by SendGrid's own events or by an operator,
	// and never sent again.
	settled := follow(t, connection, mailed.GetActivationId(), func(w *dialtonev1.Workflow) bool {
		return w.GetState() == dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_OPERATOR
	})
	if settled.GetState() != dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED && settled.GetReason() != "OUTCOME_UNKNOWN" {
		t.Errorf("the mail's activation is %s, %s", settled.GetState(), settled.GetReason())
	}
	once(t, s, settled)
	if got := len(journal(t, at.ES2PlusURL, "download_order", "")) - profiles; got != 2 {
		t.Errorf("the SM-DP+ gave %d profiles for two lines", got)
	}
}

// crash kills a part as the system would when there is no memory left. The sandbox starts it
// again by itself.
func crash(t *testing.T, s *sandbox.Sandbox, part string) {
	t.Helper()
	before := s.Addresses().PIDs[part]
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, part+" was started again", func() bool {
		pid := s.Addresses().PIDs[part]
		return pid != 0 && pid != before
	})
}

// once checks that the outside saw one profile, one line and one mail of an activation.
func once(t *testing.T, s *sandbox.Sandbox, w *dialtonev1.Workflow) {
	t.Helper()
	at, id := s.Addresses(), w.GetActivationId()
	lines := journal(t, at.CarrierURL, carriertest.ActActivateLine, id)
	if len(lines) != 1 {
		t.Fatalf("the carrier activated %d lines: %v", len(lines), lines)
	}
	if got := mailsOf(t, at, w.GetActivationId()); len(got) != 1 {
		t.Errorf("SendGrid accepted %d mails", len(got))
	}
	line, _ := lines[0].Data["line"].(map[string]any)
	iccid, _ := line["iccid"].(string)
	for _, act := range []string{"download_order", "confirm_order"} {
		if got := journal(t, at.ES2PlusURL, act, iccid); len(got) != 1 {
			t.Errorf("the SM-DP+ did %s %d times for the line's profile", act, len(got))
		}
	}
}

func mailsOf(t *testing.T, at sandbox.Addresses, activation string) []partnertest.Entry {
	t.Helper()
	var found []partnertest.Entry
	for _, e := range journal(t, at.SendGridURL, mailtest.ActAccepted, "") {
		body, _ := e.Data["body"].(string)
		if strings.Contains(body, activation) {
			found = append(found, e)
		}
	}
	return found
}

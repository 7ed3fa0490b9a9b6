package sandbox_test

import (
	"strings"
	"syscall"
	"testing"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// TestServerKilled: a launch whose server is killed next happens, and repeated it is the
// same one.
func TestServerKilled(t *testing.T) {
	s := running(t)
	connection := connect(t, s)
	request := launchRequest(subscribe(t, connection), sandbox.GoodIMEI)

	launched := send(t, connection, request)
	crash(t, s, sandbox.Server)
	repeated := send(t, connection, request)

	if launched.GetActivationId() != repeated.GetActivationId() {
		t.Errorf("it was launched twice: %s and %s", launched.GetActivationId(), repeated.GetActivationId())
	}
	once(t, s, ends(t, connection, launched.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED))
}

// TestWorkerKilled: a worker that dies while the partners have acted and not yet answered leaves
// each act done once. What became of it is found out unaided wherever that can be: the carrier
// knows our keys, and SendGrid's events tell of the mail. Of an order by profile type only the
// operator of the SM-DP+ can tell.
func TestWorkerKilled(t *testing.T) {
	s := running(t)
	r, at, connection := rig{Sandbox: s}, s.Addresses(), connect(t, s)
	unanswered := func(partner, match string, acted func(*dialtonev1.Workflow) bool) (*dialtonev1.Workflow, func()) {
		mend := goWrong(t, partner, partnertest.Fault{Match: match, Kind: partnertest.Hang, Applied: true, Times: 1})
		w := launch(t, connection, sandbox.GoodIMEI)
		await(t, match+" is done", func() bool { return acted(w) })
		return w, mend
	}
	mailed, mendMail := unanswered(at.SendGridURL, "POST /v3/mail/send", func(w *dialtonev1.Workflow) bool {
		return len(mailsOf(t, at, w.GetActivationId())) > 0
	})
	lined, mendLine := unanswered(at.CarrierURL, "POST /v1/lines", func(w *dialtonev1.Workflow) bool {
		return len(journal(t, at.CarrierURL, carriertest.ActActivateLine, w.GetActivationId())) > 0
	})
	ordered, mendOrder := unanswered(at.ES2PlusURL, "POST /gsma/rsp2/es2plus/downloadOrder", func(w *dialtonev1.Workflow) bool {
		return len(ordersOf(t, r, w.GetActivationId())) > 0
	})

	crash(t, s, sandbox.Worker)
	mendMail()
	mendLine()
	mendOrder()

	t.Run("Line", func(t *testing.T) { newLine(mobile.ActActivateLine).settle(t, r, lined, nil) })
	t.Run("Mail", func(t *testing.T) { newLine(mobile.ActSendMail).settle(t, r, mailed, nil) })
	t.Run("Order", func(t *testing.T) { newLine(mobile.ActOrderProfile).settle(t, r, ordered, doneAsOrdered) })
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

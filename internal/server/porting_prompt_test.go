package server_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// The kinds, verdicts and acts of the portal, in short.
const (
	none          = dialtonev1.PromptKind_PROMPT_KIND_NONE
	isAccepted    = dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_ACCEPTED
	isDuplicate   = dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_DUPLICATE
	isUnchanged   = dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_UNCHANGED
	isStale       = dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_STALE
	isTooLate     = dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_TOO_LATE
	toSubmit      = dialtonev1.PortalAct_PORTAL_ACT_SUBMIT_PORTING_INFO
	toConfirm     = dialtonev1.PortalAct_PORTAL_ACT_CONFIRM_DONOR_ACTION
	toChange      = dialtonev1.PortalAct_PORTAL_ACT_CHANGE_NUMBER
	toChangePhone = dialtonev1.PortalAct_PORTAL_ACT_CHANGE_DEVICE
	toKeep        = dialtonev1.PortalAct_PORTAL_ACT_KEEP_NEW_NUMBER
	toStop        = dialtonev1.PortalAct_PORTAL_ACT_STOP_PORT
	toInstall     = dialtonev1.PortalAct_PORTAL_ACT_GET_INSTALL_CODE
	toReport      = dialtonev1.PortalAct_PORTAL_ACT_REPORT_INSTALLATION
)

// portedNumber is the nth number of a test that could be ported.
func portedNumber(n int) string { return fmt.Sprintf("+1212736%04d", 5000+n) }

// bringing is an activation that brings a number along from AT&T, taken up by its run.
func (b *bundle) bringing(t *testing.T, h house, n int) mobile.Activation {
	t.Helper()
	a := storetest.NewActivation(b.pending(t, h))
	a.Type = mobile.TypePortIn
	b.record(t, h.ID, func(ctx context.Context, s *store.Store) error {
		must(t, s.InsertActivation(ctx, a, ""))
		port := mobile.PortID(uuid.Must(uuid.NewV7()).String())
		must(t, s.InsertPort(ctx, mobile.Port{ID: port, Tenant: h.ID, Activation: a.ID, Number: portedNumber(n), Donor: "att"}))
		return s.RecordPortability(ctx, h.ID, a.ID, port, store.Portability{
			NumberType: mobile.NumberWireless, LookedUp: "att", Required: firstAsked()[1:], At: today(),
		})
	})
	b.move(t, h, a.ID, mobile.StateRunning)
	return storetest.Read(t, b.DB, a)
}

// firstAsked are the fields of the first question about a mobile number at AT&T.
func firstAsked() []mobile.PortingField {
	return []mobile.PortingField{
		mobile.FieldNumberInService, mobile.FieldAccountZIP, mobile.FieldAccountNumber, mobile.FieldPIN,
	}
}

// asked asks the customer something, as the run would, and gives the activation as it is then.
func (b *bundle) asked(t *testing.T, a mobile.Activation, p mobile.Prompt) mobile.Activation {
	t.Helper()
	after := int64(0)
	if a.Port.Prompt != nil {
		after = a.Port.Prompt.Revision
	}
	p.Activation, p.Port, p.Opened, p.Deadline = a.ID, a.Port.ID, today(), today().Add(30*24*time.Hour)
	b.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.OpenPrompt(ctx, p, after, store.Move{
			Tenant: a.Tenant, Activation: a.ID, To: mobile.StateWaitingForCustomer, At: today(), Next: "The customer answers",
		}, mobile.StepCollectPortingInfo)
		return err
	})
	return storetest.Read(t, b.DB, a)
}

// askedFirst is an activation whose customer is asked what the donor wants to know.
func (b *bundle) askedFirst(t *testing.T, h house, n int) mobile.Activation {
	t.Helper()
	return b.asked(t, b.bringing(t, h, n), mobile.Prompt{Kind: mobile.PromptProvideInfo, Fields: firstAsked()})
}

// refusedFor is an activation whose first details the donor has refused for a reason, and
// whose customer is asked about it.
func (b *bundle) refusedFor(t *testing.T, h house, n int, reason mobile.PortReason) mobile.Activation {
	t.Helper()
	a := b.askedFirst(t, h, n)
	response, err := b.portals.SubmitPortingInfo(as(t.Context(), h.backend()), given(a))
	must(t, err)
	if response.GetVerdict() != isAccepted {
		t.Fatalf("the details are %s", response.GetVerdict())
	}
	b.sent(t, a)
	return b.said(t, a, store.PortWord{Word: mobile.WordRefused, Reason: reason, Code: "8A", Message: "NO MATCH"}, true)
}

// sent takes up what the customer said and orders the port.
func (b *bundle) sent(t *testing.T, a mobile.Activation) {
	t.Helper()
	b.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error {
		port, err := s.Port(ctx, a.ID)
		must(t, err)
		answer, err := s.Answer(ctx, port)
		must(t, err)
		if answer != nil {
			must(t, s.TakeAnswer(ctx, a.Tenant, a.ID, answer.ID))
		}
		_, err = s.OrderPort(ctx, a.Tenant, a.ID, port.ID)
		must(t, err)
		return s.PortSent(ctx, a.Tenant, a.ID, port.ID, "CP-1", today(), today())
	})
}

// said hears of the port at the carrier; asking, what the reason calls for is asked.
func (b *bundle) said(t *testing.T, a mobile.Activation, w store.PortWord, asking bool) mobile.Activation {
	t.Helper()
	b.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error {
		port, err := s.Port(ctx, a.ID)
		must(t, err)
		w.Tenant, w.Activation, w.Port, w.ExternalID, w.At = a.Tenant, a.ID, port.ID, port.ExternalID, today()
		after, err := s.HearOfPort(ctx, w)
		if want, _ := port.State.After(w.Word); after.State != want {
			t.Errorf("after %s the port is %s", w.Word, after.State)
		}
		return err
	})
	a = storetest.Read(t, b.DB, a)
	if !asking {
		return a
	}
	q := mobile.NewPortQuestion(mobile.PortFacts{
		Reason: string(w.Reason), NumberType: mobile.NumberWireless, Required: firstAsked()[1:],
		Held: map[mobile.PortingField]string{mobile.FieldNumberInService: "yes"},
	})
	return b.asked(t, a, mobile.Prompt{Kind: q.Kind, Reason: q.Reason, Fields: q.Fields, Refused: q.Refused, Action: q.Action})
}

func (h house) backend() string { return h.token(mobile.PrincipalPortalBackend) }

// link is a PORTAL token of an activation.
func (b *bundle) link(t *testing.T, a mobile.Activation) string {
	t.Helper()
	text, _ := b.newToken(t, mobile.Token{Principal: mobile.PrincipalPortal, Tenant: a.Tenant, Activation: a.ID, Name: "link"})
	return text
}

// page reads what the portal shows.
func (b *bundle) page(t *testing.T, h house, a mobile.Activation) *dialtonev1.GetPortingPromptResponse {
	t.Helper()
	response, err := b.portals.GetPortingPrompt(as(t.Context(), h.backend()), &dialtonev1.GetPortingPromptRequest{ActivationId: string(a.ID)})
	must(t, err)
	return response
}

func TestGetPortingPrompt_FirstQuestion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.askedFirst(t, b.a, 1)

	response, err := b.portals.GetPortingPrompt(as(t.Context(), b.link(t, a)), &dialtonev1.GetPortingPromptRequest{})
	must(t, err)

	p := response.GetPrompt()
	if p.GetKind() != dialtonev1.PromptKind_PROMPT_KIND_PROVIDE_INFO || p.GetRevision() != 1 || p.GetReason() != "" || p.GetAttemptsLeft() != 5 {
		t.Errorf("%v", p)
	}
	if !strings.Contains(p.GetMessage(), "AT&T") || p.GetDonorHint() == "" || !p.GetDeadline().AsTime().Equal(a.Port.Prompt.Deadline) {
		t.Errorf("it says %q, %q, until %s", p.GetMessage(), p.GetDonorHint(), p.GetDeadline().AsTime())
	}
	fields := []string{}
	for _, field := range p.GetRequiredFields() {
		fields = append(fields, field.GetField())
		if field.GetLabel() == "" || field.GetHeld() || field.GetRefused() || field.GetMaskedValue() != "" || field.GetSecret() != (field.GetField() == "us.pin") {
			t.Errorf("%v", field)
		}
	}
	if diff := cmp.Diff([]string{"us.number_in_service", "us.account_zip", "us.account_number", "us.pin"}, fields); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	known := map[string]string{}
	for _, value := range p.GetKnown() {
		known[value.GetField()] = value.GetMaskedValue()
		if value.GetLabel() == "" {
			t.Errorf("%v has no label", value)
		}
	}
	if diff := cmp.Diff(map[string]string{
		"port_phone_number": "(212) 736-5001", "port_carrier": "AT&T", "imei": "•••7518",
		"name": mobile.MaskName(storetest.CustomerName), "email": mobile.MaskEmail(storetest.CustomerEmail),
	}, known); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if !slices.Equal(p.GetActs(), []dialtonev1.PortalAct{toSubmit, toChange, toKeep, toStop}) {
		t.Errorf("it offers %v", p.GetActs())
	}
	want := &dialtonev1.CustomerView{
		State: dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_CUSTOMER, Message: response.GetView().GetMessage(),
		PhoneNumber: portedNumber(1), PortState: dialtonev1.PortState_PORT_STATE_AWAITING_INFO,
		ProviderName: b.a.DisplayName, SupportPhone: b.a.SupportPhone, SupportHours: b.a.SupportHours, KeepOldSim: true,
	}
	if !proto.Equal(want, response.GetView()) || want.GetMessage() == "" {
		t.Errorf("it shows %v", response.GetView())
	}
	// It shows as much to the tenant's own backend, and nothing has changed by looking.
	if !proto.Equal(b.page(t, b.a, a), response) || storetest.Read(t, b.DB, a).Revision != a.Revision {
		t.Error("another look shows something else")
	}
}

// What a donor refused is marked, what is held is masked, and a PIN is not shown at all.
func TestGetPortingPrompt_Correction(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.refusedFor(t, b.a, 1, mobile.PortAccountNumberInvalid)

	p := b.page(t, b.a, a).GetPrompt()

	if p.GetKind() != dialtonev1.PromptKind_PROMPT_KIND_CORRECT_INFO || p.GetRevision() != 2 || p.GetReason() != "ACCOUNT_NUMBER_INVALID" || p.GetAttemptsLeft() != 4 {
		t.Errorf("%v", p)
	}
	type shape struct{ refused, held, masked bool }
	got := map[string]shape{}
	for _, f := range p.GetRequiredFields() {
		got[f.GetField()] = shape{f.GetRefused(), f.GetHeld(), f.GetMaskedValue() != ""}
	}
	if diff := cmp.Diff(map[string]shape{
		"us.account_number": {true, true, true}, "us.account_zip": {false, true, true}, "us.pin": {false, true, false},
	}, got, cmp.AllowUnexported(shape{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, secret := range []string{"007-31415926", "00731415926", "0042"} {
		if strings.Contains(p.String(), secret) {
			t.Errorf("it tells %s", secret)
		}
	}
}

// Three refusals of a PIN, five of all: then staff take over.
func TestGetPortingPrompt_AttemptsLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for reason, want := range map[mobile.PortReason]int32{
		mobile.PortPINInvalid: 2, mobile.PortZIPInvalid: 4,
	} {
		a := b.refusedFor(t, b.a, int(want), reason)
		if left := b.page(t, b.a, a).GetPrompt().GetAttemptsLeft(); left != want {
			t.Errorf("%s: %d left, want %d", reason, left, want)
		}
	}
}

// Where nothing is asked, the kind says so, with the latest revision; and what is offered is
// what would be taken.
func TestGetPortingPrompt_NothingAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	operators := func(a mobile.Activation) mobile.Activation {
		b.move(t, b.a, a.ID, mobile.StateWaitingForOperator)
		return a
	}
	confirmed := func(a mobile.Activation) mobile.Activation {
		b.sent(t, a)
		return b.said(t, a, store.PortWord{Word: mobile.WordConfirmed, Due: today().Add(time.Hour)}, false)
	}
	stopped := b.askedFirst(t, b.a, 4)
	_, err := b.portals.StopPort(as(t.Context(), b.a.backend()), &dialtonev1.StopPortRequest{
		RequestId: uuid.NewString(), ActivationId: string(stopped.ID), Revision: 1,
	})
	must(t, err)
	ended := b.askedFirst(t, b.a, 5)
	b.move(t, b.a, ended.ID, mobile.StateExpired)
	cancelled := b.askedFirst(t, b.a, 6)
	_, err = b.workflows.CancelWorkflow(as(t.Context(), b.a.operator()), cancelWorkflow(cancelled.ID))
	must(t, err)
	ready, _ := b.succeeded(t, b.a, 7)

	for name, c := range map[string]struct {
		a        mobile.Activation
		revision int64
		acts     []dialtonev1.PortalAct
		says     string
		keepSIM  bool
	}{
		"before the first question": {b.bringing(t, b.a, 1), 0, []dialtonev1.PortalAct{toKeep, toStop}, "getting ready to bring your number", true},
		"with an operator":          {operators(b.bringing(t, b.a, 2)), 0, []dialtonev1.PortalAct{toKeep, toStop}, "We are on it", true},
		"confirmed":                 {confirmed(b.bringing(t, b.a, 3)), 0, nil, "keep your old SIM in", true},
		"stopped by the customer":   {stopped, 1, nil, "", true},
		"ended":                     {ended, 1, nil, "did not hear from you in time, so that your activation has ended. Your number stays", true},
		"cancelled by staff":        {cancelled, 1, nil, "", true},
		"a new line":                {b.launched(t, b.a), 0, nil, "getting your line ready", false},
		"a new line that is on":     {ready, 0, []dialtonev1.PortalAct{toInstall, toReport}, "Your line is on", false},
	} {
		t.Run(name, func(t *testing.T) {
			page := b.page(t, b.a, c.a)
			p := page.GetPrompt()
			if p.GetKind() != none || p.GetRevision() != c.revision || len(p.GetRequiredFields()) != 0 || p.GetDeadline() != nil {
				t.Errorf("it asks %v", p)
			}
			if !slices.Equal(p.GetActs(), c.acts) {
				t.Errorf("it offers %v, want %v", p.GetActs(), c.acts)
			}
			v := page.GetView()
			if !strings.Contains(v.GetMessage(), c.says) || v.GetMessage() == "" || p.GetMessage() != v.GetMessage() || v.GetKeepOldSim() != c.keepSIM {
				t.Errorf("it shows %v", v)
			}
			if v.GetInstallCodeReady() != slices.Contains(c.acts, toInstall) {
				t.Errorf("a code is ready: %t", v.GetInstallCodeReady())
			}
		})
	}
}

// The question opens the acts that answer it.
func TestGetPortingPrompt_Acts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := 0
	for kind, c := range map[mobile.PromptKind]struct {
		prompt mobile.Prompt
		acts   []dialtonev1.PortalAct
	}{
		mobile.PromptActAtDonor: {
			mobile.Prompt{Reason: string(mobile.PortNumberLocked), Action: mobile.ActionLockTakenOff},
			[]dialtonev1.PortalAct{toConfirm, toChange, toKeep, toStop},
		},
		mobile.PromptDecide:        {mobile.Prompt{Reason: string(mobile.PortNotPortable)}, []dialtonev1.PortalAct{toChange, toKeep, toStop}},
		mobile.PromptCorrectDevice: {mobile.Prompt{Reason: "DEVICE_BLOCKED"}, []dialtonev1.PortalAct{toChangePhone, toStop}},
	} {
		n++
		c.prompt.Kind = kind
		a := b.asked(t, b.bringing(t, b.a, n), c.prompt)

		p := b.page(t, b.a, a).GetPrompt()

		if p.GetKind().String() != "PROMPT_KIND_"+string(kind) || !slices.Equal(p.GetActs(), c.acts) || p.GetMessage() == "" || p.GetReason() != c.prompt.Reason {
			t.Errorf("%s: %v", kind, p)
		}
		if action := p.GetDonorAction(); (action == dialtonev1.DonorAction_DONOR_ACTION_LOCK_TAKEN_OFF) != (kind == mobile.PromptActAtDonor) {
			t.Errorf("%s: do %s", kind, action)
		}
	}
}

// A PORTAL token sees its own activation, and no other, whatever it asks for; a backend those
// of its tenant.
func TestGetPortingPrompt_Whose(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ours, other, others := b.askedFirst(t, b.a, 1), b.askedFirst(t, b.a, 2), b.askedFirst(t, b.b, 3)
	notThere := refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}
	read := func(token, id string) error {
		_, err := b.portals.GetPortingPrompt(as(t.Context(), token), &dialtonev1.GetPortingPromptRequest{ActivationId: id})
		return err
	}
	link := b.link(t, ours)

	for _, id := range []string{"", string(ours.ID), strings.ToUpper(string(ours.ID))} {
		must(t, read(link, id))
	}
	for _, id := range []string{string(other.ID), string(others.ID), uuid.NewString(), "nonsense", " ", strings.Repeat("x", 2000)} {
		wantRefusal(t, read(link, id), notThere)
	}
	must(t, read(b.a.backend(), string(other.ID)))
	wantRefusal(t, read(b.a.backend(), string(others.ID)), notThere)
	wantRefusal(t, read(b.a.backend(), uuid.NewString()), notThere)
	wantRefusal(t, read(b.a.backend(), ""), invalid(map[string]string{"activation_id": "FIELD_REQUIRED"}))
	wantRefusal(t, read(b.a.backend(), "nonsense"), invalid(map[string]string{"activation_id": "FIELD_MALFORMED"}))
}

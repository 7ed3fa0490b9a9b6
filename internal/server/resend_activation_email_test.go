package server_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// iccidOf is an ICCID of its own for each activation of a test.
func iccidOf(n int) mobile.ICCID {
	return mobile.ICCID("891000000000000" + string(rune('0'+n/10)) + string(rune('0'+n%10)) + "00")
}

// mailed is an activation as far as its mail: the line is live and the mail prepared.
func (b *bundle) mailed(t *testing.T, h house, n int) (mobile.Activation, mail.Message) {
	t.Helper()
	a := b.launched(t, h)
	code, err := mobile.NewActivationCode("smdp.example.com", "MATCHING-"+string(rune('A'+n)))
	must(t, err)
	message, err := mail.ActivationMail{
		NoticeID: uuid.NewString(), ActivationID: a.ID, Tenant: h.Tenant, CustomerName: storetest.CustomerName,
		To: storetest.CustomerEmail, Number: "+12125550123", Code: code, PortalLink: "https://portal.example.com/t",
	}.Compose()
	must(t, err)
	b.move(t, h, a.ID, mobile.StateRunning)
	b.live(t, a)
	b.record(t, h.ID, func(ctx context.Context, s *store.Store) error {
		p, err := s.ReserveProfile(ctx, h.ID, mobile.Profile{Activation: a.ID, ICCID: iccidOf(n), ProfileType: storetest.ProfileType}, "M")
		must(t, err)
		must(t, s.ReleaseProfile(ctx, h.ID, p, code))
		return s.PrepareNotice(ctx, h.ID, a.ID, mobile.Notice{
			ID: message.NoticeID(), Kind: mobile.NoticeActivation, MaskedAddress: mobile.MaskEmail(storetest.CustomerEmail),
		}, message.Bytes())
	})
	return storetest.Read(t, b.DB, a), message
}

// succeeded is an activation that has ended well.
func (b *bundle) succeeded(t *testing.T, h house, n int) (mobile.Activation, mail.Message) {
	t.Helper()
	a, message := b.mailed(t, h, n)
	b.record(t, h.ID, func(ctx context.Context, s *store.Store) error {
		return s.NoticeSent(ctx, a, mobile.Notice{ID: message.NoticeID()}, "m-0")
	})
	b.move(t, h, a.ID, mobile.StateSucceeded)
	return storetest.Read(t, b.DB, a), message
}

// installs tells what the SM-DP+ reports.
func (b *bundle) installs(t *testing.T, a mobile.Activation, point mobile.InstallPoint, outcome mobile.InstallOutcome) {
	t.Helper()
	must(t, b.InSystem(t.Context(), func(s *store.Store) error {
		_, known, err := s.RecordInstall(t.Context(), a.Profile.ICCID, store.InstallReport{
			InstallReport: mobile.InstallReport{Point: point, Outcome: outcome},
		})
		if !known {
			t.Error("nobody holds the profile")
		}
		return err
	}))
}

func resendEmail(id mobile.ActivationID) *dialtonev1.ResendActivationEmailRequest {
	return &dialtonev1.ResendActivationEmailRequest{
		RequestId: uuid.NewString(), ActivationId: string(id), Reason: "The customer deleted it",
	}
}

// kept reads the message of a notice.
func (b *bundle) kept(t *testing.T, h house, id string) (n mobile.Notice, m mail.Message) {
	t.Helper()
	b.record(t, h.ID, func(ctx context.Context, s *store.Store) error {
		notice, body, err := s.NoticeByID(ctx, h.ID, id)
		must(t, err)
		n = notice
		m, err = mail.ParseMessage(body)
		return err
	})
	return n, m
}

func TestResendActivationEmail(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *server.Config) { c.Policies = `{"patience":"1s"}` })
	ctx := as(t.Context(), b.a.operator())
	a, first := b.succeeded(t, b.a, 1)
	request := resendEmail(a.ID)
	request.Revision = a.Revision

	response, err := b.workflows.ResendActivationEmail(ctx, request)
	must(t, err)

	notice := response.GetNotice()
	if notice.GetGeneration() != 1 || notice.GetDelivery() != dialtonev1.NoticeDelivery_NOTICE_DELIVERY_PREPARED ||
		notice.GetMaskedAddress() != mobile.MaskEmail(storetest.CustomerEmail) || len(response.GetWorkflow().GetNotices()) != 2 {
		t.Errorf("the notice is %v", notice)
	}
	if got := response.GetInstallState(); got != dialtonev1.InstallState_INSTALL_STATE_NOT_DOWNLOADED {
		t.Errorf("decided on %s", got)
	}
	n, second := b.kept(t, b.a, notice.GetNoticeId())
	if second.Text() != first.Text() || second.HTML() != first.HTML() || second.To() != first.To() ||
		second.NoticeID() != n.ID || n.FollowUp == "" {
		t.Errorf("the mail of %+v is another: to %s", n, second.To())
	}
	// What is to be done is filed with the relay, for a run of its own.
	got := ask[string](t, b, `
		SELECT f.kind || ' ' || f.state || ' ' || f.policies || ' ' || f.actor || ' ' || o.kind
		FROM follow_ups f
		JOIN outbox o ON o.follow_up_id = f.follow_up_id`)
	if want := `RESEND OPEN {"patience":"1s"} operator START`; got != want {
		t.Errorf("filed %q, want %q", got, want)
	}

	// A repeat answers the same, also when the code was used meanwhile.
	b.installs(t, a, mobile.PointInstall, mobile.OutcomeDone)
	again, err := b.workflows.ResendActivationEmail(ctx, request)
	must(t, err)
	if !proto.Equal(again.GetNotice(), notice) || again.GetInstallState() != response.GetInstallState() {
		t.Errorf("a repeat answers %v", again)
	}
	if n := ask[int](t, b, `SELECT count(*) FROM notices`); n != 2 {
		t.Errorf("%d notices", n)
	}
	request.Reason = "Another"
	_, err = b.workflows.ResendActivationEmail(ctx, request)
	wantRefusal(t, err, refusal{
		Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED", Meta: map[string]string{"activation_id": string(a.ID)},
	})
}

// It goes to the address that is given, or to the one on file now.
func TestResendActivationEmail_Address(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.operator())
	a, _ := b.succeeded(t, b.a, 1)
	send := func(email string) string {
		t.Helper()
		request := resendEmail(a.ID)
		if email != "" {
			request.Email, request.Authentication = email, "Called back, and named the last bill"
		}
		response, err := b.workflows.ResendActivationEmail(ctx, request)
		must(t, err)
		_, m := b.kept(t, b.a, response.GetNotice().GetNoticeId())
		if response.GetNotice().GetMaskedAddress() != mobile.MaskEmail(m.To()) {
			t.Errorf("it goes to %s and shows %s", m.To(), response.GetNotice().GetMaskedAddress())
		}
		return m.To()
	}

	var to []string
	to = append(to, send(""), send("work@example.org"))
	_, err := b.workflows.CorrectContact(ctx, &dialtonev1.CorrectContactRequest{
		RequestId: uuid.NewString(), ActivationId: string(a.ID), Reason: "x", Email: "new@example.org", Authentication: "y",
	})
	must(t, err)
	to = append(to, send(""))

	if diff := cmp.Diff([]string{storetest.CustomerEmail, "work@example.org", "new@example.org"}, to); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// How the customer was authenticated is kept with the reason, sealed.
func TestResendActivationEmail_Audit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)
	request := resendEmail(a.ID)
	request.Email, request.Authentication = "work@example.org", "Named the last bill"
	_, err := b.workflows.ResendActivationEmail(as(t.Context(), b.a.operator()), request)
	must(t, err)

	var id string
	var sealed []byte
	must(t, b.Connect(t).QueryRow(t.Context(), `SELECT audit_id, reason_sealed FROM audit WHERE method = 'ResendActivationEmail'`).Scan(&id, &sealed))
	plain, err := storetest.Sealer().Open(sealed, "audit.reason", string(b.a.ID), id)
	must(t, err)
	if !strings.Contains(string(plain), request.GetReason()) || !strings.Contains(string(plain), request.GetAuthentication()) {
		t.Errorf("the audit says %q", plain)
	}
	if strings.Contains(string(plain), "work@example.org") || strings.Contains(b.logs.String(), "work@example.org") {
		t.Error("the address is told")
	}
}

// The recorded install state decides, and a refusal names what helps.
func TestResendActivationEmail_InstallState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.operator())
	n := 0
	for state, c := range map[mobile.InstallState]struct {
		point   mobile.InstallPoint
		outcome mobile.InstallOutcome
		sent    bool
	}{
		mobile.InstallNotDownloaded: {mobile.PointEligibility, mobile.OutcomeDone, true},
		mobile.InstallUnknown:       {mobile.PointDownload, mobile.OutcomeUnclear, true},
		mobile.InstallDownloaded:    {mobile.PointDownload, mobile.OutcomeDone, false},
		mobile.InstallInstalled:     {mobile.PointInstall, mobile.OutcomeDone, false},
		mobile.InstallFailed:        {mobile.PointInstall, mobile.OutcomeFailed, false},
	} {
		n++
		t.Run(string(state), func(t *testing.T) {
			a, _ := b.succeeded(t, b.a, n)
			b.installs(t, a, c.point, c.outcome)

			response, err := b.workflows.ResendActivationEmail(ctx, resendEmail(a.ID))

			if c.sent {
				must(t, err)
				if got := response.GetInstallState().String(); got != "INSTALL_STATE_"+string(state) {
					t.Errorf("decided on %s", got)
				}
				return
			}
			wantRefusal(t, err, refusal{
				Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE",
				Meta: map[string]string{"activation_id": string(a.ID), "install_state": string(state)},
			})
			if !strings.Contains(err.Error(), "dialtone workflow replace-profile "+string(a.ID)+" --reason WHY") {
				t.Errorf("it does not say what helps: %v", err)
			}
			if got := storetest.Read(t, b.DB, a); len(got.Notices) != 1 {
				t.Errorf("%d notices", len(got.Notices))
			}
		})
	}
}

func TestResendActivationEmail_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	fresh := b.launched(t, b.a)
	onItsWay, _ := b.mailed(t, b.a, 1)
	ended := b.launched(t, b.a)
	b.move(t, b.a, ended.ID, mobile.StateRejected)
	others, _ := b.succeeded(t, b.b, 2)
	returned, _ := b.succeeded(t, b.a, 3)
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		return s.GiveBackProfile(ctx, *returned.Profile, mobile.ProfileRetired, "why")
	})
	replaced, _ := b.succeeded(t, b.a, 4)
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		_, err := s.FileFollowUp(ctx, mobile.FollowUp{Tenant: b.a.ID, Activation: replaced.ID, Kind: mobile.FollowUpReplace}, "")
		return err
	})
	otherCode, _ := b.succeeded(t, b.a, 5)
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		code, err := mobile.NewActivationCode("smdp.example.com", "ANOTHER")
		must(t, err)
		_, err = b.Connect(t).Exec(ctx, `UPDATE profiles SET state = 'RESERVED' WHERE profile_id = $1`, otherCode.Profile.ID)
		must(t, err)
		return s.ReleaseProfile(ctx, b.a.ID, *otherCode.Profile, code)
	})
	good, _ := b.succeeded(t, b.a, 6)
	with := func(id mobile.ActivationID, change func(*dialtonev1.ResendActivationEmailRequest)) *dialtonev1.ResendActivationEmailRequest {
		request := resendEmail(id)
		change(request)
		return request
	}
	notApplicable := refusal{Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE"}

	for name, c := range map[string]struct {
		request *dialtonev1.ResendActivationEmailRequest
		want    refusal
		says    string
	}{
		"none was due":              {resendEmail(fresh.ID), notApplicable, "once the line is live"},
		"the first is not out":      {resendEmail(onItsWay.ID), notApplicable, "still sending"},
		"ended without a line":      {resendEmail(ended.ID), notApplicable, "no longer held"},
		"no longer held":            {resendEmail(returned.ID), notApplicable, "no longer held"},
		"being replaced":            {resendEmail(replaced.ID), notApplicable, "being replaced"},
		"the mail has another code": {resendEmail(otherCode.ID), notApplicable, "being replaced"},
		"another's":                 {resendEmail(others.ID), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}, ""},
		"stale": {
			with(good.ID, func(r *dialtonev1.ResendActivationEmailRequest) { r.Revision = good.Revision + 1 }),
			refusal{Code: codes.FailedPrecondition, Reason: "STALE_REVISION"},
			"",
		},
		"another address from nobody": {
			with(good.ID, func(r *dialtonev1.ResendActivationEmailRequest) { r.Email = "work@example.org" }),
			invalid(map[string]string{"authentication": "FIELD_REQUIRED"}), "",
		},
		"empty": {&dialtonev1.ResendActivationEmailRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "activation_id": "FIELD_REQUIRED", "reason": "FIELD_REQUIRED",
		}), ""},
		"malformed": {&dialtonev1.ResendActivationEmailRequest{
			RequestId: "x", ActivationId: "a/b", Revision: -1, Reason: "\n", Actor: "Ann", Email: "a@b@c",
			Authentication: strings.Repeat("x", 501),
		}, invalid(map[string]string{
			"request_id": "FIELD_MALFORMED", "activation_id": "FIELD_MALFORMED", "revision": "FIELD_MALFORMED",
			"reason": "FIELD_CONTROL_CHARACTER", "actor": "FIELD_NOT_ALLOWED", "email": "EMAIL_NOT_ONE", "authentication": "FIELD_TOO_LONG",
		}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.workflows.ResendActivationEmail(as(t.Context(), b.a.operator()), c.request)
			wantRefusal(t, err, c.want)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v, want %q", err, c.says)
			}
		})
	}
	if n := ask[int](t, b, `SELECT count(*) FROM requests`); n != 0 {
		t.Errorf("%d refusals were remembered", n)
	}
}

// One request, sent by many at one moment, is one mail.
func TestResendActivationEmail_AtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)
	request := resendEmail(a.ID)
	notices := make([]string, 8)
	var all sync.WaitGroup
	for i := range notices {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(as(t.Context(), b.a.operator()), time.Minute)
			defer cancel()
			response, err := b.workflows.ResendActivationEmail(ctx, request)
			if err != nil {
				t.Error(err)
			}
			notices[i] = response.GetNotice().GetNoticeId()
		})
	}
	all.Wait()

	for _, id := range notices {
		if id != notices[0] || id == "" {
			t.Errorf("notices %v", notices)
		}
	}
	if n := ask[int](t, b, `SELECT count(*) FROM follow_ups`); n != 1 {
		t.Errorf("%d follow-ups", n)
	}
}

// The choices offer what would be taken, and nothing else.
func TestResendActivationEmail_Offered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)
	offered := func() (is bool) {
		response, err := b.workflows.GetWorkflow(as(t.Context(), b.a.operator()), &dialtonev1.GetWorkflowRequest{
			Lookup: &dialtonev1.GetWorkflowRequest_ActivationId{ActivationId: string(a.ID)},
		})
		must(t, err)
		for _, choice := range response.GetWorkflow().GetChoices() {
			is = is || choice.GetCommand() == dialtonev1.Command_COMMAND_RESEND_ACTIVATION_EMAIL
		}
		return is
	}

	before := offered()
	b.installs(t, a, mobile.PointInstall, mobile.OutcomeDone)

	if !before || offered() {
		t.Errorf("offered before the installation: %t, after it: %t", before, offered())
	}
}

package server_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store"
)

func replaceProfile(a mobile.Activation) *dialtonev1.ReplaceProfileRequest {
	return &dialtonev1.ReplaceProfileRequest{
		RequestId: uuid.NewString(), ActivationId: string(a.ID), Reason: "The phone is lost",
		Authentication: "Called back, and named the last bill",
	}
}

func TestReplaceProfile(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *server.Config) { c.Policies = `{"patience":"1s"}` })
	ctx := as(t.Context(), b.a.operator())
	a, _ := b.succeeded(t, b.a, 1)
	request := replaceProfile(a)
	request.Revision, request.Imei = a.Revision, "35-209900-176148-1"

	response, err := b.workflows.ReplaceProfile(ctx, request)
	must(t, err)

	w := response.GetWorkflow()
	if w.GetActivationId() != string(a.ID) || w.GetState() != dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED || w.GetRevision() <= int64(a.Revision) {
		t.Errorf("%v", w)
	}
	// The old eSIM is the customer's until the line has moved.
	if w.GetProfile().GetIccidLast4() != a.Profile.ICCID.Last4() || w.GetProfile().GetState() != dialtonev1.ProfileState_PROFILE_STATE_RELEASED {
		t.Errorf("%v", w.GetProfile())
	}
	got := ask[string](t, b, `
		SELECT f.kind || ' ' || f.state || ' ' || f.imei || ' ' || f.policies || ' ' || f.actor || ' ' || o.kind
		FROM follow_ups f
		JOIN outbox o ON o.follow_up_id = f.follow_up_id`)
	if want := `REPLACE OPEN 352099001761481 {"patience":"1s"} operator START`; got != want {
		t.Errorf("filed %q, want %q", got, want)
	}
	again, err := b.workflows.ReplaceProfile(ctx, request)
	must(t, err)
	if !proto.Equal(again, response) {
		t.Errorf("a repeat answers %v", again)
	}
	if n := ask[int](t, b, `SELECT count(*) FROM follow_ups`); n != 1 {
		t.Errorf("%d follow-ups", n)
	}
	request.Authentication = "Not at all"
	_, err = b.workflows.ReplaceProfile(ctx, request)
	wantRefusal(t, err, refusal{
		Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED", Meta: map[string]string{"activation_id": string(a.ID)},
	})
}

// Whoever has the eSIM has the line: how the customer was authenticated is kept with the
// reason, sealed.
func TestReplaceProfile_Audit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)
	ctx := as(t.Context(), b.a.token(mobile.PrincipalConsole))
	request := replaceProfile(a)
	_, err := b.workflows.ReplaceProfile(ctx, request)
	wantRefusal(t, err, invalid(map[string]string{"actor": "FIELD_REQUIRED"}))
	request.Actor = "Ann Lee"

	_, err = b.workflows.ReplaceProfile(ctx, request)
	must(t, err)

	actor, why := b.audited(t, "ReplaceProfile", a)
	if !strings.HasPrefix(actor, "Ann Lee (token ") || !strings.Contains(why, request.GetReason()) || !strings.Contains(why, request.GetAuthentication()) {
		t.Errorf("the audit says %q did it: %q", actor, why)
	}
	if strings.Contains(b.logs.String(), request.GetAuthentication()) || strings.Contains(b.logs.String(), request.GetReason()) {
		t.Error("it is in the logs")
	}
}

func TestReplaceProfile_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	fresh := b.launched(t, b.a)
	sending, _ := b.mailed(t, b.a, 1)
	ended := b.launched(t, b.a)
	b.move(t, b.a, ended.ID, mobile.StateRejected)
	others, _ := b.succeeded(t, b.b, 2)
	retired, _ := b.succeeded(t, b.a, 3)
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		return s.GiveBackProfile(ctx, *retired.Profile, mobile.ProfileRetired, "why")
	})
	under, _ := b.succeeded(t, b.a, 4)
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		_, err := s.FileFollowUp(ctx, mobile.FollowUp{Tenant: b.a.ID, Activation: under.ID, Kind: mobile.FollowUpReplace}, "")
		return err
	})
	good, _ := b.succeeded(t, b.a, 5)
	stale, noWord, odd := replaceProfile(good), replaceProfile(good), replaceProfile(good)
	stale.Revision, noWord.Authentication, odd.Imei = good.Revision-1, "", "490154203237517"

	for name, c := range map[string]struct {
		request *dialtonev1.ReplaceProfileRequest
		want    refusal
		says    string
	}{
		"coming up":         {replaceProfile(fresh), notApplicable(map[string]string{"activation_id": string(fresh.ID)}), "no live line"},
		"the mail is due":   {replaceProfile(sending), notApplicable(nil), "has not ended"},
		"ended badly":       {replaceProfile(ended), notApplicable(nil), "no live line"},
		"no longer held":    {replaceProfile(retired), notApplicable(nil), "holds no eSIM"},
		"replaced already":  {replaceProfile(under), notApplicable(map[string]string{"activation_id": string(under.ID)}), "being replaced already"},
		"another's":         {replaceProfile(others), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}, ""},
		"stale":             {stale, refusal{Code: codes.FailedPrecondition, Reason: "STALE_REVISION"}, ""},
		"not authenticated": {noWord, invalid(map[string]string{"authentication": "FIELD_REQUIRED"}), ""},
		"no phone":          {odd, invalid(map[string]string{"imei": "IMEI_CHECK_DIGIT"}), ""},
		"empty": {&dialtonev1.ReplaceProfileRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "activation_id": "FIELD_REQUIRED", "reason": "FIELD_REQUIRED", "authentication": "FIELD_REQUIRED",
		}), ""},
		"malformed": {&dialtonev1.ReplaceProfileRequest{
			RequestId: "x", ActivationId: "a/b", Revision: -1, Reason: "\n", Actor: "Ann", Imei: "x", Authentication: strings.Repeat("x", 501),
		}, invalid(map[string]string{
			"request_id": "FIELD_MALFORMED", "activation_id": "FIELD_MALFORMED", "revision": "FIELD_MALFORMED",
			"reason": "FIELD_CONTROL_CHARACTER", "actor": "FIELD_NOT_ALLOWED", "imei": "IMEI_NOT_DIGITS", "authentication": "FIELD_TOO_LONG",
		}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.workflows.ReplaceProfile(as(t.Context(), b.a.operator()), c.request)
			wantRefusal(t, err, c.want)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v, want %q", err, c.says)
			}
		})
	}
	for _, table := range []string{"requests", "audit"} {
		if n := ask[int](t, b, `SELECT count(*) FROM `+table); n != 0 {
			t.Errorf("%d refusals are in %s", n, table)
		}
	}
}

// Of several who ask at one moment with requests of their own one is heard: one eSIM is
// replaced at a time.
func TestReplaceProfile_AtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)
	reasons := make([]string, 6)
	var all sync.WaitGroup
	for i := range reasons {
		all.Go(func() {
			if _, err := b.workflows.ReplaceProfile(as(t.Context(), b.a.operator()), replaceProfile(a)); err != nil {
				reasons[i] = refused(t, err).Reason
			}
		})
	}
	all.Wait()

	count := map[string]int{}
	for _, reason := range reasons {
		count[reason]++
	}
	if diff := cmp.Diff(map[string]int{"": 1, "NOT_APPLICABLE": 5}, count); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if n := ask[int](t, b, `SELECT count(*) FROM follow_ups`); n != 1 {
		t.Errorf("%d follow-ups", n)
	}
}

// It is offered where it would be taken, as a line that can be pasted.
func TestReplaceProfile_Offered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)
	line := func(a mobile.Activation) string {
		response, err := b.workflows.GetWorkflow(as(t.Context(), b.a.operator()), &dialtonev1.GetWorkflowRequest{
			Lookup: &dialtonev1.GetWorkflowRequest_ActivationId{ActivationId: string(a.ID)},
		})
		must(t, err)
		for _, choice := range response.GetWorkflow().GetChoices() {
			if choice.GetCommand() == dialtonev1.Command_COMMAND_REPLACE_PROFILE {
				return choice.GetCli()
			}
		}
		return ""
	}

	want := "dialtone workflow replace-profile " + string(a.ID) + " --reason WHY --authentication HOW"
	if got := line(a); got != want {
		t.Errorf("it offers %q, want %q", got, want)
	}
	if got := line(b.launched(t, b.a)); got != "" {
		t.Errorf("one that is coming up is offered %q", got)
	}
}

package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

const portalStart = "https://portal.lakeside.example/mobile?token="

func newLink(a mobile.Activation) *dialtonev1.CreatePortalLinkRequest {
	return &dialtonev1.CreatePortalLinkRequest{RequestId: uuid.NewString(), ActivationId: string(a.ID), Reason: "Read out on the phone"}
}

func TestCreatePortalLink(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(today())
	b := setup(t, func(c *server.Config) { c.Now = clock.Now })
	a := b.askedFirst(t, b.a, 1)
	ctx := as(t.Context(), b.a.operator())
	request := newLink(a)
	request.Revision = a.Revision

	response, err := b.portals.CreatePortalLink(ctx, request)
	must(t, err)

	token, ours := strings.CutPrefix(response.GetUrl(), portalStart)
	if !ours || !response.GetExpireTime().AsTime().Equal(clock.Now().Add(7*24*time.Hour)) {
		t.Errorf("%v", response)
	}
	// It opens this activation, and no other door.
	_, err = b.portals.GetPortingPrompt(as(t.Context(), token), &dialtonev1.GetPortingPromptRequest{})
	must(t, err)
	_, err = b.portals.CreatePortalLink(as(t.Context(), token), newLink(a))
	wantRefusal(t, err, refusal{Code: codes.PermissionDenied, Reason: "PERMISSION_DENIED"})
	if n := ask[int](t, b, `SELECT count(*) FROM tokens WHERE activation_id = $1 AND principal = 'PORTAL'`, string(a.ID)); n != 1 {
		t.Errorf("%d tokens", n)
	}
	if strings.Contains(b.logs.String(), token) || strings.Contains(b.logs.String(), token[len(token)-64:]) {
		t.Error("the token is in the log")
	}

	// A repeat tells when it lapses, and no more; also when the activation has changed since.
	b.move(t, b.a, a.ID, mobile.StateExpired)
	_, err = b.portals.GetPortingPrompt(as(t.Context(), token), &dialtonev1.GetPortingPromptRequest{})
	must(t, err) // what has ended can be looked at
	clock.Advance(8 * 24 * time.Hour)
	again, err := b.portals.CreatePortalLink(ctx, request)
	must(t, err)
	if again.GetUrl() != "" || !again.GetExpireTime().AsTime().Equal(response.GetExpireTime().AsTime()) {
		t.Errorf("a repeat answers %v", again)
	}
	_, err = b.portals.GetPortingPrompt(as(t.Context(), token), &dialtonev1.GetPortingPromptRequest{})
	wantRefusal(t, err, refusal{Code: codes.Unauthenticated, Reason: "UNAUTHENTICATED"})
	request.Reason = "Another"
	_, err = b.portals.CreatePortalLink(ctx, request)
	wantRefusal(t, err, refusal{Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED"})
}

// Staff say why, and a console says who; a backend need not.
func TestCreatePortalLink_Audit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.launched(t, b.a)
	console := newLink(a)
	console.Actor = "Ann Lee"
	_, err := b.portals.CreatePortalLink(as(t.Context(), b.a.token(mobile.PrincipalConsole)), console)
	must(t, err)
	plain := newLink(a)
	plain.Reason = ""
	_, err = b.portals.CreatePortalLink(as(t.Context(), b.a.backend()), plain)
	must(t, err)

	got := ask[[]string](t, b, `
		SELECT array_agg(a.principal || ' ' || split_part(actor, ' (', 1) || ' ' || (reason_sealed IS NOT NULL)::text ORDER BY at)
		FROM audit a JOIN tokens ON resource_id = token_id::text WHERE method = 'CreatePortalLink'`)
	if len(got) != 2 || got[0] != "CONSOLE Ann Lee true" || got[1] != "PORTAL_BACKEND portal_backend false" {
		t.Errorf("audited %q", got)
	}
}

func TestCreatePortalLink_BadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, others := b.launched(t, b.a), b.launched(t, b.b)
	with := func(change func(*dialtonev1.CreatePortalLinkRequest)) *dialtonev1.CreatePortalLinkRequest {
		request := newLink(a)
		change(request)
		return request
	}
	until := func(d time.Duration) *dialtonev1.CreatePortalLinkRequest {
		return with(func(r *dialtonev1.CreatePortalLinkRequest) { r.ExpireTime = timestamppb.New(time.Now().Add(d)) })
	}

	for name, c := range map[string]struct {
		token   string
		request *dialtonev1.CreatePortalLinkRequest
		want    refusal
	}{
		"empty": {b.a.operator(), &dialtonev1.CreatePortalLinkRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "activation_id": "FIELD_REQUIRED", "reason": "FIELD_REQUIRED",
		})},
		"a console without a person": {b.a.token(mobile.PrincipalConsole), newLink(a), invalid(map[string]string{"actor": "FIELD_REQUIRED"})},
		"a person from a backend": {
			b.a.backend(), with(func(r *dialtonev1.CreatePortalLinkRequest) { r.Actor = "Ann" }), invalid(map[string]string{"actor": "FIELD_NOT_ALLOWED"}),
		},
		"over":      {b.a.operator(), until(-time.Second), invalid(map[string]string{"expire_time": "FIELD_MALFORMED"})},
		"too long":  {b.a.operator(), until(30*24*time.Hour + time.Hour), invalid(map[string]string{"expire_time": "FIELD_MALFORMED"})},
		"stale":     {b.a.operator(), with(func(r *dialtonev1.CreatePortalLinkRequest) { r.Revision = 9 }), refusal{Code: codes.FailedPrecondition, Reason: "STALE_REVISION"}},
		"another's": {b.a.operator(), newLink(others), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}},
		"nobody's":  {b.a.backend(), newLink(mobile.Activation{ID: mobile.ActivationID(uuid.NewString())}), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.portals.CreatePortalLink(as(t.Context(), c.token), c.request)
			wantRefusal(t, err, c.want)
		})
	}
	response, err := b.portals.CreatePortalLink(as(t.Context(), b.a.operator()), until(30*24*time.Hour))
	must(t, err)
	if response.GetUrl() == "" {
		t.Error("a link of thirty days is not given")
	}
	if n := ask[int](t, b, `SELECT count(*) FROM requests`); n != 1 {
		t.Errorf("%d refusals were remembered", n-1)
	}
}

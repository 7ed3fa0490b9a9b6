package server_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func dead(token string) *dialtonev1.RequestPortalLinkRequest {
	return &dialtonev1.RequestPortalLinkRequest{RequestId: uuid.NewString(), Token: token}
}

// lapsed is a PORTAL token whose time is over.
func (b *bundle) lapsed(t *testing.T, a mobile.Activation) string {
	t.Helper()
	text, _ := b.newToken(t, mobile.Token{
		Principal: mobile.PrincipalPortal, Tenant: a.Tenant, Activation: a.ID, Name: "old link", Expires: time.Now().Add(-time.Hour),
	})
	return text
}

// linksOf counts the mails with a new link that are filed for an activation.
func (b *bundle) linksOf(t *testing.T, a mobile.Activation) int {
	t.Helper()
	return ask[int](t, b, `SELECT count(*) FROM follow_ups WHERE kind = 'LINK' AND activation_id = $1`, string(a.ID))
}

// The mail goes to the address on file, with a link that opens the activation again.
func TestRequestPortalLink(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *server.Config) { c.Policies = `{"patience":"1s"}` })
	a := b.askedFirst(t, b.a, 1)
	ctx := as(t.Context(), b.a.backend())
	request := dead(b.lapsed(t, a))

	_, err := b.portals.RequestPortalLink(ctx, request)
	must(t, err)
	_, err = b.portals.RequestPortalLink(ctx, request)
	must(t, err)

	got := ask[string](t, b, `
		SELECT f.kind || ' ' || f.state || ' ' || f.policies || ' ' || f.principal || ' ' || o.kind || ' ' || n.kind || ' ' || n.state
		FROM follow_ups f
		JOIN outbox o ON o.follow_up_id = f.follow_up_id
		JOIN notices n ON n.follow_up_id = f.follow_up_id`)
	if want := `LINK OPEN {"patience":"1s"} PORTAL_BACKEND START PORTAL_LINK PREPARED`; got != want || b.linksOf(t, a) != 1 {
		t.Errorf("filed %q, want %q", got, want)
	}
	id := ask[string](t, b, `SELECT notice_id::text FROM notices`)
	n, m := b.kept(t, b.a, id)
	if m.To() != storetest.CustomerEmail || n.MaskedAddress != mobile.MaskEmail(m.To()) || m.NoticeID() != id {
		t.Errorf("it goes to %s, and the record says %+v", m.To(), n)
	}
	token := regexp.MustCompile(`dt_portal_[0-9a-f_]+`).FindString(m.Text())
	response, err := b.portals.GetPortingPrompt(as(t.Context(), token), &dialtonev1.GetPortingPromptRequest{})
	must(t, err)
	if response.GetPrompt().GetRevision() != 1 {
		t.Errorf("it opens %v", response)
	}
	if strings.Contains(b.logs.String(), token) || strings.Contains(b.logs.String(), request.GetToken()) {
		t.Error("a token is in the log")
	}
	if n := ask[int](t, b, `SELECT count(*) FROM tokens WHERE expires_at BETWEEN now() + interval '29 days 23 hours' AND now() + interval '30 days'`); n != 1 {
		t.Errorf("%d new tokens of thirty days", n)
	}
}

// Whatever the token was, the answer is one.
func TestRequestPortalLink_TellsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, others := b.askedFirst(t, b.a, 1), b.askedFirst(t, b.b, 2)
	revoked, id := b.newToken(t, mobile.Token{Principal: mobile.PrincipalPortal, Tenant: b.a.ID, Activation: a.ID})
	_, err := b.Connect(t).Exec(t.Context(), `UPDATE tokens SET revoked_at = now() WHERE token_id = $1`, id)
	must(t, err)
	long := b.launched(t, b.a)
	b.move(t, b.a, long.ID, mobile.StateRejected)
	_, err = b.Connect(t).Exec(t.Context(), `UPDATE activations SET ended_at = now() - interval '31 days' WHERE activation_id = $1`, string(long.ID))
	must(t, err)
	unknown, _, _ := access.NewToken(mobile.PrincipalPortal)

	for name, c := range map[string]struct {
		token string
		mails int
	}{
		"lapsed": {b.lapsed(t, a), 1}, "alive": {b.link(t, a), 1}, "with blanks": {" " + b.link(t, a) + "\n", 1},
		"revoked": {revoked, 0}, "unknown": {unknown.Reveal(), 0}, "another tenant's": {b.lapsed(t, others), 0},
		"no customer's": {b.a.operator(), 0}, "nonsense": {"zażółć \u202e ' OR 1=1", 0}, "ended long ago": {b.lapsed(t, long), 0},
	} {
		before := ask[int](t, b, `SELECT count(*) FROM follow_ups`)
		start := time.Now()
		response, err := b.portals.RequestPortalLink(as(t.Context(), b.a.backend()), dead(c.token))
		took := time.Since(start)
		must(t, err)
		if !proto.Equal(response, &dialtonev1.RequestPortalLinkResponse{}) || took < 250*time.Millisecond {
			t.Errorf("%s: %v after %s", name, response, took)
		}
		if n := ask[int](t, b, `SELECT count(*) FROM follow_ups`) - before; n != c.mails {
			t.Errorf("%s: %d mails", name, n)
		}
	}
	if b.linksOf(t, others) != 0 {
		t.Error("a mail goes out for another tenant")
	}
}

// At most three mails an hour, also when they are asked for at one moment.
func TestRequestPortalLink_Bound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, other := b.askedFirst(t, b.a, 1), b.askedFirst(t, b.a, 2)
	token := b.lapsed(t, a)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if _, err := b.portals.RequestPortalLink(as(t.Context(), b.a.backend()), dead(token)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := b.linksOf(t, a); n != 3 {
		t.Errorf("%d mails", n)
	}
	_, err := b.portals.RequestPortalLink(as(t.Context(), b.a.backend()), dead(b.lapsed(t, other)))
	must(t, err)
	if n := b.linksOf(t, other); n != 1 {
		t.Errorf("another activation sends %d mails", n)
	}

	_, err = b.Connect(t).Exec(t.Context(), `UPDATE follow_ups SET created_at = created_at - interval '61 minutes'`)
	must(t, err)
	_, err = b.portals.RequestPortalLink(as(t.Context(), b.a.backend()), dead(token))
	must(t, err)
	if n := b.linksOf(t, a); n != 4 {
		t.Errorf("%d mails after an hour", n)
	}
}

func TestRequestPortalLink_BadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.backend())
	for name, c := range map[string]struct {
		request *dialtonev1.RequestPortalLinkRequest
		want    map[string]string
	}{
		"empty":    {&dialtonev1.RequestPortalLinkRequest{}, map[string]string{"request_id": "FIELD_REQUIRED", "token": "FIELD_REQUIRED"}},
		"blank":    {dead(" \n"), map[string]string{"token": "FIELD_REQUIRED"}},
		"too long": {dead(strings.Repeat("ż", 257)), map[string]string{"token": "FIELD_TOO_LONG"}},
	} {
		_, err := b.portals.RequestPortalLink(ctx, c.request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, invalid(c.want)) })
	}
	request := dead("x")
	_, err := b.portals.RequestPortalLink(ctx, request)
	must(t, err)
	request.Token = "y"
	_, err = b.portals.RequestPortalLink(ctx, request)
	if got := refused(t, err); got.Reason != "REQUEST_ID_REUSED" {
		t.Errorf("%v", err)
	}
}

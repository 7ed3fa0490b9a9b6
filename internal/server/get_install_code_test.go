package server_test

import (
	"bytes"
	"context"
	"image/png"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func codeOf(a mobile.Activation) *dialtonev1.GetInstallCodeRequest {
	return &dialtonev1.GetInstallCodeRequest{ActivationId: string(a.ID)}
}

// released gives an activation an eSIM that can be downloaded.
func (b *bundle) released(t *testing.T, a mobile.Activation, n int) mobile.Activation {
	t.Helper()
	code, err := mobile.NewActivationCode("smdp.example.com", "MATCHING-"+string(rune('A'+n)))
	must(t, err)
	b.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error {
		p, err := s.ReserveProfile(ctx, a.Tenant, mobile.Profile{Activation: a.ID, ICCID: iccidOf(n), ProfileType: storetest.ProfileType}, "M")
		must(t, err)
		return s.ReleaseProfile(ctx, a.Tenant, p, code)
	})
	return storetest.Read(t, b.DB, a)
}

func TestGetInstallCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)

	response, err := b.portals.GetInstallCode(as(t.Context(), b.link(t, a)), &dialtonev1.GetInstallCodeRequest{})
	must(t, err)

	const code = "LPA:1$smdp.example.com$MATCHING-B"
	if response.GetActivationCode() != code || response.GetSmdpAddress() != "smdp.example.com" || response.GetMatchingId() != "MATCHING-B" ||
		response.GetInstallState() != dialtonev1.InstallState_INSTALL_STATE_NOT_DOWNLOADED {
		t.Errorf("%v", response)
	}
	for _, link := range []string{response.GetIosUrl(), response.GetAndroidUrl()} {
		if !strings.HasPrefix(link, "https://esimsetup.") || !strings.HasSuffix(link, "LPA%3A1%24smdp.example.com%24MATCHING-B") {
			t.Errorf("a link is %s", link)
		}
	}
	picture, err := png.Decode(bytes.NewReader(response.GetQrPng()))
	must(t, err)
	if picture.Bounds().Dx() < 200 {
		t.Errorf("the QR is %v", picture.Bounds())
	}
	// Each look is audited, with who looked.
	_, err = b.portals.GetInstallCode(as(t.Context(), b.a.backend()), codeOf(a))
	must(t, err)
	if n := ask[int](t, b, `SELECT count(DISTINCT request_id) FROM audit WHERE method = 'GetInstallCode' AND resource_id = $1`, string(a.ID)); n != 2 {
		t.Errorf("%d looks are audited", n)
	}
	if strings.Contains(b.logs.String(), "MATCHING-B") {
		t.Error("the code is in the log")
	}
}

// A code is there from when the Mobile Activation mail may go out, and until it is used up.
func TestGetInstallCode_When(t *testing.T) {
	t.Parallel()
	b := setup(t)
	early := b.launched(t, b.a)
	b.move(t, b.a, early.ID, mobile.StateRunning)
	installed, _ := b.succeeded(t, b.a, 2)
	b.installs(t, installed, mobile.PointInstall, mobile.OutcomeDone)
	fetched, _ := b.succeeded(t, b.a, 3)
	b.installs(t, fetched, mobile.PointDownload, mobile.OutcomeDone)
	broken, _ := b.succeeded(t, b.a, 4)
	b.installs(t, broken, mobile.PointInstall, mobile.OutcomeFailed)
	failed, _ := b.mailed(t, b.a, 5)
	b.move(t, b.a, failed.ID, mobile.StateFailed)
	returned, _ := b.succeeded(t, b.a, 6)
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		return s.GiveBackProfile(ctx, *returned.Profile, mobile.ProfileRetired, "why")
	})
	replaced, _ := b.succeeded(t, b.a, 7)
	b.record(t, b.a.ID, func(ctx context.Context, s *store.Store) error {
		_, err := s.FileFollowUp(ctx, mobile.FollowUp{Tenant: b.a.ID, Activation: replaced.ID, Kind: mobile.FollowUpReplace}, "")
		return err
	})
	unmailed, _ := b.mailed(t, b.a, 8)
	port := func(n int, word mobile.PortWord) mobile.Activation {
		a := b.released(t, b.bringing(t, b.a, n), n)
		b.sent(t, a)
		if word != "" {
			a = b.said(t, a, store.PortWord{Word: word, Due: today().Add(time.Hour)}, false)
		}
		return a
	}
	undoing := port(14, mobile.WordConfirmed)
	b.move(t, b.a, undoing.ID, mobile.StateUndoing)

	for name, c := range map[string]struct {
		a    mobile.Activation
		says string
	}{
		"reserved by nobody":      {early, "no code to install yet"},
		"before the line is live": {b.released(t, early, 1), "no code to install yet"},
		"live, and not mailed":    {unmailed, ""},
		"fetched":                 {fetched, ""},
		"installed":               {installed, "on the phone already"},
		"not to be installed":     {broken, "could not install"},
		"ended badly":             {failed, "has ended"},
		"given back":              {returned, "has ended"},
		"being replaced":          {replaced, "new eSIM"},
		"a port that is sent":     {port(10, ""), "no code to install yet"},
		"a port that is delayed":  {port(11, mobile.WordDelayed), "no code to install yet"},
		"a confirmed port":        {port(12, mobile.WordConfirmed), ""},
		"a port that has moved":   {port(13, mobile.WordCompleted), ""},
		"a port that is undone":   {undoing, "being stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			ready := b.page(t, b.a, c.a).GetView().GetInstallCodeReady()
			_, err := b.portals.GetInstallCode(as(t.Context(), b.link(t, c.a)), codeOf(c.a))
			if ready != (err == nil) {
				t.Errorf("the page says ready: %t", ready)
			}
			if c.says == "" {
				must(t, err)
				return
			}
			wantRefusal(t, err, refusal{
				Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE", Meta: map[string]string{"activation_id": string(c.a.ID)},
			})
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v, want %q", err, c.says)
			}
		})
	}
}

func TestGetInstallCode_Whose(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)
	other := b.launched(t, b.a)
	for name, token := range map[string]string{"another link": b.link(t, other), "another tenant": b.b.backend()} {
		_, err := b.portals.GetInstallCode(as(t.Context(), token), codeOf(a))
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}) })
	}
	if n := ask[int](t, b, `SELECT count(*) FROM audit`); n != 0 {
		t.Errorf("%d looks", n)
	}
}

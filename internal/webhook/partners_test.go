package webhook_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/internal/webhook"
)

// The pretend partners share no code with the rooms that read them: what they send by
// themselves is what the door must take.

func journal(t *testing.T) *partnertest.Journal {
	t.Helper()
	j, err := partnertest.OpenJournal(filepath.Join(t.TempDir(), "journal"))
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func clock() time.Time { return now }

// until waits for calls of partners to be stored until what is wanted is so.
func (b bundle) until(t *testing.T, so func() bool) {
	t.Helper()
	for !so() {
		select {
		case <-b.nudges:
		case <-t.Context().Done():
			t.Fatal("the test ended first")
		}
	}
}

func TestPretendCarrier(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	b := openAt(t, d, d.DB, plainly, time.Now) // it signs by the world's time
	a := storetest.Launched(t, b.DB)
	pretend, err := carriertest.New(carriertest.Config{
		Journal: journal(t), EventURL: b.url + webhook.CarrierPath, WebhookSecret: secret, ComesUpAfter: time.Millisecond,
	})
	must(t, err)
	t.Cleanup(pretend.Close)
	api := httptest.NewServer(pretend)
	t.Cleanup(api.Close)
	client, err := carrier.New(carrier.Config{URL: api.URL, APIKey: "key"})
	must(t, err)

	_, err = client.ActivateLine(t.Context(), "key-1", carrier.LineOrder{
		ExternalID: string(a.ID), ICCID: string(iccid), IMEI: string(a.IMEI), ZIPCode: string(a.ZIP),
		Plan: storetest.CarrierPlan, CustomerName: storetest.CustomerName,
	})
	must(t, err)

	conn := b.Connect(t)
	b.until(t, func() bool { return count(t, conn, `outbox WHERE kind = 'INTAKE' AND activation_id = $1`, a.ID) == 1 })
}

func TestPretendSendGrid(t *testing.T) {
	t.Parallel()
	b := open(t)
	a := storetest.Launched(t, b.DB)
	notice := b.notice(t, a)
	pretend, err := mailtest.New(mailtest.Config{
		Journal: journal(t), EventURL: b.url + webhook.SendGridPath, SigningKey: b.key, Now: clock,
	})
	must(t, err)
	t.Cleanup(pretend.Close)
	api := httptest.NewServer(pretend)
	t.Cleanup(api.Close)
	client, err := mail.New(mail.Config{URL: api.URL, APIKey: "key"})
	must(t, err)
	code, err := mobile.NewActivationCode("smdp.example.com", "M-1")
	must(t, err)
	message, err := mail.ActivationMail{
		NoticeID: notice, ActivationID: a.ID, Tenant: storetest.Tenant(t, b.DB), To: "bounce@example.com",
		Number: "+12125550123", Code: code, PortalLink: "https://portal.example.com",
	}.Compose()
	must(t, err)

	_, err = client.Send(t.Context(), message.Bytes())
	must(t, err)

	b.until(t, func() bool { return storetest.Read(t, b.DB, a).Notices[0].State == mobile.NoticeBounced })
	if reason := storetest.Read(t, b.DB, a).Notices[0].Reason; strings.Contains(reason, "@") || !strings.Contains(reason, "5.1.1") {
		t.Errorf("bounced because of %q", reason)
	}
}

func TestPretendSMDP(t *testing.T) {
	t.Parallel()
	b := open(t)
	a := storetest.Launched(t, b.DB)
	pretend, err := esimtest.New(esimtest.Config{Journal: journal(t), ProgressURL: b.url + webhook.ProgressPath, Now: clock})
	must(t, err)
	t.Cleanup(pretend.Close)
	api := httptest.NewServer(pretend)
	t.Cleanup(api.Close)
	client, err := esim.New(esim.Config{URL: api.URL, RequesterID: "dialtone", SMDPAddress: "smdp.example.com"})
	must(t, err)
	ordered, err := client.DownloadOrder(t.Context(), esim.DownloadOrder{CallID: "1", ProfileType: "T"})
	must(t, err)
	b.held(t, a, ordered)
	code, err := client.ConfirmOrder(t.Context(), esim.ConfirmOrder{CallID: "2", ICCID: ordered, MatchingID: "M-1"})
	must(t, err)

	scan, err := http.Post(api.URL+"/_pretend/install", "application/json", strings.NewReader(`{"activation_code":"`+code.LPA()+`"}`))
	must(t, err)
	_ = scan.Body.Close()

	b.until(t, func() bool { return storetest.Read(t, b.DB, a).Profile.InstallState == mobile.InstallInstalled })
}

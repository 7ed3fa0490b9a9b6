package mailtest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
)

const testKey = "SG.pretend"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// bundle is a pretend SendGrid that can be killed and started again, and a Dialtone that
// takes its events.
type bundle struct {
	sendgrid *mailtest.Server
	faults   *partnertest.Faults
	client   *mail.Client
	url      string
	// events are what was taken; refuse lets the next deliveries fail.
	events chan []mail.Event
	refuse atomic.Bool
	tries  chan struct{}

	journalPath string
	config      mailtest.Config
	stop        func()
}

func setup(t *testing.T) *bundle {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{
		events: make(chan []mail.Event, 100), tries: make(chan struct{}, 10000),
		faults: new(partnertest.Faults), journalPath: filepath.Join(t.TempDir(), "sendgrid.jsonl"),
	}
	hook := httptest.NewServer(b.takeEvents(t, key))
	t.Cleanup(hook.Close)
	b.config = mailtest.Config{
		Faults: b.faults, EventURL: hook.URL, SigningKey: key, APIKey: testKey,
		Now: func() time.Time { return noon }, RetryEvery: time.Millisecond,
	}
	b.start(t)
	t.Cleanup(func() { b.stop() })
	return b
}

// takeEvents is Dialtone's webhook: it checks the signature with the key as SendGrid shows it.
func (b *bundle) takeEvents(t *testing.T, key *ecdsa.PrivateKey) http.HandlerFunc {
	t.Helper()
	shown, err := mailtest.VerificationKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := mail.ParseWebhookKey(shown)
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		b.tries <- struct{}{}
		body, _ := io.ReadAll(r.Body)
		events, err := mail.VerifyEvents(public, r.Header, body, noon)
		switch {
		case err != nil:
			t.Errorf("the events: %v", err)
			w.WriteHeader(http.StatusUnauthorized)
		case b.refuse.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			b.events <- events
		}
	}
}

func (b *bundle) start(t *testing.T) {
	t.Helper()
	journal, err := partnertest.OpenJournal(b.journalPath)
	if err != nil {
		t.Fatal(err)
	}
	b.config.Journal = journal
	b.sendgrid, err = mailtest.New(b.config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(b.sendgrid)
	b.url = server.URL
	b.stop = func() {
		server.Close()
		b.sendgrid.Close()
		_ = journal.Close()
	}
	b.client, err = mail.New(mail.Config{URL: b.url, APIKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) restart(t *testing.T) {
	t.Helper()
	b.stop()
	b.start(t)
}

func messageTo(t *testing.T, to string) mail.Message {
	t.Helper()
	code, err := mobile.NewActivationCode("rsp.example.com", "QR-G5MAT-7HKWX-2P9DD")
	if err != nil {
		t.Fatal(err)
	}
	message, err := mail.ActivationMail{
		NoticeID: "notice-1", ActivationID: "activation-1", To: to,
		Tenant: mobile.Tenant{
			DisplayName: "Northwind Mobile", MailFrom: "hello@northwind.example",
			SupportPhone: "+12125550100", SupportHours: "daily",
		},
		CustomerName: "Ada Lovelace", Number: "+12125550123", Code: code, PortalLink: "https://my.northwind.example/a",
	}.Compose()
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func noticeTo(t *testing.T, to string) mail.Message {
	t.Helper()
	message, err := mail.NoticeMail{
		NoticeID: "notice-2", ActivationID: "activation-1", To: to, Kind: mobile.NoticeDetailsNeeded,
		Tenant: mobile.Tenant{
			DisplayName: "Northwind Mobile", MailFrom: "hello@northwind.example",
			SupportPhone: "+12125550100", SupportHours: "daily", TimeZone: "America/New_York",
		},
		Number: "+12125550123", DonorName: "AT&T", Ask: []string{"Account number"}, Deadline: noon,
		PortalLink: "https://my.northwind.example/a",
	}.Compose()
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func (b *bundle) send(t *testing.T, to string) string {
	t.Helper()
	id, err := b.client.Send(t.Context(), messageTo(t, to).Bytes())
	if err != nil || id == "" {
		t.Fatalf("send: %q, %v", id, err)
	}
	return id
}

func (b *bundle) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func (b *bundle) inbox(t *testing.T) []mailtest.Mail {
	t.Helper()
	_, body := b.get(t, "/inbox.json")
	var mails []mailtest.Mail
	if err := json.Unmarshal([]byte(body), &mails); err != nil {
		t.Fatal(err)
	}
	return mails
}

func TestNewRefusesAJournalItDidNotWrite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.config.Journal.Append(partnertest.Entry{
		Partner: "sendgrid", Act: mailtest.ActAccepted, Data: map[string]any{"message_id": "m", "body": "{}"},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := mailtest.New(b.config); err == nil {
		t.Error("got no error")
	}
}

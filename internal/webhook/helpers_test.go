package webhook_test

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/internal/webhook"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const secret = "carrier-webhook-secret"

// now is a moment that is not now, so that a test notices which clock was asked.
var now = time.Date(2031, 3, 14, 12, 0, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bundle is an open door with what is around it.
type bundle struct {
	*storetest.Database
	url      string
	key      *ecdsa.PrivateKey // SendGrid's
	nudges   chan struct{}
	log      *bytes.Buffer
	registry *prometheus.Registry
}

// open opens the door on a database of its own.
func open(t *testing.T) bundle {
	t.Helper()
	d := storetest.Make(t, storetest.Config{})
	return openOn(t, d, d.DB, plainly)
}

// openOn opens the door on a record, served in some way.
func openOn(t *testing.T, d *storetest.Database, db *store.DB, serve func(http.Handler) (url string, end func())) bundle {
	t.Helper()
	return openAt(t, d, db, serve, clock)
}

// openAt is openOn with another clock.
func openAt(t *testing.T, d *storetest.Database, db *store.DB, serve func(http.Handler) (url string, end func()), clock func() time.Time) bundle {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	verifier, err := carrier.NewVerifier(secret)
	must(t, err)
	b := bundle{
		Database: d, key: key, nudges: make(chan struct{}, 100), log: &bytes.Buffer{}, registry: prometheus.NewRegistry(),
	}
	url, end := serve(webhook.New(webhook.Config{
		DB: db, Nudge: func() { b.nudges <- struct{}{} }, Carrier: verifier, SendGrid: &key.PublicKey,
		Logger: slog.New(slog.NewJSONHandler(b.log, nil)), Registry: b.registry, Now: clock,
	}))
	t.Cleanup(end)
	b.url = url
	return b
}

func plainly(handler http.Handler) (url string, end func()) {
	server := httptest.NewServer(handler)
	return server.URL, server.Close
}

// call is one call of a partner. Its zero fields are what a well-behaved partner sends.
type call struct {
	method, path, contentType string
	header                    http.Header
	body                      []byte
}

// post makes a call and gives the status, the headers and the text of the answer.
func (b bundle) post(t *testing.T, c call) (status int, header http.Header, text string) {
	t.Helper()
	response, err := b.send(t, &http.Transport{DisableKeepAlives: true}, c)
	must(t, err)
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, response.Header, string(said)
}

// postTLS makes a call over TLS and gives the status; 0 when there was no answer.
func (b bundle) postTLS(t *testing.T, settings *tls.Config, c call) int {
	t.Helper()
	response, err := b.send(t, &http.Transport{DisableKeepAlives: true, TLSClientConfig: settings}, c)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

func (b bundle) send(t *testing.T, transport *http.Transport, c call) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), cmp.Or(c.method, http.MethodPost), b.url+c.path, bytes.NewReader(c.body))
	must(t, err)
	if c.header != nil {
		request.Header = c.header.Clone()
	}
	request.Header.Set("Content-Type", cmp.Or(c.contentType, "application/json; charset=utf-8"))
	return (&http.Client{Transport: transport}).Do(request)
}

// want makes a call and fails the test when its answer has another status.
func (b bundle) want(t *testing.T, status int, c call) {
	t.Helper()
	if got, _, text := b.post(t, c); got != status {
		t.Fatalf("%d %s, want %d", got, text, status)
	}
}

// carrierCall is a signed event of the carrier.
func carrierCall(id string, of mobile.ActivationID) call {
	body := fmt.Appendf(nil, `{"id":%[1]q,"type":"line.active","external_id":%[2]q,"created_at":%[3]q,
		"line":{"line_id":"line-1","external_id":%[2]q,"state":"ACTIVE","iccid":"8901410321111851072","number":"+12125550123"}}`,
		id, of, now.Format(time.RFC3339))
	return signedCarrierCall(secret, now, body)
}

func signedCarrierCall(secret string, at time.Time, body []byte) call {
	header := http.Header{}
	header.Set(carrier.SignatureHeader, carriertest.Signature(secret, at, body))
	return call{path: webhook.CarrierPath, header: header, body: body}
}

// sendGridCall is a signed batch of SendGrid's events.
func (b bundle) sendGridCall(t *testing.T, events ...string) call {
	t.Helper()
	return sendGridCall(t, b.key, now, []byte("["+strings.Join(events, ",")+"]"))
}

func sendGridCall(t *testing.T, key *ecdsa.PrivateKey, at time.Time, body []byte) call {
	t.Helper()
	stamp := strconv.FormatInt(at.Unix(), 10)
	digest := sha256.Sum256(append([]byte(stamp), body...))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	must(t, err)
	header := http.Header{}
	header.Set(mail.TimestampHeader, stamp)
	header.Set(mail.SignatureHeader, base64.StdEncoding.EncodeToString(signature))
	return call{path: webhook.SendGridPath, header: header, body: body}
}

// mailEvent is an event as SendGrid writes it.
func mailEvent(kind, notice string, a mobile.ActivationID, after time.Duration) string {
	return fmt.Sprintf(`{"email":"ada@example.com","timestamp":%d,"event":%q,"sg_message_id":"m-1.recvd-0","sg_event_id":%q,
		"type":"bounce","status":"5.1.1","reason":"550 <ada@example.com> unknown","notice_id":%q,"activation_id":%q}`,
		now.Add(after).Unix(), kind, uuid.NewString(), notice, a)
}

// progressCall is a download notification of the SM-DP+.
func progressCall(iccid mobile.ICCID, point int, status string) call {
	return call{path: webhook.ProgressPath, body: fmt.Appendf(nil, `{"header":{"functionRequesterIdentifier":"smdp",
		"functionCallIdentifier":%q},"eid":"89049032000000000000000000000001","iccid":%q,"profileType":"T","timestamp":%q,
		"notificationPointId":%d,"notificationPointStatus":{"status":%q}}`,
		uuid.NewString(), iccid, now.Format(time.RFC3339), point, status)}
}

// held reserves a profile for an activation.
func (b bundle) held(t *testing.T, a mobile.Activation, iccid mobile.ICCID) {
	t.Helper()
	must(t, b.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		_, err := s.ReserveProfile(t.Context(), a.Tenant, mobile.Profile{Activation: a.ID, ICCID: iccid, ProfileType: "T"}, "M-1")
		return err
	}))
}

// notice prepares a notice of an activation.
func (b bundle) notice(t *testing.T, a mobile.Activation) string {
	t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	must(t, b.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		return s.PrepareNotice(t.Context(), a.Tenant, a.ID, mobile.Notice{ID: id, Kind: mobile.NoticeActivation}, []byte("mail"))
	}))
	return id
}

// count counts rows past all doors.
func count(t *testing.T, conn *pgx.Conn, sql string, args ...any) (n int) {
	t.Helper()
	must(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM `+sql, args...).Scan(&n))
	return n
}

// counted reads how many calls of a partner had an outcome.
func (b bundle) counted(t *testing.T, partner, outcome string) float64 {
	t.Helper()
	families, err := b.registry.Gather()
	must(t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range m.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			if labels["partner"] == partner && labels["outcome"] == outcome {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// facts takes what an activation was told.
func (b bundle) facts(t *testing.T, a mobile.Activation) (facts store.Facts) {
	t.Helper()
	must(t, b.InTenant(t.Context(), a.Tenant, func(s *store.Store) (err error) {
		facts, err = s.TakeFacts(t.Context(), a.Tenant, a.ID, "")
		return err
	}))
	return facts
}

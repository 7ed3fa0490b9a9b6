package esimtest_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
)

const (
	address     = "smdp.example.com"
	consumer    = "consumer-5g"
	ownICCID    = mobile.ICCID("8901000000000000019")
	adminHeader = "gsma/rsp/v2.2.0"
)

// bundle is a pretend SM-DP+ on a real socket and a client of it.
type bundle struct {
	client  *esim.Client
	server  *esimtest.Server
	journal *partnertest.Journal
	faults  *partnertest.Faults
	url     string
}

func setup(t *testing.T, config esimtest.Config) bundle {
	t.Helper()
	if config.Journal == nil {
		config.Journal = openJournal(t, filepath.Join(t.TempDir(), "smdp.jsonl"))
	}
	config.Faults = new(partnertest.Faults)
	config.SMDPAddress = address
	config.RetryEvery = time.Millisecond
	server, err := esimtest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	socket := httptest.NewServer(server)
	t.Cleanup(socket.Close)
	t.Cleanup(func() { config.Faults.Clear("") })
	client, err := esim.New(esim.Config{URL: socket.URL, RequesterID: "1.2.3", SMDPAddress: address})
	if err != nil {
		t.Fatal(err)
	}
	return bundle{client, server, config.Journal, config.Faults, socket.URL}
}

func openJournal(t *testing.T, path string) *partnertest.Journal {
	t.Helper()
	journal, err := partnertest.OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = journal.Close() })
	return journal
}

// order takes a profile and confirms it.
func (b bundle) order(t *testing.T) (mobile.ICCID, mobile.ActivationCode) {
	t.Helper()
	iccid, err := b.client.DownloadOrder(t.Context(), esim.DownloadOrder{CallID: "d", ProfileType: consumer})
	if err != nil {
		t.Fatal(err)
	}
	return iccid, b.confirm(t, iccid)
}

func (b bundle) confirm(t *testing.T, iccid mobile.ICCID) mobile.ActivationCode {
	t.Helper()
	code, err := b.client.ConfirmOrder(t.Context(), esim.ConfirmOrder{CallID: "c", ICCID: iccid, MatchingID: newMatchingID(t)})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// state is where a profile stands; empty when it was never touched.
func (b bundle) state(iccid mobile.ICCID) esimtest.State {
	for _, p := range b.server.Profiles() {
		if p.ICCID == iccid {
			return p.State
		}
	}
	return ""
}

func (b bundle) wantState(t *testing.T, iccid mobile.ICCID, want esimtest.State) {
	t.Helper()
	if got := b.state(iccid); got != want {
		t.Errorf("the profile is %q, want %q", got, want)
	}
}

// acts are the acts in the journal, oldest first.
func (b bundle) acts() string {
	var acts []string
	for _, e := range b.journal.Entries() {
		acts = append(acts, e.Act)
	}
	return strings.Join(acts, " ")
}

// pretend posts to the paths for people and gives the status and the body.
func (b bundle) pretend(t *testing.T, path string, body any) (int, string) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return b.post(t, path, string(text), http.Header{"Content-Type": {"application/json"}})
}

func (b bundle) post(t *testing.T, path, body string, header http.Header) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func newMatchingID(t *testing.T) string {
	t.Helper()
	id, err := esim.NewMatchingID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func wantRefusal(t *testing.T, err error, want mobile.PartnerError) {
	t.Helper()
	got, ok := err.(*mobile.PartnerError)
	if !ok || got.Verdict != want.Verdict || got.Reason != want.Reason || got.Code != want.Code {
		t.Errorf("got %T %v, want %v", err, err, &want)
	}
}

package carrier_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/partnertest"
)

const documentPath = "../../api/carrier/v1/openapi.yaml"

// node is a part of the published document.
type node map[string]any

func loadDocument(t *testing.T) node {
	t.Helper()
	text, err := os.ReadFile(documentPath)
	if err != nil {
		t.Fatal(err)
	}
	var document node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

// at walks down by keys, and follows a $ref wherever it stands.
func (document node) at(from node, keys ...string) node {
	for _, key := range keys {
		from = document.follow(from)
		next, _ := from[key].(node)
		from = next
	}
	return document.follow(from)
}

func (document node) follow(from node) node {
	ref, ok := from["$ref"].(string)
	if !ok {
		return from
	}
	return document.at(document, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
}

// operations lists "METHOD path status" of all that the document promises.
func (document node) operations() []string {
	var all []string
	for path, item := range document.at(document, "paths") {
		for method, operation := range item.(node) {
			if method == "parameters" {
				continue
			}
			for status := range operation.(node)["responses"].(node) {
				all = append(all, strings.ToUpper(method)+" "+path+" "+status)
			}
		}
	}
	slices.Sort(all)
	return all
}

// scenario is a request and the status that it meets.
type scenario struct {
	method, path string // path as the document has it; {external_id} becomes id
	id           string
	key          string // for writes
	body         string
	status       int
	fault        int // makes the pretend carrier answer this status
	noKeyHeader  bool
	stranger     bool // has no API key
	// turn is what happens to the port of that id before.
	turn string
}

func lineOrder(id, iccid, imei string) string {
	return fmt.Sprintf(`{"external_id":%q,"iccid":%q,"imei":%q,"zip_code":"10001","plan":"UNLIMITED","customer_name":"Ada Example"}`, id, iccid, imei)
}

const (
	checks     = "/v1/device-checks"
	lines      = "/v1/lines"
	oneLine    = "/v1/lines/{external_id}"
	sim        = "/v1/lines/{external_id}/sim"
	deactivate = "/v1/lines/{external_id}/deactivate"
	iccid1     = "8901000000000000017"
	iccid2     = "8901000000000000025"
	iccid3     = "8901000000000000033"
	goodCheck  = `{"imei":"490154203237518","zip_code":"10001"}`
	simBody    = `{"iccid":"8901000000000000041","imei":"490154203237518"}`
)

// scenarios meet every status that the document lists, in this order on one carrier.
var scenarios = []scenario{
	{method: "POST", path: checks, body: goodCheck, status: 200},
	{method: "POST", path: checks, body: `{"imei":"1"}`, status: 400},
	{method: "POST", path: checks, body: goodCheck, status: 401, stranger: true},
	{method: "POST", path: checks, body: `{"imei":"` + carriertest.IMEIBlocked + `","zip_code":"10001"}`, status: 422},
	{method: "POST", path: checks, body: goodCheck, status: 429, fault: 429},
	{method: "POST", path: checks, body: goodCheck, status: 503, fault: 503},

	{method: "POST", path: lines, key: "k1", body: lineOrder("l1", iccid1, goodIMEI), status: 201},
	{method: "POST", path: lines, key: "k2", body: lineOrder("l2", iccid2, carriertest.IMEIFailsLater), status: 202},
	{method: "POST", path: lines, key: "k3", body: lineOrder("l 3", iccid3, goodIMEI), status: 400},
	{method: "POST", path: lines, noKeyHeader: true, body: lineOrder("l3", iccid3, goodIMEI), status: 400},
	{method: "POST", path: lines, key: "k3", body: lineOrder("l3", iccid3, goodIMEI), status: 401, stranger: true},
	{method: "POST", path: lines, key: "k3", body: lineOrder("l1", iccid3, goodIMEI), status: 409},
	{method: "POST", path: lines, key: "k3", body: lineOrder("l3", iccid1, goodIMEI), status: 422},
	{method: "POST", path: lines, key: "k3", body: lineOrder("l3", iccid3, goodIMEI), status: 429, fault: 429},
	{method: "POST", path: lines, key: "k3", body: lineOrder("l3", iccid3, goodIMEI), status: 503, fault: 503},

	{method: "GET", path: oneLine, id: "l1", status: 200},
	{method: "GET", path: oneLine, id: "l1", status: 401, stranger: true},
	{method: "GET", path: oneLine, id: "l3", status: 404},
	{method: "GET", path: oneLine, id: "l1", status: 429, fault: 429},
	{method: "GET", path: oneLine, id: "l1", status: 503, fault: 503},

	{method: "PUT", path: sim, id: "l1", key: "k4", body: simBody, status: 200},
	{method: "PUT", path: sim, id: "l1", key: "k5", body: `{}`, status: 400},
	{method: "PUT", path: sim, id: "l1", key: "k5", body: simBody, status: 401, stranger: true},
	{method: "PUT", path: sim, id: "l3", key: "k5", body: simBody, status: 404},
	{method: "PUT", path: sim, id: "l2", key: "k5", body: simBody, status: 409},
	{method: "PUT", path: sim, id: "l1", key: "k5", body: `{"iccid":"8900000000000000017","imei":"` + goodIMEI + `"}`, status: 422},
	{method: "PUT", path: sim, id: "l1", key: "k5", body: simBody, status: 429, fault: 429},
	{method: "PUT", path: sim, id: "l1", key: "k5", body: simBody, status: 503, fault: 503},

	{method: "POST", path: deactivate, id: "l1", noKeyHeader: true, status: 400},
	{method: "POST", path: deactivate, id: "l1", key: "k6", status: 401, stranger: true},
	{method: "POST", path: deactivate, id: "l3", key: "k6", status: 404},
	{method: "POST", path: deactivate, id: "l1", key: "k1", status: 409},
	{method: "POST", path: deactivate, id: "l1", key: "k6", status: 429, fault: 429},
	{method: "POST", path: deactivate, id: "l1", key: "k6", status: 503, fault: 503},
	{method: "POST", path: deactivate, id: "l1", key: "k6", status: 200},
	{method: "GET", path: oneLine, id: "l1", status: 200},
}

// The document promises what the pretend carrier does: each path, method and status in it
// is met, none is met that is not in it, and every JSON body is of its schema.
func TestPretendCarrierKeepsToTheDocument(t *testing.T) {
	t.Parallel()
	document := loadDocument(t)
	b := setupWith(t, func() time.Time { return signedAt })
	var met []string

	for _, s := range slices.Concat(scenarios, portScenarios) {
		name := fmt.Sprintf("%s %s %d", s.method, s.path, s.status)
		met = append(met, name)
		if s.fault != 0 {
			_, _ = b.faults.Set(partnertest.Fault{Kind: partnertest.Status, Status: s.fault, Times: 1, RetryAfter: time.Second})
		}
		if s.turn != "" {
			if err := b.pretend.TurnPort(s.id, carriertest.Hand{Turn: s.turn}); err != nil {
				t.Fatalf("%s: %s: %v", name, s.turn, err)
			}
		}
		status, header, body := b.send(t, s)
		if status != s.status {
			t.Errorf("%s: answered %d %s", name, status, body)
			continue
		}
		response := document.at(document, "paths", s.path, strings.ToLower(s.method), "responses", fmt.Sprint(status))
		schema := document.at(response, "content", "application/json", "schema")
		if schema == nil {
			if header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", name)
			}
			continue
		}
		for _, wrong := range document.check(schema, body) {
			t.Errorf("%s: %s\n%s", name, wrong, body)
		}
	}

	if err := b.pretend.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}

	slices.Sort(met)
	if diff := cmp.Diff(document.operations(), slices.Compact(met)); diff != "" {
		t.Errorf("promised and met differ (-document +scenarios):\n%s", diff)
	}
	for range 4 + portEvents { // l1 live, its new SIM, its end; l2 failed; the ports
		d := <-b.deliveries
		schema := document.at(document, "webhooks", "event", "post", "requestBody", "content", "application/json", "schema")
		for _, wrong := range document.check(schema, d.Body) {
			t.Errorf("event: %s\n%s", wrong, d.Body)
		}
	}
}

func (b *bundle) send(t *testing.T, s scenario) (int, http.Header, []byte) {
	t.Helper()
	url := b.url + strings.Replace(s.path, "{external_id}", s.id, 1)
	request, err := http.NewRequestWithContext(t.Context(), s.method, url, strings.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	if !s.stranger {
		request.Header.Set("Authorization", "Bearer "+apiKey)
	}
	if s.body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if s.key != "" && !s.noKeyHeader {
		request.Header.Set("Idempotency-Key", s.key)
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, reply.Header, body
}

// The client sends what the document asks for: paths, headers and bodies.
func TestClientKeepsToTheDocument(t *testing.T) {
	t.Parallel()
	document := loadDocument(t)
	type sent struct {
		method, path, key, kind string
		body                    []byte
	}
	var last sent
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		last = sent{r.Method, r.URL.Path, r.Header.Get("Idempotency-Key"), r.Header.Get("Content-Type"), body}
	}))
	t.Cleanup(server.Close)
	client := newClient(t, carrier.Config{URL: server.URL})
	ctx := t.Context()

	calls := map[string]func(){
		"POST " + checks: func() { _ = client.CheckDevice(ctx, carrier.DeviceCheck{IMEI: goodIMEI, ZIPCode: "10001-1234"}) },
		"POST " + lines:  func() { _, _ = client.ActivateLine(ctx, "key/1", order) },
		"GET " + oneLine: func() { _, _ = client.ReadLine(ctx, "a1") },
		"PUT " + sim: func() {
			_, _ = client.ChangeSIM(ctx, "key/1", carrier.SIMChange{ExternalID: "a1", ICCID: iccid2, IMEI: goodIMEI})
		},
		"POST " + deactivate: func() { _ = client.DeactivateLine(ctx, "key/1", "a1") },

		"POST " + portChecks: func() {
			_, _ = client.CheckPortability(ctx, carrier.PortabilityCheck{Number: number, ZIPCode: goodZIP})
		},
		"POST " + ports:  func() { _, _ = client.SubmitPort(ctx, "key/1", portOrder) },
		"GET " + onePort: func() { _, _ = client.ReadPort(ctx, "a1") },
		"POST " + supplement: func() {
			_, _ = client.SupplementPort(ctx, "key/1", carrier.PortSupplement{ExternalID: "a1", Info: portOrder.Info, Due: signedAt})
		},
		"POST " + cancel: func() { _, _ = client.CancelPort(ctx, "key/1", "a1") },
	}
	var promised []string
	for _, operation := range document.operations() {
		promised = append(promised, operation[:strings.LastIndex(operation, " ")])
	}
	for _, operation := range slices.Compact(promised) {
		call := calls[operation]
		if call == nil {
			t.Errorf("%s is promised and never called", operation)
			continue
		}
		call()
		method, path, _ := strings.Cut(operation, " ")
		if last.method != method || last.path != strings.Replace(path, "{external_id}", "a1", 1) {
			t.Errorf("%s: sent %s %s", operation, last.method, last.path)
		}
		item := document.at(document, "paths", path, strings.ToLower(method))
		parameters, _ := item["parameters"].([]any)
		if wantsKey := len(parameters) > 0; wantsKey != (last.key == "key/1") {
			t.Errorf("%s: sent the key %q", operation, last.key)
		}
		schema := document.at(item, "requestBody", "content", "application/json", "schema")
		if schema == nil {
			if len(last.body) != 0 {
				t.Errorf("%s: sent a body", operation)
			}
			continue
		}
		if last.kind != "application/json" {
			t.Errorf("%s: sent the content type %q", operation, last.kind)
		}
		for _, wrong := range document.check(schema, last.body) {
			t.Errorf("%s: %s\n%s", operation, wrong, last.body)
		}
	}
}

// The examples are of their schemas, and the signature in the text is right.
func TestDocumentExamples(t *testing.T) {
	t.Parallel()
	document := loadDocument(t)
	examples := 0
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case node:
			if example, ok := v["example"]; ok {
				examples++
				text, err := json.Marshal(example)
				if err != nil {
					t.Fatal(err)
				}
				for _, wrong := range document.check(document.at(v, "schema"), text) {
					t.Errorf("example at %s: %s", path, wrong)
				}
			}
			for key, below := range v {
				walk(path+"/"+key, below)
			}
		case []any:
			for i, below := range v {
				walk(fmt.Sprint(path, "/", i), below)
			}
		}
	}
	walk("", document)
	if examples < 15 {
		t.Errorf("only %d examples", examples)
	}

	description, _ := document.at(document, "info")["description"].(string)
	body := `{"id":"evt_1"}`
	want := carrier.SignatureHeader + ": t=1767225600000,v1=" + v1("dialtone-example-secret", "1767225600000", body)
	if !strings.Contains(description, want) || !strings.Contains(description, body) {
		t.Errorf("the document's example of a signature is not %s", want)
	}
	if pretend := carriertest.Signature("dialtone-example-secret", signedAt, []byte(body)); !strings.HasSuffix(want, pretend) {
		t.Errorf("the pretend carrier signs %s", pretend)
	}
}

// Each code that the client's table knows is in the document, so that carriers can use it.
func TestDocumentNamesTheCodes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(documentPath)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range carrier.Codes() {
		if !bytes.Contains(text, []byte(code)) {
			t.Errorf("%s is not in the document", code)
		}
	}
}

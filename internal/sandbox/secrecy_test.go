package sandbox_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// Every customer of these tests: nobody else has such a name or address.
const (
	canaryName  = "Wilhelmina Quillfeather"
	canaryEmail = "quillfeather@canary.example"
)

// TestSecrecy: the customer's name and address and the activation code are in no history, log
// or metric.
func TestSecrecy(t *testing.T) {
	s := running(t)
	at, connection := s.Addresses(), connect(t, s)
	launched := launch(t, connection, sandbox.GoodIMEI)
	ends(t, connection, launched.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED)
	if inbox := call(t, "GET", at.InboxURL+".json", nil); !bytes.Contains(inbox, []byte(canaryName)) || !bytes.Contains(inbox, []byte(canaryEmail)) {
		t.Fatal("the mail to the customer does not name them, so that nothing is proved")
	}
	secrets := append(matchingIDs(t, at), canaryName, canaryEmail, "Quillfeather")
	if len(secrets) < 4 {
		t.Fatal("no mail was sent, so there is no activation code to look for")
	}

	places := map[string][]byte{
		"the history in Temporal": history(t, at, launched.GetWorkflowId()),
		"the server's metrics":    call(t, "GET", at.Admin+"/metrics", nil),
		"the worker's metrics":    call(t, "GET", s.WorkerAdmin()+"/metrics", nil),
		"the story":               []byte(shared.out.String()),
	}
	logs, err := filepath.Glob(filepath.Join(shared.dir, "log", "*"))
	if err != nil || len(logs) < 5 {
		t.Fatalf("logs: %v, %v", logs, err)
	}
	for _, log := range logs {
		if places[log], err = os.ReadFile(log); err != nil {
			t.Fatal(err)
		}
	}

	for place, text := range places {
		if len(text) == 0 && !strings.HasSuffix(place, ".log") {
			t.Errorf("%s is empty", place)
		}
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds %q", place, secret)
			}
		}
	}
}

// TestSecrecy_Port: what the customer knows about the old account is read by nobody but the
// carrier. It is in no database in clear, also not in the engine's; in no log, metric, or journal
// of a partner; and not in what staff and billing are shown, even when the donor repeats it.
func TestSecrecy_Port(t *testing.T) {
	s := running(t)
	at, connection := s.Addresses(), connect(t, s)
	launched := asked(t, connection, portsCalmly)
	id := launched.GetActivationId()
	echoes(t, s, launched, "PIN "+canaryPIN+" is wrong for account "+canaryAccount+".")
	gives(t, s, launched)
	gives(t, s, askedAgain(t, connection, launched, launched.GetPort().GetPrompt().GetRevision()))
	ended := ends(t, connection, id, dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED)
	operator := dialtonev1.NewWorkflowServiceClient(dial(t, at.GRPC, at.OperatorToken))
	shown, err := operator.GetWorkflow(t.Context(), &dialtonev1.GetWorkflowRequest{
		Lookup: &dialtonev1.GetWorkflowRequest_ActivationId{ActivationId: id},
	})
	if err != nil {
		t.Fatal(err)
	}
	refusals := shown.GetWorkflow().GetPort().GetRefusals()
	if len(refusals) != 1 || !strings.Contains(refusals[0].GetCarrierMessage(), "is wrong for account") {
		t.Fatalf("the donor's words are not shown, so that nothing is proved: %v", refusals)
	}

	places := map[string][]byte{
		"the history in Temporal": history(t, at, launched.GetWorkflowId()),
		"the server's metrics":    call(t, "GET", at.Admin+"/metrics", nil),
		"the worker's metrics":    call(t, "GET", s.WorkerAdmin()+"/metrics", nil),
		"the story":               []byte(shared.out.String()),
		"what staff are shown":    []byte(prototext.Format(shown)),
		"what billing is shown":   []byte(prototext.Format(ended)),
		"the inbox":               call(t, "GET", at.InboxURL+".json", nil),
	}
	for name, file := range kept(t, "log/*", "partners/*") {
		places[name] = file
	}
	var engine []byte
	for name, dump := range dumps(t, s) {
		places[name] = dump
		if strings.HasSuffix(name, ".history_node") {
			engine = dump
		}
	}
	if !bytes.Contains(engine, []byte(hex.EncodeToString([]byte(id)))) {
		t.Fatal("the engine's history does not name the activation, so that nothing is proved")
	}
	// The donor's own words are what the pretend carrier has to remember.
	for name, text := range places {
		if strings.Contains(name, "partners/carrier") {
			places[name] = bytes.ReplaceAll(text, []byte("PIN "+canaryPIN+" is wrong for account "+canaryAccount), nil)
		}
	}
	wantNowhere(t, places, canaryPIN, canaryNewPIN, canaryAccount)
}

// echoes lets the donor refuse the next order of the number with these words.
func echoes(t *testing.T, s *sandbox.Sandbox, w *dialtonev1.Workflow, words string) {
	t.Helper()
	rule, err := json.Marshal(carriertest.PortRule{Number: w.GetPort().GetPhoneNumber(), Code: "6B", Message: words})
	if err != nil {
		t.Fatal(err)
	}
	call(t, http.MethodPost, s.Addresses().CarrierURL+"/_pretend/port-rules", rule)
}

// kept are the files of the shared sandbox that match.
func kept(t *testing.T, patterns ...string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(shared.dir, pattern))
		if err != nil || len(found) < 3 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		for _, file := range found {
			if files[file], err = os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

// dumps are all rows of all tables of all databases, as text.
func dumps(t *testing.T, s *sandbox.Sandbox) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	for name, address := range s.Databases() {
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		rows, _ := conn.Query(t.Context(), `
			SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(tables) < 3 {
			t.Fatalf("the tables of %s: %v, %v", name, tables, err)
		}
		for _, table := range tables {
			var dump bytes.Buffer
			if _, err := conn.PgConn().CopyTo(t.Context(), &dump, "COPY (SELECT * FROM "+table+") TO STDOUT"); err != nil {
				t.Fatal(err)
			}
			all[name+": "+table] = dump.Bytes()
		}
		_ = conn.Close(t.Context())
	}
	return all
}

// wantNowhere looks for secrets as they are, and as hexadecimal digits and base64 write them.
func wantNowhere(t *testing.T, places map[string][]byte, secrets ...string) {
	t.Helper()
	for place, text := range places {
		for _, secret := range secrets {
			for _, form := range append(inBase64(secret), secret, hex.EncodeToString([]byte(secret))) {
				if bytes.Contains(text, []byte(form)) {
					t.Errorf("%s holds %q, as %q", place, secret, form)
				}
			}
		}
	}
}

// inBase64 are the ways in which base64 writes a secret inside of something longer, without the
// digits that depend on what is beside it.
func inBase64(secret string) []string {
	var forms []string
	for before := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
		first, last := (8*before+5)/6, 8*(before+len(secret))/6
		forms = append(forms, text[first:last])
	}
	return forms
}

// matchingIDs are what all mails bring: the secret part of the activation codes.
func matchingIDs(t *testing.T, at sandbox.Addresses) []string {
	t.Helper()
	var ids []string
	for _, match := range regexp.MustCompile(`LPA:1\$[-.a-z]+\$([-0-9A-Z]+)`).FindAllSubmatch(call(t, "GET", at.InboxURL+".json", nil), -1) {
		ids = append(ids, string(match[1]))
	}
	return ids
}

// history is a run's, with every payload as it came, uncompressed.
func history(t *testing.T, at sandbox.Addresses, workflowID string) []byte {
	t.Helper()
	var raw []byte
	events := temporal(t, at).GetWorkflowHistory(t.Context(), workflowID, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		bytes, err := proto.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, bytes...)
	}
	return raw
}

// temporal is a client of the sandbox's Temporal.
func temporal(t *testing.T, at sandbox.Addresses) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: at.TemporalAddress})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

package sandbox_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
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

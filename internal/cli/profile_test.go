package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/dialtone/dialtone/internal/cli"
)

// delivery is a file of that many ICCIDs.
func delivery(count int) string {
	var file strings.Builder
	for n := range count {
		fmt.Fprintf(&file, "8901%016d\n", n)
	}
	return file.String()
}

// importCall is a call as the server got it.
type importCall struct {
	RequestID string   `json:"request_id"`
	ICCIDs    []string `json:"iccids"`
}

func importCalls(t *testing.T, s *server) []importCall {
	t.Helper()
	var all []importCall
	for line := range strings.Lines(s.asked()) {
		var call importCall
		if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "ImportProfiles t ")), &call); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, call)
	}
	return all
}

const threeCalls = `[
	{"method": "ImportProfiles", "reply": {"imported_count": 1990, "known_count": 10, "available_count": 1990}},
	{"method": "ImportProfiles", "reply": {"imported_count": 1999, "refused_iccids": ["89010000000000002001"], "available_count": 3989}},
	{"method": "ImportProfiles", "reply": {"imported_count": 500, "available_count": 4489}}]`

// A long file goes in several calls, each with a request id of its own that is the same when
// the command is repeated.
func TestProfileImport_SeveralCalls(t *testing.T) {
	t.Parallel()
	s, env, words := wire(t, threeCalls, "profile", "import", "--type", "DEMO-5G", "-",
		"--request-id", "11111111-1111-4111-8111-111111111111")
	out := &bytes.Buffer{}
	env.In, env.Out = strings.NewReader(delivery(4500)), out

	code := cli.Run(t.Context(), env)

	if code != 5 || !strings.Contains(words.String(), "1 of 4500 ICCIDs were refused") {
		t.Errorf("exit code %d, it said %q", code, words)
	}
	for _, want := range []string{"Imported   4489\n", "Known      10,", "Refused    1\n", "Available  4489 of", "\n  89010000000000002001\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	first := importCalls(t, s)
	if len(first) != 3 || len(first[0].ICCIDs) != 2000 || len(first[1].ICCIDs) != 2000 || len(first[2].ICCIDs) != 500 {
		t.Fatalf("%d calls", len(first))
	}
	if first[0].RequestID != "11111111-1111-4111-8111-111111111111" || first[1].RequestID == first[0].RequestID || first[2].RequestID == first[1].RequestID {
		t.Errorf("request ids %s %s %s", first[0].RequestID, first[1].RequestID, first[2].RequestID)
	}

	env.In = strings.NewReader(delivery(4500))
	_ = cli.Run(t.Context(), env)

	for i, again := range importCalls(t, s) {
		if again.RequestID != first[i].RequestID {
			t.Errorf("call %d is repeated as %s, and was %s", i, again.RequestID, first[i].RequestID)
		}
	}
}

// A trial of several calls counts as though each had found what those before it would have
// left.
func TestProfileImport_SeveralTrials(t *testing.T) {
	t.Parallel()
	_, env, words := wire(t, `[
		{"method": "ImportProfiles", "reply": {"imported_count": 2000, "available_count": 2100}},
		{"method": "ImportProfiles", "reply": {"imported_count": 10, "available_count": 110}}]`,
		"profile", "import", "--type", "DEMO-5G", "--dry-run", "-")
	out := &bytes.Buffer{}
	env.In, env.Out = strings.NewReader(delivery(2010)), out

	code := cli.Run(t.Context(), env)

	if code != 0 || !strings.Contains(out.String(), "Imported   2010\n") || !strings.Contains(out.String(), "Available  2110 of") {
		t.Errorf("exit code %d, it said %q and printed\n%s", code, words, out)
	}
}

// One that breaks off says how far it came, and how to go on.
func TestProfileImport_BreaksOff(t *testing.T) {
	t.Parallel()
	_, env, words := wire(t, `[
		{"method": "ImportProfiles", "reply": {"imported_count": 2000}},
		{"method": "ImportProfiles", "code": 14, "reason": "TRY_AGAIN", "message": "The database is away."}]`,
		"profile", "import", "--type", "DEMO-5G", "-", "--request-id", "11111111-1111-4111-8111-111111111111")
	env.In = strings.NewReader(delivery(2001))

	code := cli.Run(t.Context(), env)

	want := `the first 2000 of 2001 ICCIDs went through before this
error: The database is away. (TRY_AGAIN)
next: try again in a moment
next: repeat the same command with --request-id 11111111-1111-4111-8111-111111111111: it happens once
`
	if code != 6 || words.String() != want {
		t.Errorf("exit code %d, it said\n%s", code, words)
	}
}

// A file of another kind is told in few lines, and one without end is not read to it.
func TestProfileImport_WrongFile(t *testing.T) {
	t.Parallel()
	s, env, words := wire(t, `[]`, "profile", "import", "--type", "DEMO-5G", "-")
	env.In = strings.NewReader(strings.Repeat("x\n", 1000))
	if code := cli.Run(t.Context(), env); code != 2 || strings.Count(words.String(), "\n") != 53 || !strings.Contains(words.String(), "\n  and 950 more\n") {
		t.Errorf("exit code %d, it said %q", code, words)
	}

	words.Reset()
	env.In = strings.NewReader(strings.Repeat("#"+strings.Repeat("x", 1022)+"\n", 33<<10))
	if code := cli.Run(t.Context(), env); code != 2 || !strings.Contains(words.String(), "over 32 MiB") {
		t.Errorf("exit code %d, it said %q", code, words)
	}
	if asked := s.asked(); asked != "" {
		t.Errorf("it called %s", asked)
	}
}

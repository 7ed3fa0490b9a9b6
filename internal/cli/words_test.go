package cli

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second:                  "0s",
		999 * time.Millisecond:        "0s",
		59 * time.Second:              "59s",
		time.Minute:                   "1m",
		3*time.Minute + 5*time.Second: "3m 5s",
		time.Hour:                     "1h",
		2*time.Hour + 59*time.Minute:  "2h 59m",
		24*time.Hour + 59*time.Minute: "1d",
		51 * time.Hour:                "2d 3h",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestWhen(t *testing.T) {
	t.Parallel()
	p := &page{now: time.Date(2026, 3, 4, 15, 0, 0, 0, time.UTC)}
	at := func(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(p.now.Add(d)) }
	for _, test := range []struct{ got, want string }{
		{p.when(nil), ""},
		{p.when(at(-time.Minute)), "1m ago (2026-03-04 14:59:00 UTC)"},
		{p.when(at(time.Minute)), "in 1m (2026-03-04 15:01:00 UTC)"},
		{p.when(at(0)), "just now (2026-03-04 15:00:00 UTC)"},
		{p.due(at(-time.Minute)), "overdue by 1m (2026-03-04 14:59:00 UTC)"},
		{p.due(at(time.Minute)), "in 1m (2026-03-04 15:01:00 UTC)"},
		{p.dueShort(at(-time.Minute)), "overdue by 1m"},
		{between(at(0), nil), ""},
		{between(at(0), at(0)), "0s"},
		{between(at(0), at(340*time.Millisecond)), "340ms"},
		{between(at(0), at(3400*time.Millisecond)), "3s"},
	} {
		line := &page{}
		line.linef("%s", test.got)
		if diff := cmp.Diff(test.want+"\n", line.String()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWord(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value protoreflect.Enum
		want  string
	}{
		{dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_CUSTOMER, "waiting for customer"},
		{dialtonev1.Partner_PARTNER_SM_DP, "sm dp"},
		{dialtonev1.WorkflowState_WORKFLOW_STATE_UNSPECIFIED, ""},
		{dialtonev1.WorkflowState(99), "unknown (99)"},
	} {
		if got := word(test.value); got != test.want {
			t.Errorf("word(%v) = %q, want %q", test.value, got, test.want)
		}
	}
}

// A sentence is broken at blanks; an instant beside it is not.
func TestFacts(t *testing.T) {
	t.Parallel()
	p := &page{now: time.Date(2026, 3, 4, 15, 0, 0, 0, time.UTC)}
	p.facts(
		fact{name: "Name", value: "Zoë"},
		fact{name: "Nothing"},
		fact{name: "Long", value: "one two three four five six seven eight nine ten eleven twelve " + p.when(timestamppb.New(p.now))},
	)
	want := `Name  Zoë
Long  one two three four five six seven eight nine ten eleven twelve just now
      (2026-03-04 15:00:00 UTC)
`
	if diff := cmp.Diff(want, p.String()); diff != "" {
		t.Error(diff)
	}
}

// Colours take no room.
func TestTable(t *testing.T) {
	t.Parallel()
	rows := []row{
		heading("NAME", "NOTHING", "STATE"),
		{cells: []cell{{text: "Zoë"}, {}, {text: "done", tone: green}}, notes: []string{"a note"}},
		{cells: []cell{{text: "Christopher", tone: red}}},
	}
	for color, want := range map[bool]string{
		false: "NAME         NOTHING  STATE\nZoë                   done\n    a note\nChristopher\n",
		true: "\x1b[2mNAME\x1b[0m         \x1b[2mNOTHING\x1b[0m  \x1b[2mSTATE\x1b[0m\n" +
			"Zoë                   \x1b[32mdone\x1b[0m\n    a note\n\x1b[31mChristopher\x1b[0m\n",
	} {
		p := &page{color: color}
		p.table("", rows)
		if diff := cmp.Diff(want, p.String()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestOnThisMachine(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"localhost:7400":           true,
		"localhost":                true,
		"127.0.0.1:7400":           true,
		"127.9.9.9":                true,
		"[::1]:7400":               true,
		"::1":                      true,
		"192.168.1.2:7400":         false,
		"dialtone.example.com:443": false,
		"localhost.example.com:1":  false,
		"0.0.0.0:7400":             false,
		"":                         false,
	} {
		if got := onThisMachine(address); got != want {
			t.Errorf("onThisMachine(%q) = %v, want %v", address, got, want)
		}
	}
}

// Every code of gRPC has one of the exit codes that exit-codes documents.
func TestExitCode(t *testing.T) {
	t.Parallel()
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		want := map[codes.Code]int{
			codes.OK: 0, codes.InvalidArgument: 2, codes.NotFound: 3, codes.Unauthenticated: 4, codes.PermissionDenied: 4,
			codes.AlreadyExists: 5, codes.FailedPrecondition: 5, codes.Unavailable: 6, codes.ResourceExhausted: 6, codes.DeadlineExceeded: 6,
		}
		expected, known := want[code]
		if !known {
			expected = 1
		}
		if got := exitCode(status.Error(code, "")); got != expected {
			t.Errorf("%s has the exit code %d, want %d", code, got, expected)
		}
	}
	if got := exitCode(errors.New("disk full")); got != 1 {
		t.Errorf("any other error has the exit code %d, want 1", got)
	}
}

package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/dialtone/dialtone/internal/cli"
)

// wire is a server with answers, and the environment that leads to it.
func wire(t *testing.T, answers string, args ...string) (*server, cli.Env, *bytes.Buffer) {
	t.Helper()
	s, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	var all []answer
	if err := json.Unmarshal([]byte(answers), &all); err != nil {
		t.Fatal(err)
	}
	s.load(all)
	words := &bytes.Buffer{}
	return s, cli.Env{Args: args, Address: s.address, Token: "t", Dir: t.TempDir(), Err: words}, words
}

const held = `[{"method": "GetWorkflow", "reply": {"workflow": {"activation_id": "0199c2e4-7a1b-7c3d-8e4f-0123456789ab"}}},
	{"method": "WatchWorkflow", "stream": [{"workflow": {"activation_id": "0199c2e4-7a1b-7c3d-8e4f-0123456789ab", "state": "WORKFLOW_STATE_RUNNING"}}], "hold": true},
	{"method": "CancelSubscription", "hold": true}]`

// trigger is an output that calls a function at its first byte.
type trigger struct {
	text strings.Builder
	once sync.Once
	call func()
}

func (w *trigger) Write(data []byte) (int, error) {
	w.once.Do(w.call)
	return w.text.Write(data)
}

// Ctrl-C lets go of what is watched: what was heard stays printed, and the code is that of
// an interrupt, so that no script takes it for an end.
func TestRun_CtrlCLetsGo(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	_, env, words := wire(t, held, "workflow", "watch", "sub-1001", "--output", "json")
	out := &trigger{call: interrupt}
	env.Out = out

	code := cli.Run(ctx, env)

	if code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if !strings.Contains(words.String(), "goes on\nnext: watch it again: dialtone workflow watch 0199c2e4-7a1b-7c3d-8e4f-0123456789ab\n") {
		t.Errorf("it said %q", words)
	}
	if !strings.HasPrefix(out.text.String(), `{"workflow":`) {
		t.Errorf("it printed %q", out.text.String())
	}
}

// Ctrl-C in a call that changes something tells how to find out whether it was accepted.
func TestRun_CtrlCInACall(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	s, env, words := wire(t, held, "subscription", "cancel", "sub-1001", "--reason", "x", "--request-id", "11111111-1111-4111-8111-111111111111")
	go func() {
		s.awaitHold("CancelSubscription")
		interrupt()
	}()

	code := cli.Run(ctx, env)

	if code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	want := "interrupted\nnext: repeat the same command with --request-id 11111111-1111-4111-8111-111111111111: it happens once\n"
	if words.String() != want {
		t.Errorf("it said %q, want %q", words, want)
	}
}

// The end of --timeout is no end of the activation: try again.
func TestRun_TimeoutEndsAWatch(t *testing.T) {
	t.Parallel()
	_, env, words := wire(t, held, "workflow", "watch", "sub-1001", "--timeout", "1s")

	code := cli.Run(t.Context(), env)

	if code != 6 {
		t.Errorf("exit code %d, want 6", code)
	}
	if !strings.Contains(words.String(), "the time of --timeout is over; activation 0199c2e4-7a1b-7c3d-8e4f-0123456789ab goes on") {
		t.Errorf("it said %q", words)
	}
}

// A failure to write is a failure, also in the middle of a watch.
func TestRun_BrokenOutput(t *testing.T) {
	t.Parallel()
	_, env, words := wire(t, held, "workflow", "watch", "sub-1001")
	env.Out = full{}

	code := cli.Run(t.Context(), env)

	if code != 1 || !strings.Contains(words.String(), "error: write to stdout: disk full") {
		t.Errorf("exit code %d, it said %q", code, words)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var errFull = errorText("disk full")

type errorText string

func (e errorText) Error() string { return string(e) }

// Whatever is left out of Env is the machine's own.
func TestRun_ZeroEnv(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer

	code := cli.Run(t.Context(), cli.Env{Args: []string{"help", "exit-codes"}, Out: &out})

	if code != 0 || !strings.Contains(out.String(), "130  interrupted") {
		t.Errorf("exit code %d, it printed %q", code, &out)
	}
	if code := cli.Run(t.Context(), cli.Env{}); code != 0 {
		t.Errorf("exit code %d without arguments", code)
	}
}

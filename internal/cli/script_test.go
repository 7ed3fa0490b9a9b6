package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dialtone/dialtone/internal/cli"
)

var update = flag.Bool("update", false, "write what the scripts' cmp finds into the scripts")

// now is the time of day in all scripts, unless DIALTONE_TEST_NOW says another.
const now = "2026-03-04T15:00:00Z"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"dialtone": program})
}

// program is cmd/dialtone with a clock that stands still: nothing ticks, and waiting takes no
// time.
func program() {
	//nolint:forbidigo // This is a main of its own.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	at, err := time.Parse(time.RFC3339, os.Getenv("DIALTONE_TEST_NOW"))
	if err != nil {
		panic(err)
	}
	code := cli.Run(ctx, cli.Env{
		Args:    os.Args[1:],
		In:      os.Stdin,
		Out:     os.Stdout,
		Err:     os.Stderr,
		Address: os.Getenv("DIALTONE_ADDRESS"),
		Token:   os.Getenv("DIALTONE_TOKEN"),
		NoColor: os.Getenv("NO_COLOR") != "",
		Term:    os.Getenv("TERM"),
		Now:     func() time.Time { return at },
		After:   noDelay,
		Every:   noTicks,
	})
	stop()
	os.Exit(code)
}

func noDelay(time.Duration) <-chan time.Time {
	over := make(chan time.Time, 1)
	over <- time.Time{}
	return over
}

func noTicks(time.Duration) (<-chan time.Time, func()) { return nil, func() {} }

// TestScripts runs testdata/*.txtar. Each script has a server of its own, whose answers it
// scripts:
//
//	answers FILE       the server answers with those of FILE from now on; see answer
//	asked FILE         FILE gets the requests since the last "asked", with their tokens
//	exits N PROG ARGS  PROG ends with exit code N
//	await METHOD       a call of METHOD is being held open
//	sandbox FILE       FILE is a sandbox's, mode 0600, of this server
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			server, err := newServer()
			if err != nil {
				return err
			}
			env.Defer(server.stop)
			env.Values[serverKey{}] = server
			env.Setenv("SERVER", server.address)
			env.Setenv("DIALTONE_ADDRESS", server.address)
			env.Setenv("DIALTONE_TOKEN", "token-given")
			env.Setenv("DIALTONE_TEST_NOW", now)
			env.Setenv("TERM", "xterm-256color")
			// The race detector waits a second at each exit for races that nobody has seen.
			env.Setenv("GORACE", "atexit_sleep_ms=10")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"answers": loadAnswers,
			"asked":   writeRequests,
			"exits":   expectExit,
			"await":   awaitHold,
			"sandbox": writeSandbox,
		},
	})
}

type serverKey struct{}

func serverOf(ts *testscript.TestScript) *server {
	s, ok := ts.Value(serverKey{}).(*server)
	if !ok {
		ts.Fatalf("the script has no server")
	}
	return s
}

func loadAnswers(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		var all []answer
		if err := json.Unmarshal([]byte(ts.ReadFile(file)), &all); err != nil {
			ts.Fatalf("%s: %v", file, err)
		}
		serverOf(ts).load(all)
	}
}

// writeRequests leaves the comparing to cmp.
func writeRequests(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(serverOf(ts).asked()), 0o600))
}

func expectExit(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func awaitHold(ts *testscript.TestScript, _ bool, args []string) {
	if !serverOf(ts).awaitHold(args[0]) {
		ts.Fatalf("no call of %s was held", args[0])
	}
}

func writeSandbox(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	text := fmt.Sprintf(`{"grpc": %q, "token": "token-billing", "operator_token": "token-operator", "portal_backend_token": "token-portal", "admin_token": "token-admin", "tenant": "demo", "pids": [1, 2]}`, serverOf(ts).address)
	ts.Check(os.WriteFile(path, []byte(text), 0o600))
}

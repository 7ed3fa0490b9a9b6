package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/postgrestest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// TestProcess: whatever becomes of cmd/sandbox, nothing that it started is left.
func TestProcess(t *testing.T) {
	needs(t)
	t.Run("CtrlC", func(t *testing.T) {
		p := start(t)
		second := launchIn(t, p.dir)
		if err := second.cmd.Wait(); err == nil || !strings.Contains(second.out.String(), "runs already") {
			t.Errorf("a second one in the same directory ended with %v:\n%s", err, second.out)
		}

		p.signal(t, syscall.SIGINT)

		if err := p.cmd.Wait(); err != nil {
			t.Errorf("it ended with %v:\n%s", err, p.out)
		}
		if !strings.Contains(p.out.String(), "Ending everything") {
			t.Errorf("it said:\n%s", p.out)
		}
		p.nothingIsLeft(t)
		if _, err := os.Stat(filepath.Join(p.dir, "sandbox.json")); err == nil {
			t.Error("sandbox.json still tells where nothing is")
		}
	})

	t.Run("Killed", func(t *testing.T) {
		p := start(t)
		// Stopped processes do not see that their pipe has closed.
		for _, part := range []string{sandbox.Worker, sandbox.Temporal} {
			if err := syscall.Kill(p.pids[part], syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		}

		p.signal(t, syscall.SIGKILL)

		_ = p.cmd.Wait()
		p.nothingIsLeft(t)
	})

	t.Run("AStartThatFails", func(t *testing.T) {
		p := launchProcess(t, "--policies", `{"patience":"soon"}`)

		if err := p.cmd.Wait(); err == nil || !strings.Contains(p.out.String(), "DIALTONE_POLICIES") {
			t.Errorf("it ended with %v:\n%s", err, p.out)
		}
		p.nothingIsLeft(t)
	})
}

// startPatience is for a start that builds everything, on a machine that does other things.
const startPatience = 5 * time.Minute

// sandboxProcess is cmd/sandbox as people run it.
type sandboxProcess struct {
	cmd  *exec.Cmd
	dir  string
	out  *lockedBuffer
	pids map[string]int
}

func launchProcess(t *testing.T, args ...string) *sandboxProcess {
	t.Helper()
	dir, err := os.MkdirTemp("", "dialtone-sandbox-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := postgrestest.Remove(filepath.Join(dir, "postgres")); err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return launchIn(t, dir, args...)
}

// built makes cmd/sandbox, once, beside the other programs.
var built = sync.OnceValues(func() (string, error) {
	program, err := filepath.Abs("../../.local/bin/sandbox")
	if err != nil {
		return "", err
	}
	if said, err := exec.Command("go", "build", "-o", program, "../../cmd/sandbox").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build cmd/sandbox: %w: %s", err, said)
	}
	return program, nil
})

func launchIn(t *testing.T, dir string, args ...string) *sandboxProcess {
	t.Helper()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	p := &sandboxProcess{dir: dir, out: new(lockedBuffer)}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), program, append([]string{"--dir", dir}, args...)...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = environ(), p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	return p
}

// start returns when everything runs.
func start(t *testing.T) *sandboxProcess {
	t.Helper()
	p := launchProcess(t)
	ctx, cancel := context.WithTimeout(t.Context(), startPatience)
	defer cancel()
	if !p.out.await(ctx, "It runs until Ctrl-C") {
		t.Fatalf("the sandbox does not come up:\n%s", p.out)
	}
	text, err := os.ReadFile(filepath.Join(p.dir, "sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	var at sandbox.Addresses
	if err := json.Unmarshal(text, &at); err != nil {
		t.Fatal(err)
	}
	if len(at.PIDs) != 6 {
		t.Fatalf("it runs %v", at.PIDs)
	}
	p.pids = at.PIDs
	return p
}

func (p *sandboxProcess) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// nothingIsLeft waits for the watchdog, which holds the lock until it is done, and then looks
// for whatever names the sandbox's directory.
func (p *sandboxProcess) nothingIsLeft(t *testing.T) {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(p.dir, "sandbox.lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	for name, pid := range p.pids {
		await(t, name+" is gone", func() bool { return gone(pid) })
	}
	await(t, "nothing names "+p.dir, func() bool { return len(named(p.dir)) == 0 })
}

// gone says that a process has ended. One that nobody has buried yet counts.
func gone(pid int) bool {
	if err := syscall.Kill(pid, 0); err != nil {
		return true
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	return err == nil && regexp.MustCompile(`State:\s+Z`).Match(status)
}

// named lists the processes whose command line or environment names the directory. Where
// there is no /proc, it finds none.
func named(dir string) []string {
	var found []string
	places, _ := filepath.Glob("/proc/[0-9]*")
	for _, place := range places {
		for _, file := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(filepath.Join(place, file))
			if err == nil && bytes.Contains(text, []byte(dir)) && place != "/proc/"+strconv.Itoa(os.Getpid()) {
				found = append(found, place)
			}
		}
	}
	return found
}

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bundle is a part that is a shell script, and who looks after it.
type bundle struct {
	*process

	watchdog *watchdog
	dir      string
}

// supervised runs a script as a part that is ready when the file "up" is there.
func supervised(t *testing.T, script string) bundle {
	t.Helper()
	dir := t.TempDir()
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := startWatchdog(lock)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ncd "+dir+"\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := newProcess(part{
		name: "script", path: program, env: []string{"PATH=/usr/bin:/bin"}, log: filepath.Join(dir, "log"),
		ready: func(context.Context) error {
			_, err := os.Stat(filepath.Join(dir, "up"))
			return err
		},
	}, w, func() {})
	t.Cleanup(func() {
		if err := errors.Join(p.stop(), w.dismiss(), lock.Close()); err != nil {
			t.Error(err)
		}
	})
	return bundle{p, w, dir}
}

// lasting is a script that says how often it was begun, and ends with its input.
const lasting = `echo begun >>lives; touch up; while read -r line; do :; done; echo ended >>lives`

func (b bundle) lives(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "lives"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

func TestProcess_EndsWhenItsInputCloses(t *testing.T) {
	t.Parallel()
	b := supervised(t, lasting)
	if err := b.awaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}

	if err := b.stop(); err != nil {
		t.Fatal(err)
	}

	if got := b.lives(t); got != "begun ended" {
		t.Errorf("its lives: %s", got)
	}
}

func TestProcess_IsStartedAgainWhenItDies(t *testing.T) {
	t.Parallel()
	b := supervised(t, lasting)
	if err := b.awaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := b.pid()
	_ = os.Remove(filepath.Join(b.dir, "up"))

	if err := b.signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}

	if err := b.awaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.pid() == first {
		t.Error("it is the same process")
	}
}

func TestProcess_StaysDownAfterKill(t *testing.T) {
	t.Parallel()
	b := supervised(t, lasting)
	if err := b.awaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.kill(); err != nil {
		t.Fatal(err)
	}
	if pid := b.pid(); pid != 0 && alive(pid) {
		t.Error("it still runs")
	}
	_ = os.Remove(filepath.Join(b.dir, "up"))

	if err := b.restart(t.Context()); err != nil {
		t.Fatal(err)
	}

	if got := b.lives(t); got != "begun begun" {
		t.Errorf("its lives: %s", got)
	}
}

func TestProcess_ThatDoesNotStayUp(t *testing.T) {
	t.Parallel()
	b := supervised(t, `echo "no such thing" >&2; exit 1`)

	err := b.awaitReady(t.Context())

	if err == nil || !strings.Contains(err.Error(), "does not stay up") || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("got %v", err)
	}
}

// TestWatchdog ends what is left when the sandbox is gone, be it stopped and deaf to signals.
func TestWatchdog(t *testing.T) {
	t.Parallel()
	b := supervised(t, lasting)
	if err := b.awaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := b.current()
	if err := b.signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	b.want(false)

	if err := b.watchdog.pipe.Close(); err != nil {
		t.Fatal(err)
	}

	select {
	case <-r.done:
	case <-time.After(killPatience + endPatience):
		t.Error("the watchdog left a process behind")
	}
}

// TestState is read back as it was kept, by its owner alone.
func TestState(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.json")
	made, err := loadState(path)
	if err != nil {
		t.Fatal(err)
	}
	made.Tenants["demo"] = tenantTokens{Billing: "b"}
	if err := made.save(); err != nil {
		t.Fatal(err)
	}

	read, err := loadState(path)
	if err != nil {
		t.Fatal(err)
	}

	if fmt.Sprint(*read) != fmt.Sprint(*made) {
		t.Errorf("read %v, kept %v", read, made)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// orphanPatience is how long the server of a process that was killed may take to end.
const orphanPatience = 10 * time.Second

// postmasterFile is Postgres's own: line 1 is the process id, line 8 the state.
func postmasterFile(data string) string { return filepath.Join(data, "postmaster.pid") }

// clearLeftover says whether an earlier run left its postmaster.pid, and makes sure that
// the file does not stand in the way: it waits for an orphan that its watchdog is ending,
// and deletes the file where the process id now belongs to another program. The file of a
// process that is gone is left to Postgres, which looks for surviving backends first.
func clearLeftover(ctx context.Context, data string) (bool, error) {
	if !exists(postmasterFile(data)) {
		return false, nil
	}
	began := time.Now()
	for {
		pid, live := livePostmaster(data)
		if !live {
			break
		}
		if ctx.Err() != nil || time.Since(began) > orphanPatience {
			return true, fmt.Errorf("another server, process %d, runs on %s: stop it first", pid, data)
		}
		pause(ctx, pollInterval)
	}
	pid, err := postmasterPID(data)
	if err == nil && alive(pid) {
		if err := os.Remove(postmasterFile(data)); err != nil {
			return true, fmt.Errorf("remove a stale postmaster.pid: %w", err)
		}
	}
	return true, nil
}

// livePostmaster returns the process id of a server that runs on the data directory.
func livePostmaster(data string) (int, bool) {
	pid, err := postmasterPID(data)
	if err != nil || !alive(pid) {
		return 0, false
	}
	return pid, serves(pid, data)
}

// serves says whether a process is a server on the data directory. A server's working
// directory is its data directory; where there is no /proc to ask, its name must do.
func serves(pid int, data string) bool {
	if exists("/proc/self/cwd") {
		cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		resolved, resolveErr := filepath.EvalSymlinks(data)
		return err == nil && resolveErr == nil && cwd == resolved
	}
	name, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	return err != nil || strings.Contains(string(name), "postgres")
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

func postmasterPID(data string) (int, error) {
	lines, err := postmasterLines(data)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(lines[0])
	if err != nil || pid <= 0 {
		return 0, fmt.Errorf("no process id in postmaster.pid: %w", err)
	}
	return pid, nil
}

// saysReady believes the file only when this very process wrote it.
func saysReady(data string, pid int) bool {
	lines, err := postmasterLines(data)
	return err == nil && len(lines) >= 8 && lines[0] == strconv.Itoa(pid) && lines[7] == "ready"
}

func postmasterLines(data string) ([]string, error) {
	content, err := os.ReadFile(postmasterFile(data))
	if err != nil {
		return nil, fmt.Errorf("read postmaster.pid: %w", err)
	}
	lines := strings.Split(string(content), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines, nil
}

package postgrestest

import (
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
)

// watchdogScript waits for the end of its standard input, which comes when we close it or
// die, whatever killed us. Until then each line is news: "gone" that the server has ended,
// "keep" that the directory shall stay. Then it ends the server (fast, immediate, kill) and
// removes the directory, if one was named.
const watchdogScript = `
pid=$1 dir=$2
while read -r news; do
	case $news in gone) pid= ;; keep) dir= ;; esac
done
for signal in INT QUIT KILL; do
	tries=0
	test -n "$pid" && kill -s "$signal" "$pid" 2>/dev/null || break
	while test "$tries" -lt 100 && kill -0 "$pid" 2>/dev/null; do
		sleep 0.1
		tries=$((tries + 1))
	done
done
test -z "$dir" || rm -rf "$dir"
`

// watchdog is a process that outlives us just long enough to clean up. Parent-death
// signals would need Linux and would follow the thread that forked, not the process.
type watchdog struct {
	cmd *exec.Cmd

	mu   sync.Mutex // news and the end come from different goroutines
	pipe io.WriteCloser
}

func watchOver(pid int, h home) (*watchdog, error) {
	dir := ""
	if h.temporary {
		dir = h.root
	}
	cmd := exec.Command("/bin/sh", "-c", watchdogScript, "watchdog", strconv.Itoa(pid), dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make the watchdog's pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	return &watchdog{cmd: cmd, pipe: pipe}, nil
}

// serverGone keeps the watchdog from signalling a process id that may be another's by now.
func (w *watchdog) serverGone() { w.tell("gone\n") }

// keepDirectory says that the directory of a server that did not start is needed again.
func (w *watchdog) keepDirectory() { w.tell("keep\n") }

// tell ignores a watchdog that is gone: dismiss reports that.
func (w *watchdog) tell(news string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = io.WriteString(w.pipe, news)
}

// dismiss lets the watchdog do its last work and waits for it.
func (w *watchdog) dismiss() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.pipe.Close() // what matters is how the watchdog ends
	if err := w.cmd.Wait(); err != nil {
		return fmt.Errorf("the watchdog that cleans up: %w", err)
	}
	return nil
}

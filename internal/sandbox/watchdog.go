package sandbox

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
)

// watchdogScript waits for the end of its standard input, which comes when we close it or
// die, whatever killed us. Until then each line is news of a process group: "watch" or
// "forget". Then it ends the groups: those that are stopped go on, all are asked to end, and
// after ten seconds those that are left are killed.
const watchdogScript = `
groups=
while read -r news group; do
	others=
	for one in $groups; do test "$one" = "$group" || others="$others $one"; done
	groups=$others
	test "$news" = forget || groups="$groups $group"
done
for group in $groups; do
	kill -s CONT -- "-$group" 2>/dev/null
	kill -s TERM -- "-$group" 2>/dev/null
done
tries=0
while test "$tries" -lt 100; do
	left=
	for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && left="$left $group"; done
	groups=$left
	test -n "$groups" || exit 0
	sleep 0.1
	tries=$((tries + 1))
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
exit 0
`

// watchdog is a process that outlives us just long enough to clean up. Parent-death signals
// would need Linux, and follow the thread that forked rather than the process.
type watchdog struct {
	cmd *exec.Cmd

	mu   sync.Mutex // news comes from many goroutines
	pipe io.WriteCloser
}

// startWatchdog gives it the lock to hold, too.
func startWatchdog(lock *os.File) (*watchdog, error) {
	cmd := exec.Command("/bin/sh", "-c", watchdogScript)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.ExtraFiles = []*os.File{lock}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make the watchdog's pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	return &watchdog{cmd: cmd, pipe: pipe}, nil
}

// watch adds a process group, forget takes it away. A watchdog that is gone hears nothing:
// dismiss reports that.
func (w *watchdog) watch(group int)  { w.tell("watch", group) }
func (w *watchdog) forget(group int) { w.tell("forget", group) }

func (w *watchdog) tell(news string, group int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = io.WriteString(w.pipe, news+" "+strconv.Itoa(group)+"\n")
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

//go:build crashpoints

package crash

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// At names a moment, and what it is about, and obeys the orders for it.
func At(point string, about ...string) {
	dir := os.Getenv(Variable)
	if dir == "" {
		return
	}
	name := Name(point, about...)
	note(dir, name)
	for words := range len(about) + 1 {
		order := filepath.Join(dir, Name(point, about[:words]...))
		if os.Remove(order+Kill) == nil {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // it cannot fail
			select {}
		}
		if hold(order + Hold) {
			go note(dir, name+Hold) // it must not delay what comes next
		}
	}
}

// hold takes the order away and waits for its lock, and tells whether there was an order. It
// waits in the system, so that after the process was stopped it may go on before any timer has
// said how late it is.
func hold(order string) bool {
	file, err := os.Open(order)
	if err != nil {
		return false
	}
	defer file.Close()
	if os.Remove(order) != nil {
		return false
	}
	for errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH), syscall.EINTR) {
	}
	return true
}

// note writes a line that outlives the process. A line that is missing fails the test.
func note(dir, name string) {
	file, err := os.OpenFile(filepath.Join(dir, Passed), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return
	}
	defer file.Close()
	_, _ = file.WriteString(name + "\n")
}

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lockPatience is how long the processes of a sandbox that was killed may take to end: the
// watchdog gives them ten seconds before it ends them.
const lockPatience = 20 * time.Second

const pollInterval = 50 * time.Millisecond

// occupy keeps a second sandbox out of the directory. The file stays locked for as long as it
// is open anywhere: here, and in the watchdog, which closes it when nothing runs any more.
func occupy(ctx context.Context, c Config) (*os.File, error) {
	file, err := os.OpenFile(c.lockFile(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the sandbox's lock: %w", err)
	}
	if err := awaitLock(ctx, c, file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	note := []byte(strconv.Itoa(os.Getpid()) + "\n")
	if err := errors.Join(file.Truncate(0), writeAt(file, note)); err != nil {
		return nil, errors.Join(fmt.Errorf("note whose lock it is: %w", err), file.Close())
	}
	return file, nil
}

// awaitLock waits for what a killed sandbox left to end, and not at all for a living one.
func awaitLock(ctx context.Context, c Config, file *os.File) error {
	began, told := time.Now(), false
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("lock %s: %w", c.lockFile(), err)
		}
		if holder := lockHolder(c.lockFile()); holder != 0 && alive(holder) {
			return fmt.Errorf("a sandbox runs already in %s (process %d): use that one, or end it first", c.Dir, holder)
		}
		if time.Since(began) > lockPatience {
			return fmt.Errorf("what an earlier sandbox started in %s does not end: see `fuser %s`", c.Dir, c.lockFile())
		}
		if !told {
			c.tell("Waiting for the processes of an earlier sandbox to end.")
			told = true
		}
		if err := pause(ctx, pollInterval); err != nil {
			return err
		}
	}
}

func lockHolder(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

func writeAt(file *os.File, text []byte) error {
	_, err := file.WriteAt(text, 0)
	return err
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// pause waits, and says early when ctx ends.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

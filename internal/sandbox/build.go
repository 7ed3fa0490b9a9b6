package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// progressEvery is how often a long build says that it goes on.
const progressEvery = 15 * time.Second

// The programs.
const (
	serverName   = "server"
	workerName   = "worker"
	migrateName  = "migrate"
	cliName      = "dialtone"
	partnersName = "partners"
	temporalName = "temporal-server"
)

// build makes the programs. Go's cache makes it quick where nothing has changed.
func build(ctx context.Context, c Config, w *watchdog) error {
	lock, err := lockBuilds(c)
	if err != nil {
		return err
	}
	defer lock.Close()
	began := time.Now()
	folder := filepath.Dir(c.binary(serverName))
	args := []string{"build", "-o", folder + string(filepath.Separator)}
	if c.Tags != "" {
		args = append(args, "-tags="+c.Tags)
	}
	for _, name := range []string{serverName, workerName, migrateName, cliName, partnersName} {
		args = append(args, "./cmd/"+name)
	}
	if err := compile(ctx, c, w, args); err != nil {
		return fmt.Errorf("build our programs: %w", err)
	}
	c.tell("Built our programs into %s (%s).", c.shown(folder), seconds(began))
	if c.variable("TEMPORAL_ADDRESS") != "" || !stale(c) {
		return nil
	}
	began = time.Now()
	c.tell("Building the Temporal server. The first time this takes minutes, later ones nothing.")
	args = []string{"-C", filepath.Join("deploy", "temporal"), "build", "-v", "-ldflags=-s -w", "-o", c.binary(temporalName), "."}
	if err := compile(ctx, c, w, args); err != nil {
		return fmt.Errorf("build the Temporal server: %w", err)
	}
	c.tell("Built the Temporal server (%s).", seconds(began))
	return nil
}

// lockBuilds makes two sandboxes of one checkout build one after the other.
func lockBuilds(c Config) (*os.File, error) {
	if err := os.MkdirAll(c.binDir(), 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for programs: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(c.binDir(), ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock for builds: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for another build: %w", err), lock.Close())
	}
	return lock, nil
}

// stale says that the Temporal server is not there, or older than its sources. Asking Go
// would take seconds.
func stale(c Config) bool {
	built, err := os.Stat(c.binary(temporalName))
	if err != nil {
		return true
	}
	newer := false
	// A source that cannot be looked at is none that changed.
	_ = filepath.WalkDir(filepath.Join(c.Checkout, "deploy", "temporal"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		info, err := entry.Info()
		newer = newer || err == nil && info.ModTime().After(built.ModTime())
		return err
	})
	return newer
}

// compile runs Go, and says now and then that it goes on.
func compile(ctx context.Context, c Config, w *watchdog, args []string) error {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = c.Checkout, c.Environ
	said := &lineCounter{}
	cmd.Stdout, cmd.Stderr = said, said
	done := make(chan error, 1)
	go func() { done <- runWatched(ctx, w, cmd) }()

	began := time.Now()
	progress := time.NewTicker(progressEvery)
	defer progress.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%w:\n%s", err, said.text())
			}
			return nil
		case <-progress.C:
			c.tell("  still building: %s%s", seconds(began), said.progress())
		}
	}
}

// lineCounter keeps what Go says, and counts the packages that it names with -v.
type lineCounter struct {
	mu    sync.Mutex
	said  bytes.Buffer
	lines atomic.Int64
}

// Write keeps a piece.
func (l *lineCounter) Write(piece []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines.Add(int64(bytes.Count(piece, []byte("\n"))))
	return l.said.Write(piece)
}

func (l *lineCounter) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.TrimSpace(l.said.String())
}

func (l *lineCounter) progress() string {
	if n := l.lines.Load(); n > 0 {
		return fmt.Sprintf(", packages compiled: %d", n)
	}
	return ""
}

// seconds is the time since then, for people.
func seconds(began time.Time) string {
	return time.Since(began).Round(100 * time.Millisecond).String()
}

// shown is a path as people in the checkout would type it.
func (c Config) shown(path string) string {
	relative, err := filepath.Rel(c.Checkout, path)
	if err != nil || strings.HasPrefix(relative, "..") {
		return path
	}
	return relative
}

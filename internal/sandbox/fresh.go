package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// forget deletes what an earlier sandbox kept in its directory, and says what. The programs
// stay: they are made of the checkout alone, and the Temporal server costs minutes.
func forget(c Config) error {
	c.tell("Fresh: what an earlier sandbox kept is deleted. The programs in %s stay.", c.shown(c.binDir()))
	if err := removePostgres(c); err != nil {
		return err
	}
	for _, path := range []string{c.stateFile(), c.addressesFile(), c.partnersDir(), c.logDir()} {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("delete %s: %w", path, err)
		}
		c.tell("  deleted %s", c.shown(path))
	}
	return nil
}

// turnLogs puts the logs of the last time aside, so that today's are short.
func turnLogs(c Config) error {
	if err := os.MkdirAll(c.logDir(), 0o755); err != nil {
		return fmt.Errorf("make the folder for logs: %w", err)
	}
	logs, err := filepath.Glob(filepath.Join(c.logDir(), "*.log"))
	if err != nil {
		return fmt.Errorf("look for old logs: %w", err)
	}
	for _, log := range logs {
		if err := os.Rename(log, log+".old"); err != nil {
			return fmt.Errorf("put an old log aside: %w", err)
		}
	}
	return nil
}

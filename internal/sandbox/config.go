package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/dialtone/dialtone/internal/crash"
)

// Config says what sandbox to run. Its zero value is the checkout that the working directory
// is in, told to nobody.
type Config struct {
	// Checkout is the module's root. Empty: found from the working directory upwards.
	Checkout string
	// Dir holds all that the sandbox keeps but the binaries. Empty: .local in the checkout.
	Dir string
	// Fresh forgets what an earlier sandbox kept there.
	Fresh bool
	// Remote allows addresses of other machines in Environ.
	Remote bool
	// Tags are build tags of our programs. Those that have any are built into a directory of
	// their own.
	Tags string
	// Policies is DIALTONE_POLICIES: durations that new activations get instead of the
	// defaults. Empty: those of a rehearsal.
	Policies string
	// Environ is as os.Environ gives it: what is in it (DATABASE_URL, TEMPORAL_ADDRESS, a
	// partner's URL) is used instead of one of our own.
	Environ []string
	// Out takes the story of the start. Nil: nobody listens.
	Out io.Writer
}

// rehearsal looks after a port often, day and night: the pretend donors are quick, and work on
// Sundays. The carrier's events tell sooner, but for the ports of which it tells nothing.
const rehearsal = `{"port":{"always":true,"poll_first":"5s"}}`

// withDefaults fills in what was left empty.
func (c Config) withDefaults() (Config, error) {
	c.Out = cmp.Or[io.Writer](c.Out, io.Discard)
	c.Policies = cmp.Or(c.Policies, rehearsal)
	var err error
	if c.Checkout == "" {
		if c.Checkout, err = findCheckout(); err != nil {
			return Config{}, err
		}
	}
	if c.Checkout, err = filepath.Abs(c.Checkout); err != nil {
		return Config{}, fmt.Errorf("find the checkout: %w", err)
	}
	c.Dir = cmp.Or(c.Dir, filepath.Join(c.Checkout, ".local"))
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return Config{}, fmt.Errorf("find the sandbox's directory: %w", err)
	}
	return c, nil
}

// findCheckout looks for the root of this module, from the working directory upwards.
func findCheckout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the checkout: %w", err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/dialtone/dialtone\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("this is no checkout of Dialtone: go to one and run `go run ./cmd/sandbox` there")
		}
		dir = parent
	}
}

// variable is a value of Environ, empty when it is not set.
func (c Config) variable(name string) string {
	value := ""
	for _, entry := range c.Environ {
		if found, text, _ := strings.Cut(entry, "="); found == name {
			value = text // the last one counts, as in a process
		}
	}
	return strings.TrimSpace(value)
}

// inherited are the entries of Environ that every part gets, and those with one of the
// prefixes. The rest stays out: a part gets its settings from us alone.
func (c Config) inherited(prefixes ...string) []string {
	var entries []string
	for _, entry := range c.Environ {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" {
			continue
		}
		switch name {
		case "PATH", "HOME", "USER", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "LOG_LEVEL", "GOCOVERDIR", crash.Variable:
			entries = append(entries, entry)
			continue
		}
		for _, prefix := range prefixes {
			if strings.HasPrefix(name, prefix) {
				entries = append(entries, entry)
			}
		}
	}
	return entries
}

// Files and folders in Dir.
func (c Config) stateFile() string     { return filepath.Join(c.Dir, "state.json") }
func (c Config) addressesFile() string { return filepath.Join(c.Dir, "sandbox.json") }
func (c Config) lockFile() string      { return filepath.Join(c.Dir, "sandbox.lock") }
func (c Config) logDir() string        { return filepath.Join(c.Dir, "log") }
func (c Config) partnersDir() string   { return filepath.Join(c.Dir, "partners") }
func (c Config) postgresDir() string   { return filepath.Join(c.Dir, "postgres") }

// binary is where a program of ours is built to: in the checkout, for all its sandboxes.
func (c Config) binary(name string) string {
	if name == temporalName {
		return filepath.Join(c.binDir(), name)
	}
	return filepath.Join(c.binDir(), c.Tags, name)
}

func (c Config) binDir() string { return filepath.Join(c.Checkout, ".local", "bin") }

// tell says one line of the story.
func (c Config) tell(format string, args ...any) {
	fmt.Fprintf(c.Out, format+"\n", args...)
}

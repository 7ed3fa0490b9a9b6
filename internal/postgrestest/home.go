package postgrestest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// The names of directories that we make in the system's temporary directory.
const (
	temporaryPrefix = "dialtone-postgres-"
	elsewherePrefix = "dialtone-postgres-kept-"
)

// home is a cluster's directory. Beside the data directory, which is the server's, it has
// the password, the port, the log and a lock, which are ours.
type home struct {
	root string
	// temporary says that it goes when the cluster stops.
	temporary bool
}

func (h home) data() string         { return filepath.Join(h.root, "data") }
func (h home) passwordFile() string { return filepath.Join(h.root, "password") }
func (h home) portFile() string     { return filepath.Join(h.root, "port") }
func (h home) logFile() string      { return filepath.Join(h.root, "postgres.log") }

// homeNames are all the names that a home may hold.
func homeNames() []string {
	return []string{"data", "data.new", "elsewhere", "lock", "password", "port", "postgres.log", "postgres.log.old"}
}

// elsewhereFile is what a directory holds whose cluster had to be put somewhere else: the
// path of that place.
func elsewhereFile(dir string) string { return filepath.Join(dir, "elsewhere") }

// findHome returns the directory for the cluster, which the account can enter.
func findHome(config Config, a account) (home, error) {
	if config.Dir == "" {
		root, err := makeTemporary(a, temporaryPrefix)
		return home{root: root, temporary: true}, err
	}
	dir, err := filepath.Abs(config.Dir)
	if err != nil {
		return home{}, fmt.Errorf("find %s: %w", config.Dir, err)
	}
	h, err := existingHome(dir)
	if err != nil || h.root != dir {
		return h, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return home{}, fmt.Errorf("make the cluster's directory: %w", err)
	}
	if err := a.letIn(dir); err != nil {
		return home{}, err
	}
	if a.canEnter(dir) {
		return h, nil
	}
	return settleElsewhere(dir, a, config)
}

// settleElsewhere puts the cluster into the system's temporary directory and leaves a note.
func settleElsewhere(dir string, a account, config Config) (home, error) {
	root, err := makeTemporary(a, elsewherePrefix)
	if err != nil {
		return home{}, err
	}
	if err := os.WriteFile(elsewhereFile(dir), []byte(root+"\n"), 0o600); err != nil {
		return home{}, errors.Join(fmt.Errorf("note where the cluster lives: %w", err), os.Remove(root))
	}
	fmt.Fprintf(config.Log, "user %s cannot enter %s: the cluster lives in %s\n", a.name, dir, root)
	return home{root: root}, nil
}

// existingHome returns where the cluster for dir, an absolute path, lives or would live:
// dir itself, or the place that a note in it names. It refuses a dir with other things in it.
func existingHome(dir string) (home, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return home{}, fmt.Errorf("look into the cluster's directory: %w", err)
	}
	for _, entry := range entries {
		if !slices.Contains(homeNames(), entry.Name()) {
			return home{}, fmt.Errorf("%s holds other things than a cluster, such as %s: choose another directory, or delete it", dir, entry.Name())
		}
	}
	note, err := os.ReadFile(elsewhereFile(dir))
	if root := strings.TrimSpace(string(note)); err == nil && ours(root) {
		return home{root: root}, nil
	}
	return home{root: dir}, nil
}

// ours says that a directory in the system's temporary directory, where everybody may make
// some, is one that we made.
func ours(root string) bool {
	info, err := os.Lstat(root)
	if err != nil || !info.IsDir() || !strings.HasPrefix(filepath.Base(root), elsewherePrefix) {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid()
}

// makeTemporary makes a directory that the account can enter. /tmp and /var/tmp come last,
// for a TMPDIR that is private to us.
func makeTemporary(a account, prefix string) (string, error) {
	for _, parent := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		root, err := os.MkdirTemp(parent, prefix)
		if err != nil {
			continue
		}
		if a.letIn(root) == nil && a.canEnter(root) {
			return root, nil
		}
		if err := os.Remove(root); err != nil {
			return "", fmt.Errorf("remove a directory that user %s cannot enter: %w", a.name, err)
		}
	}
	return "", fmt.Errorf("no temporary directory can be made that the server's user %s can enter", a.name)
}

// letIn lets another user pass through a directory of ours, without seeing what is in it.
func (a account) letIn(dir string) error {
	if !a.other() {
		return nil
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		return fmt.Errorf("let user %s enter %s: %w", a.name, dir, err)
	}
	return nil
}

// occupy keeps a second process, or a second Start, out of the directory for as long as
// the file stays open.
func (h home) occupy() (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(h.root, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the cluster's lock: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("the cluster in %s is in use by another process: stop that one first", h.root), lock.Close())
	}
	return lock, nil
}

// major is the version of the data directory, empty where there is none yet.
func (h home) major() (string, error) {
	version, err := os.ReadFile(filepath.Join(h.data(), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the cluster's version: %w", err)
	}
	return strings.TrimSpace(string(version)), nil
}

// passwordFor returns the superuser's password, which the first start chooses. The file is
// the account's, since initdb reads it.
func (h home) passwordFor(a account) (string, error) {
	kept, err := os.ReadFile(h.passwordFile())
	if err == nil && len(kept) > 0 {
		return strings.TrimSpace(string(kept)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the cluster's password: %w", err)
	}
	if exists(h.data()) {
		return "", fmt.Errorf("the password of the cluster in %s is lost: delete that directory", h.root)
	}
	password := rand.Text()
	if err := os.WriteFile(h.passwordFile(), []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the cluster's password: %w", err)
	}
	return password, a.own(h.passwordFile())
}

// lastPort is the port of the last run, 0 when there was none.
func (h home) lastPort() int {
	kept, err := os.ReadFile(h.portFile())
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(kept)))
	if err != nil {
		return 0
	}
	return port
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

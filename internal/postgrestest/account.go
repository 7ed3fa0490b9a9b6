package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is whom the server runs as. Its zero value is ourselves.
type account struct {
	name       string
	credential *syscall.Credential
}

// serverAccount chooses ourselves, unless we are root, whom Postgres refuses.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if known, err := user.Lookup(name); err == nil {
			return newAccount(known)
		}
	}
	return account{}, errors.New("running as root, which Postgres refuses, and there is no user postgres or nobody: add one, or run as another user")
}

func newAccount(u *user.User) (account, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user id of %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("group id of %s: %w", u.Username, err)
	}
	return account{name: u.Username, credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

// other says that the server runs as somebody else than ourselves.
func (a account) other() bool { return a.credential != nil }

// command prepares a program that runs in dir as the account, in a process group of its
// own: what is typed at the terminal is for us, not for the server. Its environment is
// fixed, since variables such as PGPORT or LC_ALL change what Postgres does.
func (a account) command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=/usr/local/bin:/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: a.credential}
	return cmd
}

// own gives a file or directory of ours to the account.
func (a account) own(path string) error {
	if !a.other() {
		return nil
	}
	if err := os.Chown(path, int(a.credential.Uid), int(a.credential.Gid)); err != nil {
		return fmt.Errorf("give %s to user %s: %w", path, a.name, err)
	}
	return nil
}

// canEnter tries it, because modes, lists and mounts on the way all have a say.
func (a account) canEnter(dir string) bool {
	return a.command(context.Background(), dir, "/bin/sh", "-c", ":").Run() == nil
}

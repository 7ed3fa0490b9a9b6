// Package postgrestest runs a private Postgres made with the machine's own binaries, for
// tests and for the sandbox. It needs no container engine and touches no server that is
// already there.
//
// A cluster listens on 127.0.0.1 only, on a port of its own, and asks for a password. It
// ends with the process that started it, however that process ends: a watchdog (a shell
// that waits for the end of a pipe) stops the server and removes a temporary directory.
//
// The package is no part of the product: only tests, storetest and the sandbox link it.
package postgrestest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// The bounds of a start and of a stop.
const (
	startTimeout      = time.Minute
	fastPatience      = 10 * time.Second
	immediatePatience = 5 * time.Second
	killPatience      = 5 * time.Second
)

const maxConnectionsDefault = 100

// Config says what cluster to run. Its zero value is a temporary cluster that trades
// durability for speed: what tests want.
type Config struct {
	// Dir is where the cluster lives. A cluster that is there already is started again,
	// with the same password and, when it is free, on the same port. Empty means a
	// temporary directory, removed by Stop. A directory with other things in it is refused.
	Dir string
	// Fsync makes a commit durable before it is answered. Without it, commits are faster
	// and the last ones are lost when the server is killed, all when the machine dies.
	Fsync bool
	// MaxConnections bounds the server's connections; 0 means 100.
	MaxConnections int
	// Log receives what the server logs, and where the cluster lives if not in Dir. It is
	// kept in the cluster's directory too, in postgres.log.
	Log io.Writer
}

// Cluster is a running Postgres. It is safe for concurrent use.
type Cluster struct {
	config   Config
	account  account
	home     home
	lock     *os.File
	binaries binaries
	password string
	port     int

	server *server

	stopOnce sync.Once
	stopErr  error
}

// Start makes the cluster if need be and returns once it accepts connections. ctx bounds
// the start alone (at most a minute): afterwards only Stop, or the end of this process,
// ends the cluster.
//
// As root it runs the server as the user postgres, else nobody, since Postgres refuses
// root. Where that user cannot enter Config.Dir, the cluster lives in the system's
// temporary directory, Dir says where, and the next Start with the same Config.Dir finds
// it again. It fails with ErrNotInstalled, in one line that says what to install, where
// there is no Postgres.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	config.MaxConnections = cmp.Or(config.MaxConnections, maxConnectionsDefault)
	config.Log = cmp.Or[io.Writer](config.Log, io.Discard)

	c := &Cluster{config: config}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.abandon())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) (err error) {
	if c.account, err = serverAccount(); err != nil {
		return err
	}
	if c.home, err = findHome(c.config, c.account); err != nil {
		return err
	}
	if c.lock, err = c.home.occupy(); err != nil {
		return err
	}
	major, err := c.home.major()
	if err != nil {
		return err
	}
	if c.binaries, err = findBinaries(ctx, c.account, major); err != nil {
		return err
	}
	if c.password, err = c.home.passwordFor(c.account); err != nil {
		return err
	}
	if major == "" {
		if err := c.initialize(ctx); err != nil {
			return err
		}
	}
	return c.serve(ctx)
}

// initialize makes the data directory under another name first, so that a half-made one
// is never taken for a cluster.
func (c *Cluster) initialize(ctx context.Context) error {
	fresh := c.home.data() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove a half-made cluster: %w", err)
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	if err := c.account.own(fresh); err != nil {
		return err
	}
	args := []string{
		"--pgdata=" + fresh, "--username=postgres", "--pwfile=" + c.home.passwordFile(),
		"--auth=scram-sha-256", "--encoding=UTF8", "--no-locale",
	}
	if !c.config.Fsync {
		args = append(args, "--no-sync")
	}
	said, err := c.account.command(ctx, fresh, c.binaries.initdb, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLines(said))
	}
	if err := os.Rename(fresh, c.home.data()); err != nil {
		return fmt.Errorf("put the data directory in its place: %w", err)
	}
	return nil
}

// abandon undoes a start that failed.
func (c *Cluster) abandon() error {
	var err error
	if c.home.temporary {
		err = os.RemoveAll(c.home.root)
	}
	if c.lock != nil {
		err = errors.Join(err, c.lock.Close())
	}
	return err
}

// Dir is where the cluster lives, which is not Config.Dir where the server's user could
// not enter that.
func (c *Cluster) Dir() string { return c.home.root }

// PID is the process id of the server, for tests that kill it.
func (c *Cluster) PID() int { return c.server.cmd.Process.Pid }

// Done is closed when the server has ended, by Stop or by itself.
func (c *Cluster) Done() <-chan struct{} { return c.server.done }

// URL connects to the database as the superuser postgres.
func (c *Cluster) URL(database string) string {
	return c.UserURL("postgres", c.password, database)
}

// UserURL connects to the database as the user, whom the caller has made.
func (c *Cluster) UserURL(user, password, database string) string {
	address := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return address.String()
}

// Stop ends the server, cutting off its clients, waits until it is gone and removes a
// temporary cluster's directory. It may be called more than once, also when the server
// has died.
func (c *Cluster) Stop() error {
	c.stopOnce.Do(func() {
		c.stopErr = errors.Join(c.server.end(), c.lock.Close())
	})
	return c.stopErr
}

// Remove deletes the cluster that Start made for dir, wherever it lives, and dir itself.
// No cluster there is no error; a running one, or a directory that holds something else,
// is refused.
func Remove(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	h, err := existingHome(dir)
	if err != nil || !exists(h.root) {
		return err
	}
	lock, err := h.occupy()
	if err != nil {
		return err
	}
	defer lock.Close()
	if pid, live := livePostmaster(h.data()); live {
		return fmt.Errorf("remove the cluster in %s: its server still runs, process %d", h.root, pid)
	}
	return errors.Join(os.RemoveAll(h.root), os.RemoveAll(dir))
}

// ending is one way to ask the server to go, and how long to wait for it.
type ending struct {
	signal   syscall.Signal
	patience time.Duration
}

// endings are Postgres's fast shutdown, its immediate one, and the end of all argument.
func endings() []ending {
	return []ending{
		{syscall.SIGINT, fastPatience},
		{syscall.SIGQUIT, immediatePatience},
		{syscall.SIGKILL, killPatience},
	}
}

package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	pollInterval = 5 * time.Millisecond
	retryPause   = 100 * time.Millisecond
	// leftoverPatience is how long the backends of a killed server may take to notice and
	// to let go of its memory.
	leftoverPatience = 10 * time.Second
	portTries        = 10
)

// errPortTaken means that somebody else took the port between our choice and the server's
// bind.
var errPortTaken = errors.New("the port was taken by another program")

// server is one run of postgres, and its watchdog.
type server struct {
	cmd      *exec.Cmd
	watchdog *watchdog
	log      *os.File
	// done is closed when the process has ended; exit is valid from then on.
	done chan struct{}
	exit error
}

// serve starts the server, again where another program was faster at the port and where a
// killed predecessor is not quite gone.
func (c *Cluster) serve(ctx context.Context) error {
	leftover, err := clearLeftover(ctx, c.home.data())
	if err != nil {
		return err
	}
	began := time.Now()
	c.port = c.home.lastPort()
	for tries := 0; ; {
		err := c.launch(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errPortTaken) && tries < portTries:
			tries++
			c.port = 0
		case leftover && ctx.Err() == nil && time.Since(began) < leftoverPatience:
			pause(ctx, retryPause)
		default:
			return err
		}
	}
}

func (c *Cluster) launch(ctx context.Context) error {
	if err := c.choosePort(); err != nil {
		return err
	}
	s, err := c.spawn()
	if err != nil {
		return err
	}
	if err := c.awaitReady(ctx, s); err != nil {
		s.watchdog.keepDirectory()
		return errors.Join(err, s.end())
	}
	c.server = s
	return nil
}

// spawn starts the process and whatever must watch over it.
func (c *Cluster) spawn() (*server, error) {
	log, err := c.openLog()
	if err != nil {
		return nil, err
	}
	cmd := c.account.command(context.Background(), c.home.data(), c.binaries.postgres, c.settings()...)
	cmd.Stdout, cmd.Stderr = log, log
	if c.config.Log != io.Discard {
		both := io.MultiWriter(log, c.config.Log)
		cmd.Stdout, cmd.Stderr = both, both
	}
	cmd.WaitDelay = retryPause
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start postgres: %w", err), log.Close())
	}
	s := &server{cmd: cmd, log: log, done: make(chan struct{})}
	s.watchdog, err = watchOver(cmd.Process.Pid, c.home)
	if err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait(), log.Close())
	}
	go func() {
		s.exit = cmd.Wait()
		s.watchdog.serverGone()
		close(s.done)
	}()
	return s, nil
}

// settings go on the command line, so that an existing cluster gets them too.
func (c *Cluster) settings() []string {
	settings := []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(c.port),
		"unix_socket_directories=",
		"max_connections=" + strconv.Itoa(c.config.MaxConnections),
		"password_encryption=scram-sha-256",
		"timezone=UTC",
		"log_timezone=UTC",
		"lc_messages=C",
	}
	if !c.config.Fsync {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	args := []string{"-D", c.home.data()}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

// openLog keeps the log of the run before, which may say why it ended.
func (c *Cluster) openLog() (*os.File, error) {
	path := c.home.logFile()
	if exists(path) {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, fmt.Errorf("put the old log away: %w", err)
		}
	}
	log, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	return log, nil
}

// awaitReady waits for the server's own word in postmaster.pid, as pg_ctl does, and then
// tries the password.
func (c *Cluster) awaitReady(ctx context.Context, s *server) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !saysReady(c.home.data(), s.cmd.Process.Pid) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for postgres to be ready: %w: %s", ctx.Err(), c.lastLog())
		case <-s.done:
			if !canListen(c.port) {
				return errPortTaken
			}
			return fmt.Errorf("postgres ended at once: %w: %s", s.exit, c.lastLog())
		case <-tick.C:
		}
	}
	conn, err := pgconn.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the cluster in %s: %w", c.home.root, err)
	}
	return conn.Close(ctx)
}

// end asks the server to go, more and more firmly, and waits for the watchdog to clean up.
func (s *server) end() error {
	defer s.log.Close()
	for _, e := range endings() {
		_ = s.cmd.Process.Signal(e.signal) // it may have gone already
		select {
		case <-s.done:
			return s.watchdog.dismiss()
		case <-time.After(e.patience):
		}
	}
	return fmt.Errorf("postgres, process %d, does not end", s.cmd.Process.Pid)
}

func (c *Cluster) lastLog() string {
	said, err := os.ReadFile(c.home.logFile())
	if err != nil {
		return "and its log cannot be read"
	}
	return lastLines(said)
}

// lastLines makes one line of the last few that a program said.
func lastLines(said []byte) string {
	lines := strings.Split(string(bytes.TrimSpace(said)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

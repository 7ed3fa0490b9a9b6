package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"

	"github.com/dialtone/dialtone/internal/postgrestest"
	"github.com/dialtone/dialtone/internal/sandbox"
	"github.com/dialtone/dialtone/internal/store"
)

// stand is what is measured, and what it is measured with.
type stand struct {
	env      environment
	dir      string
	postgres *postgrestest.Cluster
	sandbox  *sandbox.Sandbox
	// billing is a connection to the front, as billing has it.
	billing *grpc.ClientConn
	// record is Dialtone's database, opened as server and worker do.
	record *store.DB
	engine client.Client
	// scratch is a database of ours on the same Postgres, for floors.
	scratch string
	floor   *floorServer
	bare    *bareEngine
	machine machine
	closers []func() error
}

// maxConnections is for Temporal's pools, three of Dialtone's and ours.
const maxConnections = 300

var errFloor = errors.New("a floor's server was started as though it were the bench")

// newStand starts everything, and nothing stays when that fails.
func newStand(ctx context.Context, env environment) (_ *stand, err error) {
	if slices.Contains(env.environ, floorMark) {
		return nil, errFloor
	}
	s := &stand{env: env}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	for _, start := range []func(context.Context) error{
		s.startPostgres, s.lookAround, s.startSandbox, s.connect, s.startFloors,
	} {
		if err := start(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// later is done when the stand is closed, the last one first.
func (s *stand) later(what func() error) { s.closers = append(s.closers, what) }

func (s *stand) close() error {
	var errs []error
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		errs = append(errs, s.closers[last]())
		s.closers = s.closers[:last]
	}
	return errors.Join(errs...)
}

func (s *stand) tell(format string, args ...any) {
	fmt.Fprintf(s.env.story, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// startPostgres runs a Postgres of our own, which keeps what it has answered.
func (s *stand) startPostgres(ctx context.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "dialtone-bench-"); err != nil {
		return fmt.Errorf("make a directory for the run: %w", err)
	}
	s.later(func() error { return os.RemoveAll(s.dir) })
	s.tell("starting Postgres, with fsync")
	s.postgres, err = postgrestest.Start(ctx, postgrestest.Config{Fsync: true, MaxConnections: maxConnections})
	if err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	s.later(s.postgres.Stop)
	s.scratch = s.postgres.URL("postgres")
	return nil
}

// startSandbox runs Dialtone, Temporal and the pretend partners on that Postgres. What the
// environment says about other ones is not for us.
func (s *stand) startSandbox(ctx context.Context) (err error) {
	s.tell("starting Temporal, Dialtone and the pretend partners")
	environ := []string{"DATABASE_URL=" + s.scratch}
	for _, entry := range s.env.environ {
		switch name, _, _ := strings.Cut(entry, "="); {
		case strings.HasPrefix(name, "GO"), name == "PATH", name == "HOME", name == "TMPDIR", name == "XDG_CACHE_HOME":
			environ = append(environ, entry)
		}
	}
	s.sandbox, err = sandbox.Start(ctx, sandbox.Config{Dir: filepath.Join(s.dir, "sandbox"), Environ: environ})
	if err != nil {
		return fmt.Errorf("start the sandbox: %w", err)
	}
	s.later(s.sandbox.Stop)
	return nil
}

func (s *stand) connect(ctx context.Context) (err error) {
	at := s.sandbox.Addresses()
	if s.billing, err = s.sandbox.Connect(); err != nil {
		return err
	}
	s.later(s.billing.Close)
	if s.record, err = store.Open(ctx, store.Config{URL: at.DatabaseURL, Sealer: noSealer{}}); err != nil {
		return err
	}
	s.later(func() error { s.record.Close(); return nil })
	s.engine, err = client.DialContext(ctx, client.Options{HostPort: at.TemporalAddress, Logger: silence{}})
	if err != nil {
		return fmt.Errorf("connect to Temporal: %w", err)
	}
	s.later(func() error { s.engine.Close(); return nil })
	return nil
}

// startFloors starts what the floors are measured with.
func (s *stand) startFloors(ctx context.Context) (err error) {
	if err := makeScratch(ctx, s.scratch); err != nil {
		return err
	}
	if s.floor, err = startFloorServer(ctx, s.scratch); err != nil {
		return err
	}
	s.later(s.floor.stop)
	if s.bare, err = startBareEngine(s.engine); err != nil {
		return err
	}
	s.later(func() error { s.bare.stop(); return nil })
	return nil
}

// switchOff ends worker and Temporal, so that nothing works on what is launched from now on.
func switchOff(_ context.Context, s *stand) ([]row, error) {
	s.bare.stop()
	return nil, errors.Join(s.sandbox.Kill(sandbox.Worker), s.sandbox.Kill(sandbox.Temporal))
}

// silence is a logger for the engine's client, whose complaints about an engine that was
// switched off are no news.
type silence struct{}

// Debug says nothing.
func (silence) Debug(string, ...any) {}

// Info says nothing.
func (silence) Info(string, ...any) {}

// Warn says nothing.
func (silence) Warn(string, ...any) {}

// Error says nothing.
func (silence) Error(string, ...any) {}

// noSealer stands where a record that seals would have its keys: the bench seals nothing.
type noSealer struct{}

var errNoKeys = errors.New("the bench has no keys")

// Seal refuses.
func (noSealer) Seal([]byte, ...string) ([]byte, error) { return nil, errNoKeys }

// Open refuses.
func (noSealer) Open([]byte, ...string) ([]byte, error) { return nil, errNoKeys }

// Digest is like no other.
func (noSealer) Digest(string, ...string) []byte { return nil }

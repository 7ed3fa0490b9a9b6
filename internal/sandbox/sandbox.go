package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// Sandbox is a running one. It is safe for concurrent use.
type Sandbox struct {
	settings  settings
	began     time.Time
	lock      *os.File
	watchdog  *watchdog
	processes map[string]*process
	// subscription is one on which an activation can be launched.
	subscription string

	mu        sync.Mutex
	published bool

	stopOnce sync.Once
	stopErr  error
}

// Start runs everything and returns when it answers. ctx bounds the start alone: afterwards
// only Stop, or the end of this process, ends the sandbox. After a failed start nothing runs.
func Start(ctx context.Context, config Config) (*Sandbox, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := guard(config); err != nil {
		return nil, err
	}
	s := &Sandbox{settings: settings{config: config}, began: time.Now(), processes: make(map[string]*process)}
	for _, step := range []func(context.Context) error{
		s.settleIn, s.build, s.startPostgres, s.startOthers, s.startOurs, s.populate,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(orInterrupted(ctx, err), s.Stop())
		}
	}
	return s, nil
}

// ErrInterrupted says that somebody ended the start, or a journey, before it was done.
var ErrInterrupted = errors.New("interrupted")

// orInterrupted gives the cause behind all that fails once ctx has ended.
func orInterrupted(ctx context.Context, err error) error {
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return ErrInterrupted
	}
	return err
}

// settleIn takes the directory, and forgets or takes up what is in it.
func (s *Sandbox) settleIn(ctx context.Context) error {
	c := s.settings.config
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return fmt.Errorf("make the sandbox's directory: %w", err)
	}
	var err error
	if s.lock, err = occupy(ctx, c); err != nil {
		return err
	}
	if s.watchdog, err = startWatchdog(s.lock); err != nil {
		return err
	}
	if err := s.withdraw(); err != nil {
		return err
	}
	if c.Fresh {
		if err := forget(c); err != nil {
			return err
		}
	}
	if err := turnLogs(c); err != nil {
		return err
	}
	if s.settings.state, err = loadState(c.stateFile()); err != nil {
		return err
	}
	if s.settings.ports, err = claimPorts(s.settings.state.Ports); err != nil {
		return err
	}
	s.settings.state.Ports = s.settings.ports.numbers
	// Nothing listens there yet, and a held port would keep a browser waiting.
	return errors.Join(s.settings.ports.release(portPortal), s.settings.state.save())
}

func (s *Sandbox) build(ctx context.Context) error { return build(ctx, s.settings.config, s.watchdog) }

// startPostgres runs Postgres with the databases, those of the last time or new ones.
func (s *Sandbox) startPostgres(ctx context.Context) error {
	began := time.Now()
	var err error
	if s.settings.postgres, err = startPostgres(ctx, s.settings.config, s.republish); err != nil {
		return err
	}
	if s.settings.config.Fresh && s.settings.postgres.own() == nil {
		if err := dropDatabases(ctx, s.settings.postgres); err != nil {
			return err
		}
	}
	if err := prepareDatabases(ctx, s.settings.postgres, s.settings.state); err != nil {
		return err
	}
	s.settings.config.tell("Postgres answers (%s).", seconds(began))
	return nil
}

// startOthers runs what is not ours in the real world: the partners and Temporal.
func (s *Sandbox) startOthers(ctx context.Context) error {
	began := time.Now()
	s.run(s.settings.partnersPart())
	if s.settings.ownTemporal() {
		s.run(s.settings.temporalPart())
	}
	for _, name := range []string{Partners, Temporal} {
		if p := s.processes[name]; p != nil {
			if err := p.awaitReady(ctx); err != nil {
				return err
			}
		}
	}
	s.settings.config.tell("Temporal and the pretend partners answer (%s).", seconds(began))
	return nil
}

// startOurs makes the installation and runs server and worker.
func (s *Sandbox) startOurs(ctx context.Context) error {
	began := time.Now()
	if err := migrate(ctx, s.settings, s.watchdog); err != nil {
		return err
	}
	s.run(s.settings.serverPart())
	s.run(s.settings.workerPart())
	for _, name := range []string{Server, Worker} {
		if err := s.processes[name].awaitReady(ctx); err != nil {
			return err
		}
	}
	s.settings.config.tell("Schema, namespace, server and worker are ready (%s).", seconds(began))
	return nil
}

func (s *Sandbox) run(p part) { s.processes[p.name] = newProcess(p, s.watchdog, s.republish) }

// populate makes the tenants, their tokens and a pending subscription.
func (s *Sandbox) populate(ctx context.Context) error {
	if err := makeTenants(ctx, s.settings, s.watchdog); err != nil {
		return err
	}
	connection, err := s.Connect()
	if err != nil {
		return err
	}
	defer connection.Close()
	if s.subscription, err = ensurePending(ctx, connection); err != nil {
		return err
	}
	return s.publish()
}

// Stop ends everything, in the order in which nobody misses anybody, and waits until nothing
// runs. It may be called more than once.
func (s *Sandbox) Stop() error {
	s.stopOnce.Do(func() { s.stopErr = s.stop() })
	return s.stopErr
}

func (s *Sandbox) stop() error {
	if s.lock == nil {
		return nil // It never began.
	}
	errs := []error{s.withdraw(), s.stopTogether(Server, Worker), s.stopTogether(Temporal, Partners)}
	if s.settings.postgres != nil {
		errs = append(errs, s.settings.postgres.stop())
	}
	if s.settings.ports != nil {
		errs = append(errs, s.settings.ports.release(portNames()...))
	}
	if s.watchdog != nil {
		errs = append(errs, s.watchdog.dismiss())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

func (s *Sandbox) stopTogether(names ...string) error {
	errs := make([]error, len(names))
	var stopping sync.WaitGroup
	for i, name := range names {
		if p := s.processes[name]; p != nil {
			stopping.Go(func() { errs[i] = p.stop() })
		}
	}
	stopping.Wait()
	return errors.Join(errs...)
}

// controllable is what can be done to a part.
type controllable interface {
	kill() error
	restart(ctx context.Context) error
	signal(signal syscall.Signal) error
}

func (s *Sandbox) part(name string) (controllable, error) {
	if name == Postgres {
		return s.settings.postgres, nil
	}
	if p := s.processes[name]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("the sandbox runs no part %q", name)
}

// Kill ends a part as kill -9 does, and leaves it down until Restart. (A part that is killed
// otherwise is started again by itself.)
func (s *Sandbox) Kill(name string) error {
	p, err := s.part(name)
	if err != nil {
		return err
	}
	return p.kill()
}

// Restart starts a part that is down, or ends it in order and starts it again, and returns
// when it answers.
func (s *Sandbox) Restart(ctx context.Context, name string) error {
	p, err := s.part(name)
	if err != nil {
		return err
	}
	return p.restart(ctx)
}

// Pause stops a part where it is, as a machine that hangs would; Resume lets it go on.
func (s *Sandbox) Pause(name string) error { return s.send(name, syscall.SIGSTOP) }

// Resume lets a part go on that Pause has stopped.
func (s *Sandbox) Resume(name string) error { return s.send(name, syscall.SIGCONT) }

func (s *Sandbox) send(name string, signal syscall.Signal) error {
	p, err := s.part(name)
	if err != nil {
		return err
	}
	return p.signal(signal)
}

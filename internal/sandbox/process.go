package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The bounds of a part's life.
const (
	// restartFirst and restartMax bound the wait before a part that died is started again; it
	// doubles each time, and begins anew when the part has lived for restartForgotten.
	restartFirst     = 100 * time.Millisecond
	restartMax       = 5 * time.Second
	restartForgotten = 10 * time.Second
	// readyTimeout bounds a part's start, deathsMax the deaths in it.
	readyTimeout = time.Minute
	deathsMax    = 6
	// endPatience is what a part has to end in order, killPatience what the system has.
	endPatience  = 12 * time.Second
	killPatience = 5 * time.Second
)

// part is one program of the sandbox: what to run, and how to see that it answers.
type part struct {
	name string
	path string
	env  []string
	// log is the file that takes all it says.
	log string
	// starting is called just before each start.
	starting func() error
	// ready asks once whether it answers.
	ready func(context.Context) error
}

// process keeps one part running. It is safe for concurrent use.
type process struct {
	part     part
	watchdog *watchdog
	// started is told of each start but the first.
	started func()

	mu     sync.Mutex
	wanted bool
	ended  bool
	// lives and deaths count what supervise did.
	lives, deaths int
	running       *run
	// changed is closed and replaced when wanted or ended change.
	changed chan struct{}
	// gone is closed when nobody looks after the part any more.
	gone chan struct{}
}

// run is one life of a part.
type run struct {
	pid   int
	stdin io.Closer
	began time.Time
	done  chan struct{}
}

// newProcess looks after a part, which starts at once.
func newProcess(p part, w *watchdog, started func()) *process {
	s := &process{part: p, watchdog: w, started: started, wanted: true, changed: make(chan struct{}), gone: make(chan struct{})}
	go s.supervise()
	return s
}

// supervise starts the part whenever it is wanted and does not run.
func (s *process) supervise() {
	defer close(s.gone)
	wait := restartFirst
	for s.awaitWanted() {
		r, err := s.launch()
		if err == nil {
			<-r.done
			if time.Since(r.began) > restartForgotten {
				wait = restartFirst
			}
		}
		s.mu.Lock()
		s.running = nil
		died, changed := s.wanted, s.changed
		if died {
			s.deaths++
		}
		s.mu.Unlock()
		if !died {
			wait = restartFirst
			continue
		}
		select {
		case <-time.After(wait):
		case <-changed:
		}
		wait = min(2*wait, restartMax)
	}
}

// awaitWanted returns when the part shall run, with false when it never shall again.
func (s *process) awaitWanted() bool {
	for {
		s.mu.Lock()
		wanted, ended, changed := s.wanted, s.ended, s.changed
		s.mu.Unlock()
		if ended || wanted {
			return !ended
		}
		<-changed
	}
}

// want says whether the part shall run.
func (s *process) want(wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = wanted && !s.ended
	close(s.changed)
	s.changed = make(chan struct{})
}

// launch begins one life. The part gets a process group of its own, so that what is typed at
// the terminal is for us alone.
func (s *process) launch() (*run, error) {
	if s.part.starting != nil {
		if err := s.part.starting(); err != nil {
			return nil, err
		}
	}
	log, err := os.OpenFile(s.part.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", s.part.name, err)
	}
	defer log.Close()
	cmd := exec.Command(s.part.path)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.part.env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make the pipe of %s: %w", s.part.name, err)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.wanted {
		return nil, errors.Join(errors.New("it is not wanted any more"), stdin.Close())
	}
	if err := cmd.Start(); err != nil {
		fmt.Fprintf(log, "sandbox: %v\n", err)
		return nil, errors.Join(fmt.Errorf("start %s: %w", s.part.name, err), stdin.Close())
	}
	r := &run{pid: cmd.Process.Pid, stdin: stdin, began: time.Now(), done: make(chan struct{})}
	s.watchdog.watch(r.pid)
	s.running = r
	if s.lives++; s.lives > 1 {
		go s.started()
	}
	go func() {
		_ = cmd.Wait() // how it ended stands in its log
		s.watchdog.forget(r.pid)
		close(r.done)
	}()
	return r, nil
}

// awaitReady returns when the part answers. It gives up when the part dies again and again.
func (s *process) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	s.mu.Lock()
	before := s.deaths
	s.mu.Unlock()
	for {
		err := s.part.ready(ctx)
		if err == nil {
			return nil
		}
		s.mu.Lock()
		deaths := s.deaths - before
		s.mu.Unlock()
		if deaths >= deathsMax {
			return fmt.Errorf("%s does not stay up; its log (%s) ends: %s", s.part.name, s.part.log, s.lastLines())
		}
		if pause(ctx, pollInterval) != nil {
			return fmt.Errorf("%s does not become ready: %w; its log (%s) ends: %s", s.part.name, err, s.part.log, s.lastLines())
		}
	}
}

// lastLines are the last few of the log.
func (s *process) lastLines() string {
	text, err := os.ReadFile(s.part.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(string(bytes.TrimSpace(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}

// current is the life that runs; nil when none does.
func (s *process) current() *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

func (s *process) pid() int {
	if r := s.current(); r != nil {
		return r.pid
	}
	return 0
}

// signal tells the part and whatever it started.
func (s *process) signal(signal syscall.Signal) error {
	r := s.current()
	if r == nil {
		return fmt.Errorf("%s does not run", s.part.name)
	}
	if err := syscall.Kill(-r.pid, signal); err != nil {
		return fmt.Errorf("signal %s: %w", s.part.name, err)
	}
	return nil
}

// kill ends the part at once and leaves it down.
func (s *process) kill() error {
	s.want(false)
	r := s.current()
	if r == nil {
		return nil
	}
	_ = s.signal(syscall.SIGKILL) // it may have ended already
	return s.awaitEnd(r, killPatience)
}

// end lets the part end in order, and kills it when it does not, and leaves it down.
func (s *process) end() error {
	s.want(false)
	r := s.current()
	if r == nil {
		return nil
	}
	_ = s.signal(syscall.SIGCONT)
	_ = r.stdin.Close()
	if s.awaitEnd(r, endPatience) == nil {
		return nil
	}
	return s.kill()
}

func (s *process) awaitEnd(r *run, patience time.Duration) error {
	select {
	case <-r.done:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s, process %d, does not end", s.part.name, r.pid)
	}
}

// restart ends the part, if it runs, and starts it again.
func (s *process) restart(ctx context.Context) error {
	if err := s.end(); err != nil {
		return err
	}
	s.want(true)
	return s.awaitReady(ctx)
}

// stop ends the part for good.
func (s *process) stop() error {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	err := s.end()
	if err == nil {
		<-s.gone
	}
	return err
}

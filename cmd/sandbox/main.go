// Command sandbox runs everything on a laptop: Postgres, Temporal, pretend partners, server and
// worker, each a process of its own, until Ctrl-C. It needs Go and Postgres's binaries.
//
//	go run ./cmd/sandbox            what the last one kept is there again
//	go run ./cmd/sandbox --fresh    everything anew
//	go run ./cmd/sandbox --once     play one activation, check what came of it, and end
//	go run ./cmd/sandbox --once --journey port    the same with a number that is brought along
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/dialtone/dialtone/internal/sandbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// The first signal ends everything in order; after a second one the watchdog does.
	context.AfterFunc(ctx, stop)
	err := run(untilParentDies(ctx), environment{args: os.Args[1:], variables: os.Environ()}, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

// environment is what a process is given beside its output.
type environment struct {
	args      []string
	variables []string
}

// run runs the sandbox until ctx ends, or with --once until the journey has been checked.
func run(ctx context.Context, env environment, out io.Writer) error {
	o, err := readOptions(env, out)
	if err != nil {
		return err
	}
	s, err := sandbox.Start(ctx, o.config)
	if err != nil {
		return err
	}
	if o.once {
		err = s.Once(ctx, o.journey)
	} else {
		s.Summary()
		<-ctx.Done()
		fmt.Fprintln(out, "\nEnding everything.")
	}
	return errors.Join(err, s.Stop())
}

// options are what the command line says.
type options struct {
	config  sandbox.Config
	once    bool
	journey string
}

func readOptions(env environment, out io.Writer) (options, error) {
	o := options{config: sandbox.Config{Environ: env.variables, Out: out}}
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.BoolVar(&o.config.Fresh, "fresh", false, "delete what an earlier sandbox kept (its databases, journals, tokens, logs) and begin anew")
	flags.BoolVar(&o.config.Remote, "remote", false, "allow DATABASE_URL, TEMPORAL_ADDRESS and partners' URLs on other machines")
	flags.StringVar(&o.config.Dir, "dir", "", "keep everything but the programs here (default .local in the checkout)")
	flags.StringVar(&o.config.Policies, "policies", variable(env, "DIALTONE_POLICIES"), "a JSON `object` of durations that new activations get instead of the defaults")
	flags.BoolVar(&o.once, "once", false, "play one journey, check what came of it, and end")
	flags.StringVar(&o.journey, "journey", sandbox.JourneyNew, "with --once: new or port")
	if err := flags.Parse(env.args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("%q is no flag: see --help", flags.Arg(0))
	}
	return o, sandbox.Checked(o.journey)
}

func variable(env environment, name string) string {
	for _, entry := range env.variables {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value
		}
	}
	return ""
}

// parentLook is how often untilParentDies looks.
const parentLook = 500 * time.Millisecond

// untilParentDies ends ctx when `go run` has gone: it passes no signal on but Ctrl-C, so that
// whoever ends it would leave us behind. Started otherwise, we may outlive our parent.
func untilParentDies(ctx context.Context) context.Context {
	program, err := os.Executable()
	if err != nil || !strings.Contains(program, "go-build") {
		return ctx
	}
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	go func() {
		defer cancel()
		ticker := time.NewTicker(parentLook)
		defer ticker.Stop()
		for os.Getppid() == parent {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return ctx
}

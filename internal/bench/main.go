// Command bench measures what Dialtone takes for what it promises, each figure beside its
// floor: the least that the same machine needs for a thing of that kind, taken in the same
// run. A ratio to a floor can be compared between machines; a figure alone cannot.
//
//	accepted launches      floor: a gRPC server with one INSERT a call, on the same Postgres
//	answer to run begun    floor: a bare start of a workflow, at the same Temporal
//	change to watcher      floor: a bare NOTIFY, on the same Postgres
//	finished activations   floor: a bare workflow with as many activities that do nothing
//
// Everything is real and made for the run: a Postgres that syncs its commits, a Temporal
// server, server and worker as processes, and the pretend partners. Counts are fixed, so that
// the time is bounded. Nothing is left behind.
//
//	go run ./internal/bench          a Markdown table
//	go run ./internal/bench -json    the same for programs
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// runTimeout bounds the whole run; on two cores it takes some two minutes.
const runTimeout = 10 * time.Minute

func main() {
	//nolint:forbidigo // main makes the context.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, environment{args: os.Args[1:], environ: os.Environ(), in: os.Stdin, story: os.Stderr}, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// environment is what a process is given beside its output.
type environment struct {
	args    []string
	environ []string
	in      io.Reader
	// story is told how the run goes.
	story io.Writer
}

func run(ctx context.Context, env environment, out io.Writer) error {
	if len(env.args) == 1 && env.args[0] == floorServerArg {
		return serveFloor(ctx, env.in, out)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(env.story)
	asJSON := flags.Bool("json", false, "print JSON instead of a table")
	if err := flags.Parse(env.args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	measured, err := measure(ctx, env)
	if err != nil {
		return err
	}
	if *asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(measured)
	}
	return measured.table(out)
}

// measure takes all figures. Those that need the engine come first: then it is switched off,
// so that it does not work on what the others launch.
func measure(ctx context.Context, env environment) (_ report, err error) {
	began := time.Now()
	s, err := newStand(ctx, env)
	if err != nil {
		return report{}, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := report{Machine: s.machine}
	for _, part := range []struct {
		about string
		take  func(context.Context, *stand) ([]row, error)
	}{
		{"warming up", warmUp},
		{"from the answer to the run's beginning", begun},
		{"finished activations", finished},
		{"launches while the engine works", launchesWithEngine},
		{"switching the engine off", switchOff},
		{"launches", launches},
		{"from the change to the watcher", watched},
	} {
		s.tell("%s", part.about)
		rows, err := part.take(ctx, s)
		if err != nil {
			return report{}, fmt.Errorf("%s: %w", part.about, err)
		}
		r.Rows = append(r.Rows, rows...)
	}
	r.TookSeconds = time.Since(began).Seconds()
	return r, nil
}

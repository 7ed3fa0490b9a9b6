package cli

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
)

// Env is the world that a command runs in. What is left out is nothing (streams, settings)
// or the machine's own (directory, clock).
type Env struct {
	// Args are the arguments after the program's name.
	Args []string
	// In is read only where an argument or a flag says so, and by port submit on a terminal.
	In io.Reader
	// Out takes what was asked for, Err progress and errors.
	Out, Err io.Writer
	// Dir is where the search for a sandbox begins.
	Dir string
	// Address and Token are what the environment says of the server; both may be empty.
	Address, Token string
	// NoColor forbids colours; Term is the terminal's kind.
	NoColor bool
	Term    string
	// Now is the clock, After a timer, and Every a ticker and what stops it.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	Every func(time.Duration) (<-chan time.Time, func())
}

// Run does what env.Args say and gives the exit code. When ctx ends, a call is given up and a
// watch lets go of the activation, which goes on.
func Run(ctx context.Context, env Env) int {
	a := &app{env: env.whole()}
	defer a.close()
	root := a.rootCommand()
	root.SetArgs(a.env.Args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil {
		err = a.interrupted(err)
	} else if !a.parsed {
		err = &usageError{text: err.Error(), help: command.CommandPath() + " --help"}
	}
	a.report(err)
	return exitCode(err)
}

// whole puts in what was left out.
func (e Env) whole() Env {
	if e.Args == nil {
		e.Args = []string{} // cobra takes nil for the process's own.
	}
	if e.In == nil {
		e.In = strings.NewReader("")
	}
	if e.Out == nil {
		e.Out = io.Discard
	}
	if e.Err == nil {
		e.Err = io.Discard
	}
	if e.Dir == "" {
		// Where the directory is gone, there is no sandbox in it.
		e.Dir, _ = os.Getwd()
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.After == nil {
		e.After = time.After
	}
	if e.Every == nil {
		e.Every = func(d time.Duration) (<-chan time.Time, func()) {
			ticker := time.NewTicker(d)
			return ticker.C, ticker.Stop
		}
	}
	return e
}

// app is one run of the program.
type app struct {
	env   Env
	flags globalFlags

	// parsed is set once flags and arguments were understood.
	parsed bool
	// callers is who may make this command's calls.
	callers callers
	// server is where the calls go; connection is lazy and belongs to it.
	server     server
	connection *grpc.ClientConn
	// limited says that --timeout bounds the whole command, not each call by the default.
	limited bool
	// requestID is that of the command's changing call, once it was sent.
	requestID string
	// repeatFlags are what a repeat of it must name besides, since they were found out for it,
	// and repeatInput says what must be put in again.
	repeatFlags, repeatInput string
	// fields gives the flag from which a field of the request came, by its path.
	fields map[string]string
}

// globalFlags are on every command.
type globalFlags struct {
	address  string
	token    string
	output   choice
	timeout  time.Duration
	insecure bool
	verbose  bool
}

// json says that the answer goes to a program.
func (a *app) json() bool { return a.flags.output.value == outputJSON }

// act makes the body of a command: it finds the server and bounds the time.
func (a *app) act(who callers, do func(context.Context, []string) error) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) error {
		a.parsed, a.callers = true, who
		ctx := command.Context()
		if command.Flags().Changed("timeout") {
			if a.flags.timeout <= 0 {
				return &usageError{text: "--timeout must be more than nothing", help: command.CommandPath() + " --help"}
			}
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, a.flags.timeout)
			defer cancel()
			a.limited = true
		}
		if err := a.connect(); err != nil {
			return err
		}
		return do(ctx, args)
	}
}

func (a *app) close() {
	if a.connection != nil {
		// Nothing is left to be said on it.
		_ = a.connection.Close()
	}
}

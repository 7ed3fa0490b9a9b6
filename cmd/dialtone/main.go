// Command dialtone is the command line for operators and scripts: launch activations, see
// where they are, stop them, follow the feed, keep tenants and tokens. `dialtone help` tells
// the rest.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/sethvargo/go-envconfig"

	"github.com/dialtone/dialtone/internal/cli"
	"github.com/dialtone/dialtone/internal/config"
)

// exitUsage is cli's code for what cannot be understood, here the environment.
const exitUsage = 2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal lets go in order; a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, environment{Lookuper: envconfig.OsLookuper(), args: os.Args[1:], in: os.Stdin}, os.Stdout, os.Stderr))
}

// environment is what a process is given beside its outputs.
type environment struct {
	envconfig.Lookuper

	args []string
	in   io.Reader
}

// run does what the arguments say and gives the exit code.
func run(ctx context.Context, env environment, out, errors io.Writer) int {
	settings, err := config.LoadCLI(ctx, env)
	if err != nil {
		fmt.Fprintln(errors, "error:", err)
		return exitUsage
	}
	terminal, _ := env.Lookup("TERM")
	return cli.Run(ctx, cli.Env{
		Args:    env.args,
		In:      env.in,
		Out:     out,
		Err:     errors,
		Address: given(env, "DIALTONE_ADDRESS"),
		Token:   settings.Client.Token.Reveal(),
		NoColor: bool(settings.NoColor),
		Term:    terminal,
	})
}

// given is a variable without its default: a sandbox is looked for only where no address was
// given.
func given(env environment, name string) string {
	value, _ := env.Lookup(name)
	return strings.TrimSpace(value)
}

package cli

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

const (
	outputText = "text"
	outputJSON = "json"
)

const rootHelp = `Dialtone gets a phone line on the air. This is its command line, for operators and
scripts: launch activations, see where they are and what comes next, stop them, follow
what happens, answer for a customer who brings a number, and keep eSIMs, tenants and tokens.

Answers go to stdout, progress and errors to stderr. Nothing asks a question, but port
submit on a terminal: what it takes is too secret for a command line.
In a checkout with a running sandbox no setting is needed.`

const environmentHelp = `What tells dialtone where the server is, and who calls:

  DIALTONE_ADDRESS  host:port of the server's gRPC door; --address goes before it
  DIALTONE_TOKEN    the token to call with; --token goes before it, but shows in the
                    list of processes
  NO_COLOR          anything, for output without colours

If neither flag nor variable gives an address, the file .local/sandbox.json is looked
for in the current directory and its parents. It is written by a running sandbox
(go run ./cmd/sandbox) and also holds tokens: unless one is given, each command takes
the one of the least principal that may run it (BILLING; OPERATOR for profiles and for
putting activations right; PORTAL_BACKEND for what a customer says about a port; ADMIN
for tenants and tokens). --verbose says so. Without a sandbox the address is
localhost:7400.

Addresses of this machine are called in clear text, all others by TLS, checked against
the system's certificates (SSL_CERT_FILE names others). --insecure calls another
machine in clear text: whoever is on the way then reads the token.`

// rootCommand is the whole tree.
func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "dialtone",
		Short: "Get phone lines on the air, and see how they get there",
		Long:  rootHelp,
		Example: `  dialtone launch mobile-activation --subscription sub-1001 --imei 490154203237518 --zip 90012 --watch
  dialtone workflow list --needs-operator
  dialtone workflow show sub-1001
  dialtone help exit-codes`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          a.group,
	}
	root.SetIn(a.env.In)
	root.SetOut(a.env.Out)
	root.SetErr(a.env.Err)
	a.addGlobalFlags(root)
	root.AddCommand(
		a.subscriptionCommand(),
		a.launchCommand(),
		a.workflowCommand(),
		a.portCommand(),
		a.eventsCommand(),
		a.profileCommand(),
		a.tenantCommand(),
		a.tokenCommand(),
		&cobra.Command{Use: "exit-codes", Short: "What each exit code means", Long: exitHelp},
		&cobra.Command{Use: "environment", Short: "Where dialtone finds the server and its token", Long: environmentHelp},
	)
	return root
}

func (a *app) addGlobalFlags(root *cobra.Command) {
	a.flags.output = choice{value: outputText, allowed: []string{outputText, outputJSON}}
	flags := root.PersistentFlags()
	flags.StringVar(&a.flags.address, "address", "", "the server, as host:port (default DIALTONE_ADDRESS, then a sandbox, then "+defaultAddress+")")
	flags.StringVar(&a.flags.token, "token", "", "the token to call with (default DIALTONE_TOKEN, then a sandbox's)")
	flags.VarP(&a.flags.output, "output", "o", "text for people or json for programs")
	flags.DurationVar(&a.flags.timeout, "timeout", callTimeout, "give up after this long; watching ends only when it is given")
	flags.BoolVar(&a.flags.insecure, "insecure", false, "call another machine in clear text, token included")
	flags.BoolVarP(&a.flags.verbose, "verbose", "v", false, "say on stderr which server is called, and as whom")
	complete(root, "output", a.flags.output.allowed)
}

// group is the body of a command that only holds others: help, or a word about a name that
// it does not hold.
func (a *app) group(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return command.Help()
	}
	text := fmt.Sprintf("%s has no command %q", command.CommandPath(), args[0])
	if command.SuggestionsMinimumDistance <= 0 {
		command.SuggestionsMinimumDistance = 2
	}
	if near := command.SuggestionsFor(args[0]); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("%s", text)
}

// arguments refuses all but the named ones.
func arguments(names ...string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fmt.Errorf("%s wants %s", command.CommandPath(), strings.Join(names[len(args):], " and "))
		case len(args) > len(names):
			return fmt.Errorf("%s does not know what to do with %q", command.CommandPath(), args[len(names)])
		}
		return nil
	}
}

// choice is a flag that takes one of a few words.
type choice struct {
	value   string
	allowed []string
}

// Set takes one of the allowed words.
func (c *choice) Set(value string) error {
	if !slices.Contains(c.allowed, value) {
		return fmt.Errorf("it may be %s", strings.Join(c.allowed, " or "))
	}
	c.value = value
	return nil
}

// String is the word chosen.
func (c *choice) String() string { return c.value }

// Type stands in the help text.
func (c *choice) Type() string { return strings.Join(c.allowed, "|") }

// complete offers words for a flag in shells.
func complete(command *cobra.Command, flag string, words []string) {
	// It fails only for a flag that does not exist; a test runs every command's help.
	_ = command.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// version is what the build was made from.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range build.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return build.Main.Version
}

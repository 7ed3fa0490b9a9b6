package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// every visits each command of ours.
func every(command *cobra.Command, visit func(*cobra.Command)) {
	if command.Name() == "help" || command.Name() == "completion" || command.IsAdditionalHelpTopicCommand() {
		return
	}
	visit(command)
	for _, child := range command.Commands() {
		every(child, visit)
	}
}

// Each command says in a line what it does, and shows how, with flags that exist.
func TestHelp(t *testing.T) {
	t.Parallel()
	a := &app{env: Env{}.whole()}
	root := a.rootCommand()
	every(root, func(command *cobra.Command) {
		path := command.CommandPath()
		if command.Short == "" || strings.HasSuffix(command.Short, ".") {
			t.Errorf("%s: the short help is %q", path, command.Short)
		}
		if !strings.Contains(command.Example, "dialtone ") {
			t.Errorf("%s has no example", path)
		}
		checkExample(t, root, command)
		command.Flags().VisitAll(func(flag *pflag.Flag) {
			if flag.Usage == "" {
				t.Errorf("%s --%s says nothing", path, flag.Name)
			}
		})
	})
}

// checkExample looks up each command line of an example, and each flag in it.
func checkExample(t *testing.T, root, command *cobra.Command) {
	t.Helper()
	text := strings.ReplaceAll(command.Example, "\\\n", " ")
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, " | ")
		words := strings.Fields(strings.TrimSpace(line))
		if len(words) < 2 || words[0] != "dialtone" || words[1] == "help" {
			continue
		}
		found, _, err := root.Find(words[1:])
		if err != nil {
			t.Errorf("%s: the example %q: %v", command.CommandPath(), line, err)
			continue
		}
		for _, word := range words {
			name, isFlag := strings.CutPrefix(word, "--")
			name, _, _ = strings.Cut(name, "=")
			if isFlag && name != "help" && found.Flag(name) == nil {
				t.Errorf("%s: the example %q: %s has no flag --%s", command.CommandPath(), line, found.CommandPath(), name)
			}
		}
	}
}

// No detail that a customer gives about the old provider's account can be a flag: those show in
// the list of processes.
func TestHelp_NoSecretFlags(t *testing.T) {
	t.Parallel()
	a := &app{env: Env{}.whole()}
	every(a.rootCommand(), func(command *cobra.Command) {
		for _, name := range detailNames() {
			if command.Flag(flagWord(name)) != nil {
				t.Errorf("%s has the flag --%s", command.CommandPath(), flagWord(name))
			}
		}
	})
}

// Every command that changes something takes --request-id, and what ends something also a
// reason.
func TestHelp_Changes(t *testing.T) {
	t.Parallel()
	a := &app{env: Env{}.whole()}
	every(a.rootCommand(), func(command *cobra.Command) {
		needs := map[string][]string{
			"create": {"request-id"}, "update": {"request-id"}, "mobile-activation": {"request-id"}, "import": {"request-id"},
			"cancel": {"request-id", "reason"}, "revoke": {"request-id", "reason"},
			"resend-email":    {"request-id", "reason", "revision", "authentication"},
			"correct":         {"request-id", "reason", "revision", "authentication"},
			"revive":          {"request-id", "reason", "revision", "replace-run"},
			"resolve":         {"request-id", "reason", "revision", "as", "item", "reference"},
			"replace-profile": {"request-id", "reason", "revision", "authentication", "imei"},
			"submit":          {"request-id", "revision", "stdin"},
			"change-number":   {"request-id", "revision", "number", "donor"},
			"change-device":   {"request-id", "revision", "imei"},
			"keep-new-number": {"request-id", "revision"}, "stop": {"request-id", "revision"},
			"confirm-donor-action": {"request-id", "revision", "action"},
			"link":                 {"request-id", "reason", "revision", "expires"},
		}
		for _, flag := range needs[command.Name()] {
			if command.Flag(flag) == nil {
				t.Errorf("%s has no --%s", command.CommandPath(), flag)
			}
		}
	})
}

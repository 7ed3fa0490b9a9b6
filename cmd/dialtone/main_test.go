package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"
)

// A test of its own directory cannot be parallel, and a sandbox above this checkout must not
// be found.
func TestRun(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, test := range map[string]struct {
		environment map[string]string
		args        []string
		code        int
		out, errors string
	}{
		"help":                       {nil, []string{"help", "exit-codes"}, 0, "What each exit code means:", ""},
		"an address that is none":    {map[string]string{"DIALTONE_ADDRESS": ":7400"}, []string{"workflow", "list"}, 2, "", "error: the environment cannot be used:\n  DIALTONE_ADDRESS is \":7400\""},
		"nothing set":                {nil, []string{"workflow", "list"}, 4, "", "error: no token to call localhost:7400 with"},
		"an address":                 {map[string]string{"DIALTONE_ADDRESS": "localhost:1"}, []string{"workflow", "list"}, 4, "", "no token to call localhost:1 with"},
		"an address that is blank":   {map[string]string{"DIALTONE_ADDRESS": " "}, []string{"workflow", "list"}, 4, "", "no token to call localhost:7400 with"},
		"a server that is not there": {map[string]string{"DIALTONE_ADDRESS": "localhost:1", "DIALTONE_TOKEN": "hunter2"}, []string{"workflow", "list"}, 6, "", "cannot reach Dialtone at localhost:1"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errors bytes.Buffer
			env := environment{Lookuper: envconfig.MapLookuper(test.environment), args: test.args, in: strings.NewReader("")}

			code := run(t.Context(), env, &out, &errors)

			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.Contains(out.String(), test.out) || !strings.Contains(errors.String(), test.errors) {
				t.Errorf("it printed %q and said %q", &out, &errors)
			}
			if strings.Contains(out.String()+errors.String(), "hunter2") {
				t.Error("it told the token")
			}
		})
	}
}

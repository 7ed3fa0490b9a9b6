package server_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// README's table of reasons is what integrators read: it has every reason of the schema,
// under its code, and says whether to retry and who acts.
func TestReadme_HasEveryReason(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	must(t, err)
	row := regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| ([A-Z_]+) \\| [^|]*[^| ][^|]* \\| [^|]*[^| ][^|]* \\|$")

	told := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		told[m[1]] = m[2]
	}

	if diff := cmp.Diff(promised(t), told); diff != "" {
		t.Errorf("README's table: -schema +README\n%s", diff)
	}
}

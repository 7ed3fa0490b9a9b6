package workflows_test

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/dialtone/dialtone/workflows"
)

// Every history that was ever recorded must be replayed by today's workflows: a run lives
// for days, and new code takes it up where old code left it.
func TestReplay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	fatal(t, err)
	if len(files) == 0 {
		t.Fatal("no recorded histories under testdata; `task histories` records them")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			replayer := worker.NewWorkflowReplayer()
			workflows.Register(replayer)

			err := replayer.ReplayWorkflowHistoryFromJSONFile(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), file)
			if err != nil {
				t.Errorf("%s: put the change behind workflow.GetVersion: %v", file, err)
			}
		})
	}
}

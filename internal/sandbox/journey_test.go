package sandbox_test

import (
	"strings"
	"testing"

	"github.com/dialtone/dialtone/internal/sandbox"
)

// TestOnce is the whole way of a new line, with every trace that it should leave.
func TestOnce(t *testing.T) {
	s := running(t)

	if err := s.Once(t.Context(), sandbox.JourneyNew); err != nil {
		t.Fatalf("%v\n%s", err, shared.out.String())
	}

	told := shared.out.String()
	for _, want := range []string{"Reserve the eSIM", "Activate the line", "succeeded", "All is as it should be"} {
		if !strings.Contains(told, want) {
			t.Errorf("the story lacks %q:\n%s", want, told)
		}
	}
	if strings.Contains(told, "LPA:") {
		t.Error("the story tells an activation code")
	}
}

func TestChecked(t *testing.T) {
	t.Parallel()
	if err := sandbox.Checked(sandbox.JourneyPort); err == nil || !strings.Contains(err.Error(), "not built yet") {
		t.Errorf("port: %v", err)
	}
	if err := sandbox.Checked("round the world"); err == nil || !strings.Contains(err.Error(), "new or port") {
		t.Errorf("another: %v", err)
	}
}

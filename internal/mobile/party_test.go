package mobile

import (
	"testing"
	"time"
)

func TestCurrentStep(t *testing.T) {
	t.Parallel()
	steps := func(states ...StepState) []Step {
		names := TypeNewLine.Plan()
		all := make([]Step, len(names))
		for i, name := range names {
			all[i] = Step{Name: name, State: StepPending}
			if i < len(states) {
				all[i].State = states[i]
			}
		}
		return all
	}
	for name, test := range map[string]struct {
		activation Activation
		want       StepName
	}{
		"before the first":  {Activation{State: StateAccepted, Steps: steps()}, ""},
		"at the first":      {Activation{State: StateRunning, Steps: steps(StepRunning)}, StepCheckSubscription},
		"tried again":       {Activation{State: StateRunning, Steps: steps(StepDone, StepRetrying)}, StepCheckDevice},
		"between two":       {Activation{State: StateRunning, Steps: steps(StepDone)}, StepCheckDevice},
		"waiting":           {Activation{State: StateWaitingForCarrier, Steps: steps(StepDone, StepDone, StepDone, StepWaiting)}, StepActivateLine},
		"refused":           {Activation{State: StateWaitingForOperator, Steps: steps(StepDone, StepRefused)}, StepCheckDevice},
		"being undone":      {Activation{State: StateUndoing, Steps: steps(StepDone, StepDone, StepUndone)}, ""},
		"at the end":        {Activation{State: StateSucceeded, Steps: steps(StepDone, StepDone, StepDone, StepDone, StepDone, StepDone)}, ""},
		"ended with a step": {Activation{State: StateRejected, Steps: steps(StepDone, StepRefused)}, ""},
	} {
		if got := test.activation.CurrentStep(); got != test.want {
			t.Errorf("%s: at %q, want %q", name, got, test.want)
		}
	}
}

func TestCancellable(t *testing.T) {
	t.Parallel()
	now := time.Unix(1, 0)
	for name, test := range map[string]struct {
		activation Activation
		want       bool
	}{
		"open":      {Activation{State: StateRunning}, true},
		"asked":     {Activation{State: StateRunning, CancelRequested: now}, false},
		"live":      {Activation{State: StateRunning, Live: now}, false},
		"ended":     {Activation{State: StateFailed}, false},
		"for staff": {Activation{State: StateWaitingForOperator}, true},
	} {
		if got := test.activation.Cancellable(); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestStepWaitsFor(t *testing.T) {
	t.Parallel()
	for _, state := range StepStates() {
		got := Step{State: state}.WaitsFor(PartyOperator)
		want := map[StepState]Party{StepRunning: PartyDialtone, StepRetrying: PartyDialtone, StepWaiting: PartyOperator}[state]
		if got != want {
			t.Errorf("%s waits for %q, want %q", state, got, want)
		}
	}
}

// Every reason that a run or an item can have has words for staff.
func TestReasonText(t *testing.T) {
	t.Parallel()
	for _, kind := range []ItemKind{ItemStepStuck, ItemOutcomeUnknown, ItemNumberAtRisk, ItemMailNotDelivered} {
		if ReasonText(string(kind)) == "" {
			t.Errorf("%s has no words", kind)
		}
	}
	if ReasonText("DEVICE_BLOCKED") != ErrDeviceBlocked.Public || ReasonText("") != "" || ReasonText("NO_SUCH") != "" {
		t.Error("the words are mixed up")
	}
}

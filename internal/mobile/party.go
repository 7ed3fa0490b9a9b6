package mobile

import "slices"

// Party is who must act next.
type Party string

// The parties. The empty one means nobody: it has ended.
const (
	PartyNobody   Party = ""
	PartyDialtone Party = "DIALTONE"
	PartyCustomer Party = "CUSTOMER"
	PartyCarrier  Party = "CARRIER"
	// PartyDonor is the company that a number leaves; it has no hands here, so that it is waited for.
	PartyDonor    Party = "DONOR"
	PartyOperator Party = "OPERATOR"
)

// WaitsFor is who must act in this state.
func (s State) WaitsFor() Party {
	switch s {
	case StateAccepted, StateRunning, StateUndoing:
		return PartyDialtone
	case StateWaitingForCustomer:
		return PartyCustomer
	case StateWaitingForCarrier:
		return PartyCarrier
	case StateWaitingForOperator:
		return PartyOperator
	case StateSucceeded, StateCancelled, StateExpired, StateRejected, StateFailed:
	}
	return PartyNobody
}

// WaitsFor is who must act on a step, given who must act on its activation.
func (s Step) WaitsFor(whole Party) Party {
	switch s.State {
	case StepRunning, StepRetrying:
		return PartyDialtone
	case StepWaiting:
		if whole == PartyDialtone {
			return PartyCarrier
		}
		return whole
	case StepPending, StepDone, StepRefused, StepSkipped, StepUndone:
	}
	return PartyNobody
}

// CurrentStep is the step that the activation is at; empty before the first and at the end.
func (a Activation) CurrentStep() StepName {
	if a.State.Final() {
		return ""
	}
	begun := false
	for _, step := range a.Steps {
		switch step.State {
		case StepRunning, StepRetrying, StepWaiting, StepRefused:
			return step.Name
		case StepPending:
			if begun && a.State != StateUndoing {
				return step.Name
			}
		case StepDone, StepSkipped, StepUndone:
			begun = true
		}
	}
	return ""
}

// Cancellable tells whether a cancel would be taken now and would change something.
func (a Activation) Cancellable() bool {
	return !a.State.Final() && a.CancelRequested.IsZero() && !a.GoesForward()
}

// GoesForward tells whether nothing is given back any more: the line is live, or the number that
// was to come has moved.
func (a Activation) GoesForward() bool {
	return !a.Live.IsZero() || a.Port != nil && a.Port.State == PortCompleted
}

// OpenItems are those that still wait for an operator.
func (a Activation) OpenItems() []Item {
	return slices.DeleteFunc(slices.Clone(a.Items), func(i Item) bool { return !i.Closed.IsZero() })
}

package sandbox

import (
	"fmt"
	"strings"
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// story tells what happens to people.
type story struct {
	config Config
	began  time.Time
	state  dialtonev1.WorkflowState
	port   dialtonev1.PortState
	steps  map[string]dialtonev1.StepState
	// answered is the last question that the customer has answered.
	answered int64
}

func newStory(c Config) *story {
	return &story{config: c, began: time.Now(), steps: make(map[string]dialtonev1.StepState)}
}

// hear tells what is new. It has heard enough when an operator is asked, for here is none, or
// when the customer is.
func (t *story) hear(w *dialtonev1.Workflow) bool {
	for _, step := range w.GetSteps() {
		if t.steps[step.GetName()] == step.GetState() {
			continue
		}
		t.steps[step.GetName()] = step.GetState()
		switch step.GetState() {
		case dialtonev1.StepState_STEP_STATE_PENDING, dialtonev1.StepState_STEP_STATE_RUNNING:
		default:
			t.say(lower(step.GetState().String(), "STEP_STATE_"), step.GetTitle(), step.GetReason(), step.GetDetail())
		}
	}
	t.hearPort(w.GetPort())
	t.hearState(w)
	return t.state == dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_OPERATOR || t.asks(w)
}

// hearPort tells where the port is, once something is at the donor.
func (t *story) hearPort(port *dialtonev1.Port) {
	if t.port == port.GetState() {
		return
	}
	t.port = port.GetState()
	if t.port == dialtonev1.PortState_PORT_STATE_AWAITING_INFO {
		return
	}
	due := ""
	if t.port == dialtonev1.PortState_PORT_STATE_CONFIRMED && port.GetDueTime() != nil {
		due = "it moves at " + port.GetDueTime().AsTime().Local().Format(time.TimeOnly)
	}
	t.say(lower(t.port.String(), "PORT_STATE_"), "Port of "+port.GetPhoneNumber(), port.GetReason(), due)
}

func (t *story) hearState(w *dialtonev1.Workflow) {
	if t.state == w.GetState() {
		return
	}
	t.state = w.GetState()
	switch t.state {
	case dialtonev1.WorkflowState_WORKFLOW_STATE_ACCEPTED, dialtonev1.WorkflowState_WORKFLOW_STATE_RUNNING,
		dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_CARRIER: // its port or its step says more
	default:
		t.say(lower(t.state.String(), "WORKFLOW_STATE_"), "Mobile Activation", w.GetReason(), w.GetReasonMessage())
	}
}

// asks tells whether the customer is asked something that they have not answered.
func (t *story) asks(w *dialtonev1.Workflow) bool {
	return t.state == dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_CUSTOMER && w.GetPort().GetPrompt().GetRevision() > t.answered
}

func (t *story) say(word, title string, details ...string) {
	line := fmt.Sprintf("  %6.2f s  %-10s %s", time.Since(t.began).Seconds(), word, title)
	for _, detail := range details {
		if detail != "" {
			line += " · " + detail
		}
	}
	t.config.tell("%s", line)
}

// lower makes a word for people of an enum's name.
func lower(name, prefix string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, prefix), "_", " "))
}

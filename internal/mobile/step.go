package mobile

import "time"

// StepName names a step as people see it; activities are Temporal's.
type StepName string

// The steps of both journeys.
const (
	StepCheckSubscription    StepName = "check_subscription"
	StepCheckDevice          StepName = "check_device"
	StepCheckPortability     StepName = "check_portability"
	StepCollectPortingInfo   StepName = "collect_porting_info"
	StepReserveESIM          StepName = "reserve_esim"
	StepActivateLine         StepName = "activate_line"
	StepSubmitPort           StepName = "submit_port"
	StepAwaitPort            StepName = "await_port"
	StepActivateSubscription StepName = "activate_subscription"
	StepSendActivationEmail  StepName = "send_activation_email"
)

// What is done beside an activation's own run, named like a step where an operator is asked
// about it.
const (
	StepResendActivationEmail StepName = "resend_activation_email"
	StepReplaceProfile        StepName = "replace_profile"
	StepSendPortalLink        StepName = "send_portal_link"
	// StepChangeSIM and StepRetireESIM are parts of replacing an eSIM.
	StepChangeSIM  StepName = "change_sim"
	StepRetireESIM StepName = "retire_esim"
)

// StepState is how far a step has come.
type StepState string

// The states of a step.
const (
	// StepPending has not begun.
	StepPending StepState = "PENDING"
	// StepRunning has an attempt under way.
	StepRunning StepState = "RUNNING"
	// StepRetrying has failed for now and will be tried again.
	StepRetrying StepState = "RETRYING"
	// StepWaiting has been accepted outside and waits for its outcome, or for a person.
	StepWaiting StepState = "WAITING"
	// StepDone has succeeded.
	StepDone StepState = "DONE"
	// StepRefused has been refused for good.
	StepRefused StepState = "REFUSED"
	// StepSkipped was never begun, or was overtaken by the activation's end.
	StepSkipped StepState = "SKIPPED"
	// StepUndone has been given back.
	StepUndone StepState = "UNDONE"
)

// StepStates lists every state of a step, in the order of the constants.
func StepStates() []StepState {
	return []StepState{StepPending, StepRunning, StepRetrying, StepWaiting, StepDone, StepRefused, StepSkipped, StepUndone}
}

// Step is one step of an activation as people see it.
type Step struct {
	Name     StepName
	State    StepState
	Started  time.Time
	Ended    time.Time
	Attempts int32
	Reason   string
	Detail   string
	NextTry  time.Time
}

// Title is what people call the step.
func (n StepName) Title() string {
	switch n {
	case StepCheckSubscription:
		return "Check the subscription"
	case StepCheckDevice:
		return "Check the device"
	case StepCheckPortability:
		return "Check that the number can be brought"
	case StepCollectPortingInfo:
		return "Collect the porting details"
	case StepReserveESIM:
		return "Reserve the eSIM"
	case StepActivateLine:
		return "Activate the line"
	case StepSubmitPort:
		return "Submit the port"
	case StepAwaitPort:
		return "Wait for the number to move"
	case StepActivateSubscription:
		return "Activate the subscription"
	case StepSendActivationEmail:
		return "Send the Mobile Activation e-mail"
	case StepResendActivationEmail:
		return "Send the Mobile Activation e-mail again"
	case StepSendPortalLink:
		return "Send the customer a new link"
	case StepReplaceProfile:
		return "Replace the eSIM"
	case StepChangeSIM:
		return "Put the new eSIM on the line"
	case StepRetireESIM:
		return "Retire the old eSIM"
	}
	return string(n)
}

// Plan lists the steps of a journey in the order in which they run.
func (t Type) Plan() []StepName {
	switch t {
	case TypeNewLine:
		return []StepName{
			StepCheckSubscription, StepCheckDevice, StepReserveESIM,
			StepActivateLine, StepActivateSubscription, StepSendActivationEmail,
		}
	case TypePortIn:
		return []StepName{
			StepCheckSubscription, StepCheckDevice, StepCheckPortability, StepCollectPortingInfo, StepReserveESIM,
			StepSubmitPort, StepSendActivationEmail, StepAwaitPort, StepActivateSubscription,
		}
	case TypeFollowUp:
	}
	return nil
}

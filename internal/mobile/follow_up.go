package mobile

import "time"

// FollowUpID is the identity of a follow-up: a UUIDv7 in its canonical form.
type FollowUpID string

// FollowUpKind names what is done beside an activation's own run.
type FollowUpKind string

// The kinds of follow-up.
const (
	// FollowUpResend sends the Mobile Activation mail again.
	FollowUpResend FollowUpKind = "RESEND"
	// FollowUpReplace gives the customer another eSIM on the same line.
	FollowUpReplace FollowUpKind = "REPLACE"
	// FollowUpLink mails the customer a new link to the portal.
	FollowUpLink FollowUpKind = "LINK"
)

// FollowUpState is how far a follow-up has come.
type FollowUpState string

// The states of a follow-up.
const (
	FollowUpOpen FollowUpState = "OPEN"
	FollowUpDone FollowUpState = "DONE"
	// FollowUpGivenUp was given up by an operator; what it took was given back.
	FollowUpGivenUp FollowUpState = "GIVEN_UP"
)

// FollowUp is something to be done about an activation beside its own run, mostly after its
// end.
type FollowUp struct {
	ID         FollowUpID
	Tenant     TenantID
	Activation ActivationID
	Kind       FollowUpKind
	WorkflowID string
	RunID      string
	State      FollowUpState
	// IMEI is the phone that gets the new eSIM; for FollowUpReplace.
	IMEI    IMEI
	Asked   Doer
	Created time.Time
	Ended   time.Time
}

// TypeFollowUp is the type name of a follow-up's Temporal workflow.
const TypeFollowUp Type = "FollowUp"

// FollowUpWorkflowID is the Temporal Workflow ID of a follow-up.
func FollowUpWorkflowID(tenant TenantID, activation ActivationID, id FollowUpID) string {
	return "followup/" + string(tenant) + "/" + string(activation) + "/" + string(id)
}

// Step is how a follow-up is called where an operator is asked about it.
func (k FollowUpKind) Step() StepName {
	switch k {
	case FollowUpReplace:
		return StepReplaceProfile
	case FollowUpLink:
		return StepSendPortalLink
	case FollowUpResend:
	}
	return StepResendActivationEmail
}

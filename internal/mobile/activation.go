package mobile

import (
	"slices"
	"time"
)

// TenantID names a provider that uses this installation.
type TenantID string

// SubscriptionID is the billing system's own name of a subscription, or one made by us.
type SubscriptionID string

// ActivationID is the identity of one attempt to bring one subscription on the air: a
// UUIDv7 in its canonical form.
type ActivationID string

// WorkflowID is the Temporal Workflow ID of an activation: one id, one activation, for ever.
// All its parts are made of unreserved characters, so that it stands in an address as it is.
func WorkflowID(tenant TenantID, subscription SubscriptionID, activation ActivationID) string {
	return "activation/" + string(tenant) + "/" + string(subscription) + "/" + string(activation)
}

// Type is the journey of an activation, and the type name of its Temporal workflow.
type Type string

// The types.
const (
	TypeNewLine Type = "MobileActivation"
	TypePortIn  Type = "MobilePortIn"
)

// State is where an activation stands, as everybody outside sees it.
type State string

// The states, in the order in which a calm activation meets them; the last five are final.
const (
	StateAccepted           State = "ACCEPTED"
	StateRunning            State = "RUNNING"
	StateWaitingForCustomer State = "WAITING_FOR_CUSTOMER"
	StateWaitingForCarrier  State = "WAITING_FOR_CARRIER"
	StateWaitingForOperator State = "WAITING_FOR_OPERATOR"
	StateUndoing            State = "UNDOING"
	StateSucceeded          State = "SUCCEEDED"
	StateCancelled          State = "CANCELLED"
	StateExpired            State = "EXPIRED"
	StateRejected           State = "REJECTED"
	StateFailed             State = "FAILED"
)

// States lists every state, in the order of the constants.
func States() []State {
	return []State{
		StateAccepted, StateRunning, StateWaitingForCustomer, StateWaitingForCarrier, StateWaitingForOperator,
		StateUndoing, StateSucceeded, StateCancelled, StateExpired, StateRejected, StateFailed,
	}
}

// Final tells whether an activation in this state has ended for good.
func (s State) Final() bool {
	switch s {
	case StateSucceeded, StateCancelled, StateExpired, StateRejected, StateFailed:
		return true
	case StateAccepted, StateRunning, StateWaitingForCustomer, StateWaitingForCarrier, StateWaitingForOperator, StateUndoing:
		return false
	}
	panic("mobile: no such state: " + string(s)) //nolint:forbidigo // The database allows no other: a state was added without a case here.
}

// moves holds, for each state, where it may go. A final state goes nowhere.
var moves = map[State][]State{
	StateAccepted:           {StateRunning, StateWaitingForCustomer, StateWaitingForOperator, StateUndoing, StateCancelled, StateRejected, StateFailed},
	StateRunning:            {StateWaitingForCustomer, StateWaitingForCarrier, StateWaitingForOperator, StateUndoing, StateSucceeded, StateCancelled, StateExpired, StateRejected, StateFailed},
	StateWaitingForCustomer: {StateRunning, StateWaitingForCarrier, StateWaitingForOperator, StateUndoing, StateCancelled, StateExpired, StateRejected, StateFailed},
	StateWaitingForCarrier:  {StateRunning, StateWaitingForCustomer, StateWaitingForOperator, StateUndoing, StateCancelled, StateExpired, StateRejected, StateFailed},
	StateWaitingForOperator: {StateRunning, StateWaitingForCustomer, StateWaitingForCarrier, StateUndoing, StateSucceeded, StateCancelled, StateExpired, StateRejected, StateFailed},
	// A number that moves all the same takes an activation forward again.
	StateUndoing: {StateRunning, StateWaitingForCarrier, StateWaitingForOperator, StateCancelled, StateExpired, StateRejected, StateFailed},
}

// CanMove tells whether an activation may go from one state to another. Staying is not a
// move.
func CanMove(from, to State) bool { return slices.Contains(moves[from], to) }

// Doer is who asked for something.
type Doer struct {
	Principal Principal
	// Actor is the name of the token, or the person whom a console names.
	Actor     string
	RequestID string
}

// Activation is the record of one attempt to bring one subscription on the air.
type Activation struct {
	ID           ActivationID
	Tenant       TenantID
	Subscription SubscriptionID
	AccountID    string
	Type         Type
	WorkflowID   string
	RunID        string
	// Revision rises by one when something changes that a decision rests on.
	Revision int64
	State    State
	Since    time.Time
	// Next says in words what happens next.
	Next     string
	Deadline time.Time
	Reason   string

	IMEI IMEI
	ZIP  ZIP
	// CarrierPlan and ProfileType are what partners call the plan, as it was at the launch: an
	// act that is repeated must say the same.
	CarrierPlan   string
	ProfileType   string
	NameOverride  string
	EmailOverride string

	Launched Doer
	// CancelRequested is when a cancel was accepted; zero when none was.
	CancelRequested time.Time
	CancelReason    string
	Cancelled       Doer
	// LineReference and PhoneNumber are the carrier's, once the line is known there.
	LineReference string
	PhoneNumber   string
	// Live is when a read of the line showed it ACTIVE with our ICCID and number.
	Live time.Time

	Steps   []Step
	Profile *Profile
	// Port is that of the number that is brought along; nil for a new line.
	Port    *Port
	Notices []Notice
	Items   []Item
	// FollowUps are what is being done beside its own run.
	FollowUps []FollowUpKind

	Created time.Time
	Updated time.Time
	Ended   time.Time
}

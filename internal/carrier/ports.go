package carrier

import (
	"context"
	"fmt"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
)

// Ports is the part of a Carrier that brings numbers in. What Carrier promises of its calls
// and their errors holds here, too. CheckPortability and ReadPort change nothing.
//
// An order for a port lives on after its call: the donor, whom only the carrier talks to,
// answers later, and may answer no. That is a state of the port and not an error. An event
// says each time what has become of it, and ReadPort does too.
type Ports interface {
	// CheckPortability asks whether the number can be brought in and what its donor wants to
	// know. That it cannot is an answer, with Portable false, and no error; nothing is
	// refused here.
	CheckPortability(ctx context.Context, check PortabilityCheck) (Portability, error)

	// SubmitPort orders a port. A port that bears our external id, number and ICCID already
	// is that port, whatever the key and whatever has become of it: a new try needs an
	// external id of its own. Refusals: the reasons of a port (PortReason.Refusal), when the
	// carrier sees without the donor that the order cannot go on; the ones of ActivateLine.
	SubmitPort(ctx context.Context, key string, order PortOrder) (Port, error)

	// SupplementPort corrects a REFUSED port, or asks for another time; of a CONFIRMED one
	// nothing but the time can change. The port that it returns waits for the donor again, or
	// is further already. Refusals: ErrSupplementNotAllowed, when the port stands elsewhere or
	// the carrier takes no such thing: then one cancels, awaits the cancel and orders anew;
	// ErrPortEnded; ErrPortNotFound; the reasons of a port, and mobile.ErrPartnerRefused.
	SupplementPort(ctx context.Context, key string, supplement PortSupplement) (Port, error)

	// CancelPort withdraws a port and returns it as it is then: CANCELLING most often. It
	// becomes CANCELLED later, or COMPLETED all the same when the number was faster. One that
	// has ended is returned as it ended. Refusals: ErrPortNotFound, mobile.ErrPartnerRefused.
	CancelPort(ctx context.Context, key, externalID string) (Port, error)

	// ReadPort reads the port that bears our external id, as it is now. A refusal with
	// reason ErrPortNotFound says that the carrier knows no such port; no other error does.
	ReadPort(ctx context.Context, externalID string) (Port, error)

	// InstallBeforeCutover says whether the eSIM of a port can be installed before its number
	// moves. It is the same for as long as the program runs, and makes no call.
	InstallBeforeCutover() bool
}

// PortabilityCheck is what CheckPortability asks about.
type PortabilityCheck struct {
	// Number is in E.164.
	Number string
	// ZIPCode is where the line will be used.
	ZIPCode string
}

// Portability is what the carrier says of a number before it is ordered.
type Portability struct {
	Portable bool
	// Reason says why a number cannot be brought in; empty when it can. Code and Message are
	// the carrier's own, as in Port.
	Reason        mobile.PortReason
	Code, Message string

	// NumberType is never empty for a number that can be brought in.
	NumberType mobile.NumberType
	// Donor is the carrier's own word for the company that has the number, free text; empty
	// when it does not say.
	Donor string
	// Required are the fields that an order for this number must have, in the order of
	// mobile.PortingFields.
	Required []mobile.PortingField
	// Earliest is the first time at which the number could move; zero when not said.
	Earliest time.Time
}

// PortOrder is what SubmitPort orders.
type PortOrder struct {
	// ExternalID is our name for this order: the carrier keeps it and finds the port by it.
	ExternalID string
	// LineExternalID is our name for the line that there will be when the number has moved:
	// ReadLine finds it by that.
	LineExternalID string
	// Number is in E.164.
	Number string
	// Donor is a code of our donor table.
	Donor string
	// ICCID, IMEI, ZIPCode, Plan and CustomerName are the line's, as in LineOrder.
	ICCID, IMEI, ZIPCode, Plan, CustomerName string
	// Info is what the customer said to the donor's questions.
	Info mobile.PortingInfo
}

// Format hides what the customer said from every verb.
func (o PortOrder) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "[port order %s]", o.ExternalID)
}

// MarshalText hides it from logs and from whatever else writes JSON.
func (o PortOrder) MarshalText() ([]byte, error) { return fmt.Append(nil, o), nil }

// PortSupplement is what SupplementPort changes.
type PortSupplement struct {
	// ExternalID is our name for the order.
	ExternalID string
	// Info takes the place of what the order said. The zero value leaves that as it was.
	Info mobile.PortingInfo
	// Due is when the number shall move; zero means as soon as possible.
	Due time.Time
}

// Format hides what the customer said from every verb.
func (s PortSupplement) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "[port supplement %s]", s.ExternalID)
}

// MarshalText hides it from logs and from whatever else writes JSON.
func (s PortSupplement) MarshalText() ([]byte, error) { return fmt.Append(nil, s), nil }

// PortState is the state of a port at the carrier. The values are those of mobile.PortState.
type PortState string

// The states. A port begins SUBMITTED; COMPLETED and CANCELLED are final, but for a number
// that moves after its cancel all the same.
const (
	PortSubmitted  PortState = "SUBMITTED"
	PortDelayed    PortState = "DELAYED"
	PortConfirmed  PortState = "CONFIRMED"
	PortCompleted  PortState = "COMPLETED"
	PortRefused    PortState = "REFUSED"
	PortCancelling PortState = "CANCELLING"
	PortCancelled  PortState = "CANCELLED"
)

// PortStates lists every state of a port at the carrier, in the order of the constants.
func PortStates() []PortState {
	return []PortState{
		PortSubmitted, PortDelayed, PortConfirmed, PortCompleted, PortRefused, PortCancelling, PortCancelled,
	}
}

// Port is a port as the carrier shows it.
type Port struct {
	// ExternalID is our name for the order, LineExternalID the one for its line.
	ExternalID, LineExternalID string
	// Reference is the carrier's own id of the order.
	Reference string
	// Number is in E.164, ICCID without the padding F.
	Number, ICCID string
	// State is never empty.
	State PortState
	// At is when that state began, by the carrier's clock and to the microsecond: of two
	// readings the later one counts, in whatever order they come.
	At time.Time
	// Due is when the number moves; never zero for a CONFIRMED port.
	Due time.Time
	// Reason says why a port is REFUSED or DELAYED, or was CANCELLED without us; empty in
	// every other state. Code and Message are the carrier's own: free text, made printable
	// and cut short, that may repeat what the customer said.
	Reason        mobile.PortReason
	Code, Message string
}

package carrier

import (
	"context"
	"net/http"
	"time"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Carrier is what Dialtone needs of a network partner, and what each adapter must keep:
//
//   - Each method makes at most one attempt. It never repeats a call by itself, follows no
//     redirect, and returns within a bounded time also when the context has no deadline.
//   - An error of a call is a *mobile.PartnerError whose verdict is honest. Refused and not
//     now promise that nothing has changed at the carrier; an act that may have happened is
//     unknown. Methods that change nothing (CheckDevice, ReadLine, CheckPortability,
//     ReadPort) are never unknown.
//   - A refusal's Reason is a named fault. Nothing that the carrier says freely reaches the
//     error, because such text may name the customer.
//   - A write carries a key. The same key with the same content is the same act, however
//     often it is sent, so that an unknown write is settled by sending it again.
//   - A line or a port is found by our external id, never by the carrier's reference alone.
type Carrier interface {
	Ports

	// CheckDevice asks whether the device can be used on the network and whether the
	// network serves the ZIP code. It returns nil when both are so; refusals are
	// mobile.ErrDeviceBlocked, ErrDeviceNotESIMCapable, ErrDeviceNotSupported,
	// ErrDeviceUnknown and ErrZIPNotServed. It changes nothing.
	CheckDevice(ctx context.Context, check DeviceCheck) error

	// ActivateLine orders a line. The line that it returns is ACTIVE when it is live
	// already, PENDING when it is coming up: then an event says how it ended, and ReadLine
	// does too. A live or pending line that bears our external id and ICCID already is that
	// line, whatever the key. Refusals: the ones of CheckDevice, mobile.ErrPlanNotKnownToCarrier,
	// mobile.ErrICCIDNotAccepted, mobile.ErrPartnerRefused.
	ActivateLine(ctx context.Context, key string, order LineOrder) (Line, error)

	// ReadLine reads the line that bears our external id, as it is now. A refusal with
	// reason ErrLineNotFound says that the carrier knows no such line; no other error does.
	ReadLine(ctx context.Context, externalID string) (Line, error)

	// ChangeSIM puts another eSIM, and with it perhaps another device, on a live line and
	// returns the line as it is then. A line that has the ICCID already is a success.
	// Refusals: ErrLineNotFound, mobile.ErrICCIDNotAccepted, the device's, and
	// mobile.ErrPartnerRefused for a line that has ended. A pending line is not now.
	ChangeSIM(ctx context.Context, key string, change SIMChange) (Line, error)

	// DeactivateLine takes a line down. A line that is down already, and one that the
	// carrier does not know, are successes: what was wanted is so.
	DeactivateLine(ctx context.Context, key, externalID string) error

	// Settle says how the outcome of a write comes to be known whose answer was lost:
	// mobile.SettleKeyed, when the same key again is the same act, or mobile.SettleReadable,
	// when ReadLine and ReadPort tell. A carrier that offers neither cannot be used safely.
	Settle() mobile.Settle

	// VerifyEvent reads an event that the carrier has sent to us. It refuses with
	// ErrEventSignature what the carrier has not signed, with ErrEventStale what was signed
	// too far from now, and with ErrEventMalformed what is signed and cannot be read. It
	// makes no call. The same event may come several times, late, and in any order.
	VerifyEvent(header http.Header, body []byte, now time.Time) (Event, error)
}

// DeviceCheck is what CheckDevice asks about.
type DeviceCheck struct {
	// IMEI is 15 digits.
	IMEI string
	// ZIPCode is 5 or 9 digits, with a hyphen before the last four.
	ZIPCode string
}

// LineOrder is what ActivateLine orders.
type LineOrder struct {
	// ExternalID is our name for the line: the carrier keeps it and finds the line by it.
	ExternalID string
	// ICCID is the eSIM's, digits only, without the padding F.
	ICCID string
	// IMEI is the device's.
	IMEI string
	// ZIPCode is where the line is used: it picks the rate centre of the number.
	ZIPCode string
	// Plan is the carrier's name of the plan, from the tenant's plan table.
	Plan string
	// CustomerName is the name that the line is registered under.
	CustomerName string
}

// SIMChange is what ChangeSIM changes.
type SIMChange struct {
	// ExternalID is our name for the line.
	ExternalID string
	// ICCID is the new eSIM's.
	ICCID string
	// IMEI is the device's that will hold it.
	IMEI string
}

// State is the state of a line at the carrier.
type State string

// The states. A line begins PENDING or ACTIVE; FAILED and DEACTIVATED are final.
const (
	StatePending     State = "PENDING"
	StateActive      State = "ACTIVE"
	StateFailed      State = "FAILED"
	StateDeactivated State = "DEACTIVATED"
)

// Line is a line as the carrier shows it.
type Line struct {
	// ExternalID is our name for it.
	ExternalID string
	// Reference is the carrier's own id, for talking with the carrier's people.
	Reference string
	// State is never empty.
	State State
	// Number is in E.164. It may be empty until the line is ACTIVE.
	Number string
	// ICCID is the eSIM that the line is on, without the padding F.
	ICCID string
	// Reason says why a FAILED line failed; nil in every other state.
	Reason *fault.Error
}

// The types of events that this version knows. VerifyEvent passes others on, too.
const (
	EventLineActive      = "line.active"
	EventLineFailed      = "line.failed"
	EventLineSIMChanged  = "line.sim_changed"
	EventLineDeactivated = "line.deactivated"

	EventPortDelayed   = "port.delayed"
	EventPortConfirmed = "port.confirmed"
	EventPortRefused   = "port.refused"
	EventPortCompleted = "port.completed"
	EventPortCancelled = "port.cancelled"
)

// Event is something that happened at the carrier.
type Event struct {
	// ID is the carrier's id of the event, the same each time it is delivered.
	ID string
	// Type is one of the Event constants, or one that this version does not know.
	Type string
	// ExternalID is our name for the thing that it happened to.
	ExternalID string
	// At is when it happened.
	At time.Time
	// Line is the line as it was then; nil when the event is not about a line.
	Line *Line
	// Port is the port as it was then; nil when the event is not about a port.
	Port *Port
}

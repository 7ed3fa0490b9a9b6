package carrier

import "github.com/dialtone/dialtone/internal/fault"

// The refusals of this room. Those that end an activation are in mobile.
var (
	// ErrLineNotFound means that the carrier has no line with our external id. Only the
	// carrier's own word for it counts, not any 404.
	ErrLineNotFound = fault.New(fault.NotFound, "LINE_NOT_FOUND",
		"The carrier knows no line with this reference.")
	// ErrPortNotFound means that the carrier has no port with our external id. Only the
	// carrier's own word for it counts, not any 404.
	ErrPortNotFound = fault.New(fault.NotFound, "PORT_NOT_FOUND",
		"The carrier knows no port with this reference.")
	// ErrPortEnded means that the port is COMPLETED or CANCELLED.
	ErrPortEnded = fault.New(fault.Conflict, "PORT_ENDED",
		"The port has ended at the carrier.")
	// ErrSupplementNotAllowed means that the port cannot be changed where it stands, or that
	// the carrier changes none. Cancel it, await the cancel, and order anew.
	ErrSupplementNotAllowed = fault.New(fault.Conflict, "SUPPLEMENT_NOT_ALLOWED",
		"The carrier takes no change of this port.")
	// ErrEventSignature means that no live secret has signed the event.
	ErrEventSignature = fault.New(fault.Unauthenticated, "EVENT_SIGNATURE_INVALID",
		"The event's signature is missing or wrong.")
	// ErrEventStale means that the event was signed more than EventTolerance from now.
	ErrEventStale = fault.New(fault.Unauthenticated, "EVENT_SIGNATURE_STALE",
		"The event was signed too long ago, or a clock is wrong. Sign each delivery anew.")
	// ErrEventMalformed means that the event is signed, and is not one.
	ErrEventMalformed = fault.New(fault.Invalid, "EVENT_MALFORMED",
		"The event is signed but cannot be read as an event.")
)

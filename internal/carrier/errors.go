package carrier

import "github.com/dialtone/dialtone/internal/fault"

// The refusals of this room. Those that end an activation are in mobile.
var (
	// ErrLineNotFound means that the carrier has no line with our external id. Only the
	// carrier's own word for it counts, not any 404.
	ErrLineNotFound = fault.New(fault.NotFound, "LINE_NOT_FOUND",
		"The carrier knows no line with this reference.")
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

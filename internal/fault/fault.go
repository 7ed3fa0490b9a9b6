// Package fault is the one vocabulary in which Dialtone refuses.
//
// A refusal that a caller must tell apart is a named *Error, declared once by the room
// that owns the rule. Everything else is a plain Go error and reaches people as
// "internal". An Error has a public face (Reason, Public, Meta, Violations) and a private
// cause. Only the public face crosses a boundary: what is lost there is the cause, on
// purpose, because causes name hosts, statements and customers.
//
// Two frontiers translate: internal/server/errors.go into gRPC statuses, and
// activities/frontier.go into Temporal errors.
package fault

import (
	"errors"
	"maps"
	"time"
)

// Kind says what sort of refusal it is. The set is closed: a new refusal gets a new
// Reason, seldom a new Kind.
type Kind uint8

// The kinds, from the caller's fault to ours.
const (
	// Internal is the zero value, so that a forgotten Kind never blames the caller.
	Internal Kind = iota
	// Invalid means that the request is wrong whatever the state of the world.
	Invalid
	// NotFound means that what it names is not there, or not the caller's to see.
	NotFound
	// Exists means that what it would make is there already.
	Exists
	// Conflict means that the request is well formed, but the state of the thing forbids it.
	Conflict
	// Unauthenticated means that we do not know who asks.
	Unauthenticated
	// Denied means that we know who asks, and that they may not.
	Denied
	// Exhausted means too much, too fast.
	Exhausted
	// Unavailable means that the same call may succeed later.
	Unavailable
	// Unbuilt means that the contract has it and this version does not.
	Unbuilt
)

// Violation is one field of a request that was refused.
type Violation struct {
	// Field is the field's path in the request, as in "mobile_activation.imei".
	Field string
	// Reason is UPPER_SNAKE, for programs: "IMEI_CHECK_DIGIT".
	Reason string
	// Text says what is wrong and what would be right, for people.
	Text string
}

// Error is a named refusal.
type Error struct {
	// Kind sorts it.
	Kind Kind
	// Reason names it, UPPER_SNAKE, for ever: callers branch on it.
	Reason string
	// Public says what happened and what to do about it. It is shown to callers as it is.
	Public string
	// Meta are facts for programs, such as the activation_id in the way.
	Meta map[string]string
	// Violations name the fields at fault; with Invalid only.
	Violations []Violation
	// RetryAfter is how long to wait before the same call makes sense; 0 says nothing.
	RetryAfter time.Duration

	cause error
}

// New names a refusal. Public is written for the caller, once, here.
func New(kind Kind, reason, public string) *Error {
	return &Error{Kind: kind, Reason: reason, Public: public}
}

// Error gives the public face only, so that a wrapped cause cannot leak by accident.
func (e *Error) Error() string { return e.Public }

// Unwrap gives operators the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is makes two faults the same when their reasons are, so that a refusal keeps its
// identity when a cause or facts are attached.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Reason == e.Reason
}

// Because returns a copy with the private cause attached.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Saying returns a copy with another public text.
func (e *Error) Saying(public string) *Error {
	c := *e
	c.Public = public
	return &c
}

// With returns a copy with one more fact for programs.
func (e *Error) With(key, value string) *Error {
	c := *e
	c.Meta = maps.Clone(e.Meta)
	if c.Meta == nil {
		c.Meta = make(map[string]string, 1)
	}
	c.Meta[key] = value
	return &c
}

// After returns a copy that asks the caller to wait.
func (e *Error) After(wait time.Duration) *Error {
	c := *e
	c.RetryAfter = wait
	return &c
}

// Of returns the fault in err's chain, or nil when err is a plain error.
func Of(err error) *Error {
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	return nil
}

// InvalidFieldsReason is the Reason of every refusal that names fields.
const InvalidFieldsReason = "INVALID_FIELDS"

// InvalidFields refuses a request for all its bad fields at once.
func InvalidFields(violations []Violation) *Error {
	e := New(Invalid, InvalidFieldsReason, "Some fields cannot be accepted. Correct those listed and send the request again.")
	e.Violations = violations
	return e
}

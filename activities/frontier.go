package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Reasons that this room adds to the named refusals.
var (
	// ErrOutcomeUnknown says that an act outside may or may not have happened, and that
	// doing it again could do it twice: an operator must find out. Nothing is sent again.
	ErrOutcomeUnknown = fault.New(fault.Conflict, "OUTCOME_UNKNOWN",
		"It is not known whether this happened at the partner, and sending it again could do it twice. Look at the partner's side.")
	// errComingUp says that what was ordered is not there yet and that nothing is wrong.
	errComingUp = fault.New(fault.Unavailable, "COMING_UP", "The carrier has the order; the line is coming up.")
)

// What a plain error and a partner's "not now" and "unknown" are called outside this room.
const (
	reasonInternal    = "INTERNAL"
	reasonUnavailable = "PARTNER_UNAVAILABLE"
	reasonNoAnswer    = "PARTNER_NO_ANSWER"
)

// Outward turns an error into what the engine records: a type that is its Reason, a text
// that is safe, and whether it is worth another try. Causes stay behind. It looks through
// any wrapping, because the engine's own conversion looks at the outermost error only and
// would make every wrapped refusal a retryable "wrapError".
func Outward(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled) && mobile.VerdictOf(err) == mobile.VerdictUnknown && fault.Of(err) == nil:
		return temporal.NewCanceledError()
	}
	options := temporal.ApplicationErrorOptions{NonRetryable: final(err), NextRetryDelay: retryAfter(err)}
	if benign(err) {
		// A benign failure is no failure in metrics and logs: it is a poll.
		options.Category = temporal.ApplicationErrorCategoryBenign
	}
	return temporal.NewApplicationErrorWithOptions(textOf(err), reasonOf(err), options)
}

// benign tells whether an error only says that it is too early to tell.
func benign(err error) bool {
	return errors.Is(err, errComingUp) || errors.Is(err, errLookLater) || errors.Is(err, errAtDonor)
}

// final tells whether trying again cannot help.
func final(err error) bool {
	if p, ok := errors.AsType[*mobile.PartnerError](err); ok {
		return p.Verdict == mobile.VerdictRefused
	}
	f := fault.Of(err)
	if f == nil {
		return false
	}
	switch f.Kind {
	case fault.Invalid, fault.NotFound, fault.Exists, fault.Conflict, fault.Unauthenticated, fault.Denied, fault.Unbuilt:
		return true
	case fault.Internal, fault.Exhausted, fault.Unavailable:
		return false
	}
	return false
}

// reasonOf names an error for programs.
func reasonOf(err error) string {
	if p, ok := errors.AsType[*mobile.PartnerError](err); ok {
		switch {
		case p.Verdict == mobile.VerdictRefused && p.Reason != nil:
			return p.Reason.Reason
		case p.Verdict == mobile.VerdictUnknown:
			return reasonNoAnswer
		}
		return reasonUnavailable
	}
	if f := fault.Of(err); f != nil {
		return f.Reason
	}
	return reasonInternal
}

// textOf says what happened in words that are safe to keep for ever. A partner's own code
// stands beside our reason.
func textOf(err error) string {
	if p, ok := errors.AsType[*mobile.PartnerError](err); ok {
		if p.Reason != nil {
			return p.Reason.Public + " (" + p.Error() + ")"
		}
		return inWords(p) + " (" + p.Error() + ")"
	}
	if f := fault.Of(err); f != nil {
		return f.Public
	}
	return "Dialtone failed; its log has the cause."
}

// inWords says what an answer without a named reason means, for those who see the attempts of
// a step in the engine.
func inWords(p *mobile.PartnerError) string {
	who := map[mobile.Partner]string{
		mobile.PartnerCarrier: "The carrier", mobile.PartnerSMDPPlus: "The SM-DP+", mobile.PartnerSendGrid: "SendGrid",
	}[p.Partner]
	switch p.Verdict {
	case mobile.VerdictNotNow:
		return who + " cannot do it now. Nothing has happened there; it is tried again by itself."
	case mobile.VerdictUnknown:
		return who + " gave no clear answer. It is asked again by itself, in a way that does nothing twice."
	case mobile.VerdictRefused, mobile.VerdictYes:
	}
	return who + " gave an answer that is none of those agreed."
}

// retryAfter is the wait that an error asks for; 0 leaves it to the retry policy.
func retryAfter(err error) time.Duration {
	if p, ok := errors.AsType[*mobile.PartnerError](err); ok && p.RetryAfter > 0 {
		return p.RetryAfter
	}
	if f := fault.Of(err); f != nil {
		return f.RetryAfter
	}
	return 0
}

// causes lists the reasons in a chain, for the log.
func causes(err error) []string {
	var list []string
	for ; err != nil; err = errors.Unwrap(err) {
		list = append(list, err.Error())
	}
	return list
}

// Failed tells, in a workflow, whether an activity failed with this refusal.
func Failed(err error, refusal *fault.Error) bool {
	reason, _ := Refused(err)
	return reason == refusal.Reason
}

// Refused gives, in a workflow, the reason for which an activity will not be tried again;
// false when err is something else, such as a cancellation.
func Refused(err error) (reason string, ok bool) {
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	if !ok || !app.NonRetryable() {
		return "", false
	}
	return app.Type(), true
}

package mobile

import (
	"errors"
	"fmt"
	"time"

	"github.com/dialtone/dialtone/internal/fault"
)

// Partner is one of the companies that Dialtone acts through.
type Partner string

// The partners. The values stand in the database, in metrics and on screens.
const (
	PartnerCarrier  Partner = "carrier"
	PartnerSMDPPlus Partner = "smdp+"
	PartnerSendGrid Partner = "sendgrid"
)

// Verdict is what we know of an act outside after its attempt.
type Verdict string

// The verdicts. The empty one means that no attempt has begun.
const (
	// VerdictYes means that it has happened: a success that could be read, or "already
	// so" with our own reference.
	VerdictYes Verdict = "yes"
	// VerdictRefused means that it has not happened and that the same request never
	// will: the partner's code is one that our table knows.
	VerdictRefused Verdict = "refused"
	// VerdictNotNow means that it has not happened and that it may later.
	VerdictNotNow Verdict = "not_now"
	// VerdictUnknown means that a byte has left and that the answer does not tell.
	VerdictUnknown Verdict = "unknown"
)

// PartnerError is an answer of a partner other than yes. Each partner's package has one
// table from reply to PartnerError. It holds nothing that the partner said freely: such
// text may name the customer.
type PartnerError struct {
	Partner Partner
	Verdict Verdict
	// Reason names the refusal for VerdictRefused (such as ErrDeviceBlocked), and is nil
	// otherwise.
	Reason *fault.Error
	// Code is the partner's own code, shortened and made of safe characters: "HTTP 503",
	// "8.2.5/3.7", "refused connection". Operators see it.
	Code string
	// RetryAfter is the partner's own wish for the next try; 0 when it has none.
	RetryAfter time.Duration
	// Err is the cause, for logs at the edge only when it is safe; may be nil.
	Err error
}

// Error says partner, verdict and code, nothing that came from outside as free text.
func (e *PartnerError) Error() string {
	return fmt.Sprintf("%s: %s (%s)", e.Partner, e.Verdict, e.Code)
}

// Unwrap gives the named refusal, and the cause.
func (e *PartnerError) Unwrap() []error {
	var errs []error
	if e.Reason != nil {
		errs = append(errs, e.Reason)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// VerdictOf reads the verdict of a call to a partner from its error. An error that no
// table has judged is unknown: it is never taken for a no.
func VerdictOf(err error) Verdict {
	if err == nil {
		return VerdictYes
	}
	if p, ok := errors.AsType[*PartnerError](err); ok {
		return p.Verdict
	}
	return VerdictUnknown
}

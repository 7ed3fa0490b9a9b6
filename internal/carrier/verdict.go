package carrier

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire"
)

// This file is the table from the carrier's reply to our verdict:
//
//	no byte has left: refused connection, DNS, TLS, …      not now
//	the 2xx that the call expects, and it can be read      yes
//	401, 403, 429, 503                                     not now
//	any other 4xx with a code below                        as the code says
//	any other 4xx                                          not now
//	everything else: 5xx, 3xx, a lost or unreadable reply  unknown
//
// A call that changes nothing is never unknown: then it is not now.

// ruling is what a code of the carrier means.
type ruling struct {
	verdict mobile.Verdict
	reason  *fault.Error // for refused
}

const codeLineExists = "LINE_EXISTS"

// rulings has the codes that the API promises never to reuse.
var rulings = map[string]ruling{
	"DEVICE_BLOCKED":          {mobile.VerdictRefused, mobile.ErrDeviceBlocked},
	"DEVICE_NOT_ESIM_CAPABLE": {mobile.VerdictRefused, mobile.ErrDeviceNotESIMCapable},
	"DEVICE_NOT_SUPPORTED":    {mobile.VerdictRefused, mobile.ErrDeviceNotSupported},
	"DEVICE_UNKNOWN":          {mobile.VerdictRefused, mobile.ErrDeviceUnknown},
	"ZIP_NOT_SERVED":          {mobile.VerdictRefused, mobile.ErrZIPNotServed},
	"PLAN_UNKNOWN":            {mobile.VerdictRefused, mobile.ErrPlanNotKnownToCarrier},
	"ICCID_NOT_ACCEPTED":      {mobile.VerdictRefused, mobile.ErrICCIDNotAccepted},
	"INVALID_REQUEST":         {mobile.VerdictRefused, mobile.ErrPartnerRefused},
	"LINE_NOT_FOUND":          {mobile.VerdictRefused, ErrLineNotFound},
	"LINE_ENDED":              {mobile.VerdictRefused, mobile.ErrPartnerRefused},
	"LINE_PENDING":            {mobile.VerdictNotNow, nil},
	// The line with our external id is on another eSIM: this order will never be filled.
	// With our eSIM it is a success, and ActivateLine does not come here.
	codeLineExists: {mobile.VerdictRefused, mobile.ErrPartnerRefused},
	// Something was or is being done under our key, and this reply does not say what.
	"IDEMPOTENCY_KEY_REUSED": {mobile.VerdictUnknown, nil},
	"REQUEST_IN_PROGRESS":    {mobile.VerdictUnknown, nil},
}

// reasonOf names why a line failed.
func reasonOf(code string) *fault.Error {
	if r, known := rulings[code]; known && r.reason != nil {
		return r.reason
	}
	return mobile.ErrPartnerRefused
}

// answer is what came of a call: a reply that may be a yes, or an error.
type answer struct {
	write bool
	reply wire.Reply
	code  string // the carrier's, when it is one of rulings
	err   *mobile.PartnerError
}

// judgeFailure rules on a call that brought no whole reply.
func judgeFailure(write bool, e *wire.Error) answer {
	verdict, code := mobile.VerdictNotNow, e.Code
	if e.Sent && write {
		verdict = mobile.VerdictUnknown
	}
	if e.Status != 0 {
		code = fmt.Sprintf("HTTP %d, %s", e.Status, e.Code)
	}
	return answer{write: write, err: partnerError(verdict, code, e)}
}

// judge rules on a whole reply. A 2xx is left to read.
func judge(write bool, reply wire.Reply, now time.Time) answer {
	a := answer{write: write, reply: reply}
	if reply.Status/100 == 2 {
		return a
	}
	given := refusalCode(reply)
	rule, known := rulings[given]
	switch status := reply.Status; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden,
		status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		rule = ruling{verdict: mobile.VerdictNotNow}
	case status/100 == 4 && known:
		a.code = given
	case status/100 == 4:
		rule = ruling{verdict: mobile.VerdictNotNow}
	default:
		rule = ruling{verdict: mobile.VerdictUnknown}
	}
	if rule.verdict == mobile.VerdictUnknown && !write {
		rule.verdict = mobile.VerdictNotNow
	}
	code := reply.Code()
	if given != "" {
		code += " " + given
	}
	a.err = partnerError(rule.verdict, code, nil)
	a.err.Reason = rule.reason
	a.err.RetryAfter = wire.RetryAfter(reply.Header, now)
	return a
}

// codeForm is stricter than what is safe to print: a code that could be a name or a
// sentence is left out.
var codeForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,39}$`)

// refusalCode reads the carrier's code from a reply, or "".
func refusalCode(reply wire.Reply) string {
	var body refusalJSON
	if decode(reply, &body) != nil || !codeForm.MatchString(body.Error.Code) {
		return ""
	}
	return body.Error.Code
}

// read decodes a reply with one of these statuses, or says why it is not a yes.
func (a answer) read(into any, statuses ...int) error {
	if a.err != nil {
		return a.err
	}
	if !slices.Contains(statuses, a.reply.Status) {
		return a.unreadable("not the status of this call")
	}
	if err := decode(a.reply, into); err != nil {
		return a.unreadable("reply cannot be read")
	}
	return nil
}

// line reads a reply that shows the line of that external id.
func (a answer) line(externalID string, statuses ...int) (Line, error) {
	var body lineJSON
	if err := a.read(&body, statuses...); err != nil {
		return Line{}, err
	}
	line, wrong := body.line()
	if wrong == "" && line.ExternalID != externalID {
		wrong = "reply names another external id"
	}
	if wrong != "" {
		return Line{}, a.unreadable(wrong)
	}
	return line, nil
}

// existing reads "there is such a line already": a yes if the line is the one we ordered.
func (a answer) existing(order LineOrder) (Line, error) {
	var refusal refusalJSON
	var body lineJSON
	if decode(a.reply, &refusal) != nil || json.Unmarshal(refusal.Line, &body) != nil {
		return Line{}, a.unreadable("reply does not show the line")
	}
	line, wrong := body.line()
	switch {
	case wrong != "" || line.ExternalID != order.ExternalID:
		return Line{}, a.unreadable("reply does not show the line")
	case line.ICCID != unpadded(order.ICCID):
		return Line{}, a.err
	default:
		return line, nil
	}
}

// unreadable is the error for a reply that should have been a yes and cannot be taken for
// one. For a write it is unknown: the carrier may well have acted.
func (a answer) unreadable(what string) *mobile.PartnerError {
	verdict := mobile.VerdictNotNow
	if a.write {
		verdict = mobile.VerdictUnknown
	}
	return partnerError(verdict, a.reply.Code()+", "+what, nil)
}

func partnerError(verdict mobile.Verdict, code string, cause error) *mobile.PartnerError {
	return &mobile.PartnerError{Partner: mobile.PartnerCarrier, Verdict: verdict, Code: code, Err: cause}
}

var errNotJSON = errors.New("the reply's content type is not application/json")

// decode reads JSON that says that it is JSON.
func decode(reply wire.Reply, into any) error {
	kind, _, err := mime.ParseMediaType(reply.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return errNotJSON
	}
	return json.Unmarshal(reply.Body, into)
}

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
//	no byte has left: refused connection, DNS, TLS, called off       not now
//	401, 403, 429 or 503, whatever its body says or lacks            not now
//	any other 4xx, with a code that rulings has for the call         as ruled
//	any other 4xx, with a port's reason, for an order or a change    refused
//	any other 4xx, with another code or none                         not now
//	LINE_EXISTS, showing our line live or pending, with our eSIM     yes
//	LINE_EXISTS, showing our line live or pending, with another      as ruled
//	LINE_EXISTS, showing no line, an ended one or another's          unknown
//	PORT_EXISTS, showing our port, of our number, eSIM and line      yes
//	PORT_EXISTS, showing our port, of another number, eSIM or line   as ruled
//	PORT_EXISTS, showing no port, or another's                       unknown
//	the 2xx that the call expects, and it can be read                yes
//	any other 2xx, and one that cannot be read                       unknown
//	any 1xx, 3xx or 5xx, and what is no status at all                unknown
//	a byte has left, and no whole reply came                         unknown
//
// A call that changes nothing is never unknown: then it is not now.

// call is one call of the API. Calls are bits, so that a ruling can name several.
type call uint16

const (
	checkDevice call = 1 << iota
	activateLine
	readLine
	changeSIM
	deactivateLine
	checkPortability
	submitPort
	supplementPort
	cancelPort
	readPort

	asks    = checkDevice | checkPortability
	writes  = activateLine | changeSIM | deactivateLine | submitPort | supplementPort | cancelPort
	orders  = activateLine | submitPort
	devices = checkDevice | changeSIM | orders
	reasons = submitPort | supplementPort
)

// asks says that the call is about nothing that has an external id.
func (c call) asks() bool { return c&asks != 0 }

// writes says that the call changes something; it then needs a key.
func (c call) writes() bool { return c&writes != 0 }

// ruling is what a code of the carrier means.
type ruling struct {
	verdict mobile.Verdict
	reason  *fault.Error // for refused
	// answers are the calls that the API lets be answered so. At any other the code is a
	// mistake of somebody's, and no mistake may end an activation: a look at a line, above
	// all, is refused by nothing but the word that there is none.
	answers call
}

const (
	codeLineExists = "LINE_EXISTS"
	codeLineEnded  = "LINE_ENDED"
	codePortExists = "PORT_EXISTS"
)

// rulings has the codes that the API promises never to reuse.
var rulings = map[string]ruling{
	"DEVICE_BLOCKED":          {mobile.VerdictRefused, mobile.ErrDeviceBlocked, devices},
	"DEVICE_NOT_ESIM_CAPABLE": {mobile.VerdictRefused, mobile.ErrDeviceNotESIMCapable, devices},
	"DEVICE_NOT_SUPPORTED":    {mobile.VerdictRefused, mobile.ErrDeviceNotSupported, devices},
	"DEVICE_UNKNOWN":          {mobile.VerdictRefused, mobile.ErrDeviceUnknown, devices},
	"ZIP_NOT_SERVED":          {mobile.VerdictRefused, mobile.ErrZIPNotServed, checkDevice | orders},
	"PLAN_UNKNOWN":            {mobile.VerdictRefused, mobile.ErrPlanNotKnownToCarrier, orders},
	"ICCID_NOT_ACCEPTED":      {mobile.VerdictRefused, mobile.ErrICCIDNotAccepted, orders | changeSIM},
	"INVALID_REQUEST":         {mobile.VerdictRefused, mobile.ErrPartnerRefused, writes},
	"LINE_NOT_FOUND":          {mobile.VerdictRefused, ErrLineNotFound, readLine | changeSIM | deactivateLine},
	"LINE_PENDING":            {mobile.VerdictNotNow, nil, changeSIM},
	// To deactivate a line that has ended is a success, and DeactivateLine says so.
	codeLineEnded: {mobile.VerdictRefused, mobile.ErrPartnerRefused, changeSIM},
	// The line with our external id is on another eSIM: this order will never be filled.
	// With our eSIM it is a success; see existing.
	codeLineExists:           {mobile.VerdictRefused, mobile.ErrPartnerRefused, activateLine},
	"PORT_NOT_FOUND":         {mobile.VerdictRefused, ErrPortNotFound, readPort | supplementPort | cancelPort},
	"PORT_ENDED":             {mobile.VerdictRefused, ErrPortEnded, supplementPort},
	"SUPPLEMENT_NOT_ALLOWED": {mobile.VerdictRefused, ErrSupplementNotAllowed, supplementPort},
	// As with a line: the order with our external id is for another number, or another eSIM.
	codePortExists: {mobile.VerdictRefused, mobile.ErrPartnerRefused, submitPort},
	// Something was or is being done under our key, and this reply does not say what.
	"IDEMPOTENCY_KEY_REUSED": {mobile.VerdictUnknown, nil, writes},
	"REQUEST_IN_PROGRESS":    {mobile.VerdictUnknown, nil, writes},
}

// ruled looks up what a code means as the answer to a call.
func ruled(c call, code string) (ruling, bool) {
	if reason, known := portReasons[code]; known && c&reasons != 0 {
		return ruling{mobile.VerdictRefused, reason.Refusal(), reasons}, true
	}
	r, known := rulings[code]
	return r, known && r.answers&c != 0
}

// reasonOf names why a line failed: it speaks the codes of the order, or others.
func reasonOf(code string) *fault.Error {
	if r, known := ruled(activateLine, code); known && r.reason != nil {
		return r.reason
	}
	return mobile.ErrPartnerRefused
}

// answer is what came of a call: a reply that may be a yes, or an error.
type answer struct {
	call  call
	reply wire.Reply
	code  string // the carrier's, when the reply is a 4xx whose code counts
	err   *mobile.PartnerError
}

// judgeFailure rules on a call that brought no whole reply.
func judgeFailure(c call, e *wire.Error) answer {
	verdict, code := mobile.VerdictNotNow, e.Code
	if e.Sent && c.writes() && !notNow(e.Status) {
		verdict = mobile.VerdictUnknown
	}
	if e.Status != 0 {
		code = fmt.Sprintf("HTTP %d, %s", e.Status, e.Code)
	}
	return answer{call: c, err: partnerError(verdict, code, e)}
}

// notNow knows the statuses that say by themselves that nothing was done: our key does not
// count, or the carrier has no time. No code beside them, and no lost body, changes that.
func notNow(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	}
	return false
}

// judge rules on a whole reply. A 2xx is left to read.
func judge(c call, reply wire.Reply, now time.Time) answer {
	a := answer{call: c, reply: reply}
	if reply.Status/100 == 2 {
		return a
	}
	given := refusalCode(reply)
	rule := ruling{verdict: mobile.VerdictNotNow}
	switch {
	case notNow(reply.Status):
	case reply.Status/100 == 4:
		a.code = given
		if r, known := ruled(c, given); known {
			rule = r
		}
	default:
		rule.verdict = mobile.VerdictUnknown
	}
	if rule.verdict == mobile.VerdictUnknown && !c.writes() {
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

// codeForm is stricter than what is safe to print: a code that could be a name, a sentence,
// a PIN or an account number is left out. Donors' codes are a digit and a letter.
var codeForm = regexp.MustCompile(`^([A-Z][A-Z0-9_]{0,39}|[0-9][A-Z])$`)

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

// existing reads "there is such a line already": a yes if it is the line that we want, and
// no more than the error otherwise. One that has ended is not: what we want is not so.
func (a answer) existing(externalID, iccid string) (Line, error) {
	var refusal refusalJSON
	var body lineJSON
	if decode(a.reply, &refusal) != nil || json.Unmarshal(refusal.Line, &body) != nil {
		return Line{}, a.unreadable("reply does not show the line")
	}
	line, wrong := body.line()
	switch {
	case wrong != "" || line.ExternalID != externalID:
		return Line{}, a.unreadable("reply does not show the line")
	case line.State != StateActive && line.State != StatePending:
		return Line{}, a.unreadable("reply shows a line that has ended")
	case line.ICCID != unpadded(iccid):
		return Line{}, a.err
	default:
		return line, nil
	}
}

// port reads a reply that shows the port of that external id.
func (a answer) port(externalID string, statuses ...int) (Port, error) {
	var body portJSON
	if err := a.read(&body, statuses...); err != nil {
		return Port{}, err
	}
	port, wrong := body.port()
	if wrong == "" && port.ExternalID != externalID {
		wrong = "reply names another external id"
	}
	if wrong != "" {
		return Port{}, a.unreadable(wrong)
	}
	return port, nil
}

// existingPort reads "there is such a port already": a yes if it is the port that we want, in
// whatever state, for its external id is of one order only.
func (a answer) existingPort(order PortOrder) (Port, error) {
	var refusal refusalJSON
	var body portJSON
	if decode(a.reply, &refusal) != nil || json.Unmarshal(refusal.Port, &body) != nil {
		return Port{}, a.unreadable("reply does not show the port")
	}
	port, wrong := body.port()
	switch {
	case wrong != "" || port.ExternalID != order.ExternalID:
		return Port{}, a.unreadable("reply does not show the port")
	case !port.fills(order):
		return Port{}, a.err
	default:
		return port, nil
	}
}

// unreadable is the error for a reply that should have been a yes and cannot be taken for
// one. For a write it is unknown: the carrier may well have acted.
func (a answer) unreadable(what string) *mobile.PartnerError {
	verdict := mobile.VerdictNotNow
	if a.call.writes() {
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

package esim

import (
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire"
)

// The one table from reply to verdict:
//
//	no byte has left: refused connection, DNS, TLS, called off    not now
//	2xx, Executed-Success or Executed-WithWarning                 yes
//	2xx, Failed, and the pair of codes is listed for the act      as listed
//	2xx, Failed, with another pair or none                        not now
//	2xx, Expired, or a status that SGP.22 does not have           unknown
//	2xx that cannot be read                                       unknown
//	401, 403, 429 or 503, whatever its body says or lacks         not now
//	any other 4xx, Failed, and the pair is listed for the act     as listed
//	any other 4xx, whatever its body says or lacks                not now
//	any 1xx, 3xx or 5xx, and what is no status at all             unknown
//	a byte has left, and no whole reply came                      unknown
//
// Failed says that the function was not executed (SGP.22 §5.2), whatever the pair: what we
// do not know of a pair is only whether it passes. To call it refused would end a customer's
// activation on a guess, so it is tried again, and an operator sees the code. Expired says
// that a time was over, and not how far the SM-DP+ had come by then; we set no such time, so
// nobody should ever say it.

// act is one function of ES2+ in one use of it: what a code means depends on both.
type act int

const (
	downloadByICCID act = iota
	downloadByType
	confirm
	cancel
)

func (a act) function() string {
	return [...]string{
		downloadByICCID: "downloadOrder",
		downloadByType:  "downloadOrder",
		confirm:         "confirmOrder",
		cancel:          "cancelOrder",
	}[a]
}

// restockWait is how long to wait for new stock: people make it, in hours.
const restockWait = 15 * time.Minute

// meaning is what a pair of codes says of an act.
type meaning struct {
	verdict mobile.Verdict
	reason  *fault.Error
	wait    time.Duration
}

var (
	yes     = meaning{verdict: mobile.VerdictYes}
	notNow  = meaning{verdict: mobile.VerdictNotNow}
	restock = meaning{verdict: mobile.VerdictNotNow, wait: restockWait}

	never       = meaning{verdict: mobile.VerdictRefused, reason: mobile.ErrPartnerRefused}
	typeUnknown = meaning{verdict: mobile.VerdictRefused, reason: mobile.ErrProfileTypeUnknown}
	notForUs    = meaning{verdict: mobile.VerdictRefused, reason: mobile.ErrProfileNotAvailable}
	downloaded  = meaning{verdict: mobile.VerdictRefused, reason: mobile.ErrProfileInUse}
)

// everywhere lists the pairs that mean the same to each act. All of them come from how we
// are set up or how the SM-DP+ feels, and none from this order: they pass once somebody has
// mended it, so that none may end an activation.
var everywhere = map[string]meaning{
	"1.1/1.1": notNow, // caller unknown: as HTTP 401
	"1.1/1.2": notNow, // caller not allowed: as HTTP 403
	"1.2/4.2": notNow, // internal error of the SM-DP+
	"1.2/4.4": notNow, // busy
	"1.6/2.1": notNow, // a parameter is wrong or missing: our defect, mended by an upgrade
	"1.6/2.2": notNow,
	"1.6/2.3": notNow,
}

// listed holds the pairs whose meaning depends on the act (SGP.22 §5.3.1 to §5.3.3).
var listed = map[act]map[string]meaning{
	downloadByICCID: {
		// The ICCID is in use. It is of our own inventory, where one order only can hold
		// it, so it is this order: an earlier try whose answer was lost. Should the
		// inventory be wrong, the confirmation is refused, and nothing is lost.
		"8.2.1/3.3":  yes,
		"8.2.1/1.2":  notForUs, // not ours
		"8.2.1/3.9":  notForUs, // unknown
		"8.2.1/3.1":  notForUs, // tied to some EID, written in four ways
		"8.2.1/3.10": notForUs,
		"8.1.1/3.1":  notForUs,
		"8.1.1/3.10": notForUs,
		"8.1.1/2.2":  never, // wants an EID, which we do not have
		"8.1.1/3.8":  never,
		"8.2.5/1.2":  typeUnknown, // not allowed
		"8.2.5/3.7":  restock,     // none left
		"8.2.5/3.8":  typeUnknown, // the ICCID is of another type
		"8.2.5/3.9":  typeUnknown, // unknown
		"8.2.5/4.3":  typeUnknown, // none is eligible
	},
	downloadByType: {
		"8.1.1/2.2": never,
		"8.1.1/3.8": never,
		"8.2.5/1.2": typeUnknown,
		"8.2.5/3.7": restock,
		"8.2.5/3.8": typeUnknown,
		"8.2.5/3.9": typeUnknown,
		"8.2.5/4.3": typeUnknown,
	},
	confirm: {
		// The matching id is in use. It has 128 random bits and belongs to this ICCID, so
		// it is used by this very order: an earlier try whose answer was lost.
		"8.2.6/3.3":  yes,
		"8.2.6/3.8":  notForUs, // this matching id is refused
		"8.2.6/3.10": notForUs, // the profile has another one, so another's order
		"8.2.1/1.2":  notForUs, // not ours
		"8.2.1/3.1":  notForUs, // tied to some EID
		"8.2.1/3.10": notForUs,
		"8.1.1/3.1":  notForUs,
		"8.1.1/3.10": notForUs,
		// Not available, not releasable: it was used, but nothing says that it was by us.
		"8.2.1/3.3":  notForUs,
		"8.2.1/3.5":  notForUs,
		"8.2.1/3.9":  notForUs, // unknown
		"8.8.5/4.1":  notForUs, // the order has expired
		"8.8.5/4.10": notForUs,
		"8.8.5/6.4":  notForUs, // too many downloads
		"8.1.1/2.2":  never,    // wants an EID
		"8.1.1/3.8":  never,
		"8.2.7/2.2":  never, // wants a confirmation code, which we never use
		"8.2.7/3.8":  never,
		"8.2.7/6.4":  never,
		"8.9/4.2":    notNow, // the discovery service (SM-DS) behind it
		"8.9/5.1":    notNow,
	},
	cancel: {
		// The profile is unknown. Its ICCID came from the SM-DP+ or was accepted by it, so
		// this is the trace of an earlier cancel, and there is nothing left to give back.
		"8.2.1/3.9": yes,
		// The profile has another matching id than ours, which is only sent of an order that was
		// confirmed under it: that order has ended, by an earlier cancel, and perhaps the profile
		// has a new one, which must be left alone.
		"8.2.6/3.10": yes,
		"8.8.5/4.1":  yes, // the order has ended by itself
		"8.8.5/4.10": yes,
		"8.2.1/3.3":  downloaded, // downloaded
		"8.2.1/1.2":  notForUs,
	},
}

// judge reads a whole reply: it means yes, or it is an error.
func judge(act act, answer wire.Reply) (reply, *mobile.PartnerError) {
	var r reply
	readable := json.Unmarshal(answer.Body, &r) == nil
	status := r.Header.Execution.Status
	counts := readable && status == statusFailed && mayRefuse(answer.Status)
	switch {
	case answer.Status/100 != 2 && !counts:
		return reply{}, judgeStatus(answer.Status)
	case !readable:
		return reply{}, garbled("reply not readable")
	}
	switch status {
	case statusSuccess, statusWarning:
		return r, nil
	case statusFailed:
		return judgeFailed(act, answer.Status, pair(r.Header.Execution))
	case statusExpired:
		return reply{}, garbled(statusExpired)
	default:
		return reply{}, garbled("reply without a known status")
	}
}

// judgeFailed judges what the SM-DP+ says was not executed, in a 2xx or a 4xx.
func judgeFailed(act act, status int, code string) (reply, *mobile.PartnerError) {
	if meaning, known := lookUp(act, code); known {
		return meaning.answer(code)
	}
	if status/100 == 2 {
		return reply{}, later(code)
	}
	return reply{}, judgeStatus(status)
}

// mayRefuse knows the statuses beside which a pair counts. A 401, 403 or 429 is about us or
// about the moment, so that no pair beside it can be about the order.
func mayRefuse(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return false
	}
	return status/100 == 4
}

func lookUp(act act, code string) (meaning, bool) {
	if m, known := listed[act][code]; known {
		return m, true
	}
	m, known := everywhere[code]
	return m, known
}

func (m meaning) answer(code string) (reply, *mobile.PartnerError) {
	if m.verdict == mobile.VerdictYes {
		return reply{alreadySo: true}, nil
	}
	return reply{}, &mobile.PartnerError{
		Partner: mobile.PartnerSMDPPlus, Verdict: m.verdict, Reason: m.reason, Code: code, RetryAfter: m.wait,
	}
}

// judgeStatus judges by a status line alone that is not a 2xx.
func judgeStatus(status int) *mobile.PartnerError {
	code := wire.Reply{Status: status}.Code()
	if status/100 == 4 || status == http.StatusServiceUnavailable {
		return later(code)
	}
	return garbled(code)
}

// judgeSilence judges a call that brought no whole reply. A 4xx whose body was lost is not
// now like any other: had its pair refused, the next try will say so.
func judgeSilence(e *wire.Error) *mobile.PartnerError {
	verdict := garbled(e.Code)
	switch {
	case !e.Sent:
		verdict = later(e.Code)
	case e.Status != 0 && e.Status/100 != 2:
		verdict = judgeStatus(e.Status)
	}
	verdict.Err = e
	return verdict
}

// number is a subject or reason code of SGP.22: never longer, never anything else.
var number = regexp.MustCompile(`^[0-9]{1,2}(\.[0-9]{1,2}){0,4}$`)

// pair writes the two codes as operators know them, "8.2.5/3.7". What is not a code is not
// repeated.
func pair(status executionStatus) string {
	if !number.MatchString(status.Code.Subject) || !number.MatchString(status.Code.Reason) {
		return statusFailed
	}
	return status.Code.Subject + "/" + status.Code.Reason
}

// unsent is for a call that was not made.
func unsent(code string, cause error) *mobile.PartnerError {
	e := later(code)
	e.Err = cause
	return e
}

func later(code string) *mobile.PartnerError {
	return &mobile.PartnerError{Partner: mobile.PartnerSMDPPlus, Verdict: mobile.VerdictNotNow, Code: code}
}

// garbled is for what may have happened: its answer does not tell.
func garbled(code string) *mobile.PartnerError {
	return &mobile.PartnerError{Partner: mobile.PartnerSMDPPlus, Verdict: mobile.VerdictUnknown, Code: code}
}

func refused(code string, reason *fault.Error) *mobile.PartnerError {
	return &mobile.PartnerError{Partner: mobile.PartnerSMDPPlus, Verdict: mobile.VerdictRefused, Reason: reason, Code: code}
}

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

// The one table from reply to verdict. In order:
//
//	no byte has left (refused connection, DNS, TLS)     not now
//	a byte has left, no whole reply                     by its status if one came, else unknown
//	2xx, Executed-Success or Executed-WithWarning       yes
//	2xx, Expired                                        not now
//	2xx or 4xx, Failed, the pair of codes is listed     as listed below
//	2xx, Failed, any other pair or none                 not now
//	2xx that does not read as one of these              unknown
//	401, 403, 429, any other 4xx, 503                   not now
//	3xx, 500, 502, 504, any other                       unknown
//
// Failed and Expired both say that the function was not executed (SGP.22 §5.2). A pair
// that we do not know may pass or may not; to call it refused would end a customer's
// activation on a guess, so it is tried again, and an operator sees the code.

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
		// The profile has another matching id than ours: our order has ended, and perhaps
		// the profile has a new one, which must be left alone.
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
	success := answer.Status/100 == 2
	status := r.Header.Execution.Status
	switch {
	case !success && answer.Status/100 != 4, !success && (!readable || status != statusFailed):
		return reply{}, judgeStatus(answer.Status, answer.Code())
	case !readable:
		return reply{}, garbled("reply not readable")
	}
	switch status {
	case statusSuccess, statusWarning:
		return r, nil
	case statusExpired:
		return reply{}, later(statusExpired)
	case statusFailed:
		code := pair(r.Header.Execution)
		if meaning, known := lookUp(act, code); known {
			return meaning.answer(code)
		}
		if success {
			return reply{}, later(code)
		}
		return reply{}, judgeStatus(answer.Status, answer.Code())
	default:
		return reply{}, garbled("reply without a known status")
	}
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

// judgeStatus judges by the status line alone.
func judgeStatus(status int, code string) *mobile.PartnerError {
	if status/100 == 4 || status == http.StatusServiceUnavailable {
		return later(code)
	}
	return garbled(code)
}

// judgeSilence judges a call that brought no whole reply.
func judgeSilence(e *wire.Error) *mobile.PartnerError {
	verdict := garbled(e.Code)
	switch {
	case !e.Sent:
		verdict = later(e.Code)
	case e.Status != 0 && e.Status/100 != 2:
		verdict = judgeStatus(e.Status, wire.Reply{Status: e.Status}.Code())
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

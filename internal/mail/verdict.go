package mail

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire"
)

// The table from SendGrid's reply to what is known afterwards. A row that is not here is
// unknown: it is never taken for a no.
//
//	202                              yes       queued; an id may be missing
//	400, 413                         refused   MAIL_REFUSED: this body will never be taken
//	401, 403                         not now   our key or sender identity; people mend it
//	429, 503                         not now   with the wait that SendGrid asks for
//	any other 4xx                    not now   we speak to the wrong place
//	any other 5xx, 1xx to 3xx, 2xx   unknown   it may have been queued
//	no reply, no byte has left       not now   refused connection, DNS, TLS
//	no reply, a byte has left        unknown   reset, timeout, a reply cut short
//
// Why a 202 without X-Message-Id is a yes: the status alone says that the message is
// queued. The id only eases looking it up, and events bring our own notice_id in any case;
// calling it unknown would ask an operator about a mail that was taken.
func judgeReply(reply wire.Reply, now time.Time) *mobile.PartnerError {
	e := &mobile.PartnerError{Partner: mobile.PartnerSendGrid, Code: reply.Code()}
	switch {
	case reply.Status == http.StatusBadRequest, reply.Status == http.StatusRequestEntityTooLarge:
		e.Verdict = mobile.VerdictRefused
		e.Reason = mobile.ErrMailAddressRefused
		e.Code += faultyField(reply.Body)
	case reply.Status == http.StatusTooManyRequests, reply.Status == http.StatusServiceUnavailable:
		e.Verdict = mobile.VerdictNotNow
		e.RetryAfter = wait(reply.Header, now)
	case reply.Status >= 400 && reply.Status <= 499:
		e.Verdict = mobile.VerdictNotNow
	default:
		e.Verdict = mobile.VerdictUnknown
	}
	return e
}

// judgeSilence judges a call that brought no whole reply. Where only a status line came,
// something between us and SendGrid was breaking: it is trusted neither to say no nor yes.
func judgeSilence(e *wire.Error) *mobile.PartnerError {
	verdict := mobile.VerdictUnknown
	if !e.Sent {
		verdict = mobile.VerdictNotNow
	}
	return &mobile.PartnerError{Partner: mobile.PartnerSendGrid, Verdict: verdict, Code: e.Code, Err: e}
}

// messageIDMax is far above the length of SendGrid's ids (22 characters, once 30).
const messageIDMax = 128

var safeID = regexp.MustCompile(`^[A-Za-z0-9._~=-]+$`)

// messageID drops an id that could not stand in a log line.
func messageID(header http.Header) string {
	id := header.Get("X-Message-Id")
	if len(id) > messageIDMax || !safeID.MatchString(id) {
		return ""
	}
	return id
}

// fieldPath is the form of the paths by which SendGrid names a field of the request, as in
// "personalizations.0.to.0.email": the names are those of its API.
var fieldPath = regexp.MustCompile(`^(personalizations|from|reply_to|subject|content|attachments|custom_args|tracking_settings|mail_settings)(\.[a-z_]{1,32}|\.[0-9]{1,4})*$`)

// faultyField tells which field SendGrid refused, and nothing of its message, which may
// quote the address.
func faultyField(body []byte) string {
	var reply struct {
		Errors []struct {
			Field *string `json:"field"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &reply) != nil {
		return ""
	}
	for _, e := range reply.Errors {
		if e.Field != nil && len(*e.Field) < wire.CodeMax-len("HTTP 400 ") && fieldPath.MatchString(*e.Field) {
			return " " + *e.Field
		}
	}
	return ""
}

// wait reads Retry-After, or the X-RateLimit-Reset (seconds since 1970) that SendGrid sends
// with a 429 instead.
func wait(header http.Header, now time.Time) time.Duration {
	if after := wire.RetryAfter(header, now); after > 0 {
		return after
	}
	reset, err := strconv.ParseInt(header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return 0
	}
	return min(max(time.Unix(reset, 0).Sub(now), 0), wire.RetryAfterMax)
}

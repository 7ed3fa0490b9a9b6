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
//	no byte has left                             not now   refused connection, DNS, TLS, called off
//	202, with an X-Message-Id                    yes       queued
//	202, without one                             yes       queued as well; see below
//	400 or 413, whole                            refused   MAIL_REFUSED: this body will never be taken
//	401 or 403, whatever its body lacks          not now   our key or sender identity; people mend it
//	429 or 503, whatever its body lacks          not now   with the wait that SendGrid asks for
//	any other 4xx, whatever its body lacks       not now   we speak to the wrong place
//	400 or 413, cut short                        not now   the next try will bring all of it
//	any 1xx, 3xx, other 2xx or 5xx               unknown   it may have been queued
//	a byte has left, and no other reply came     unknown   reset, timeout, a reply cut short
//
// Why a 202 without X-Message-Id is a yes: the status alone says that the message is
// queued. The id only eases looking it up, and events bring our own notice_id in any case;
// calling it unknown would ask an operator about a mail that was taken.
//
// SendGrid has no "already so": it knows no key of ours and takes the same message twice.
func judgeReply(reply wire.Reply, now time.Time) *mobile.PartnerError {
	e := judgeStatus(reply.Status)
	switch reply.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		e.Verdict = mobile.VerdictRefused
		e.Reason = mobile.ErrMailAddressRefused
		e.Code += faultyField(reply.Body)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		e.RetryAfter = wait(reply.Header, now)
	}
	return e
}

// judgeStatus judges by a status line alone, which is never enough to refuse a message.
func judgeStatus(status int) *mobile.PartnerError {
	verdict := mobile.VerdictUnknown
	if status/100 == 4 || status == http.StatusServiceUnavailable {
		verdict = mobile.VerdictNotNow
	}
	return &mobile.PartnerError{Partner: mobile.PartnerSendGrid, Verdict: verdict, Code: wire.Reply{Status: status}.Code()}
}

// judgeSilence judges a call that brought no whole reply. Where the status came and the body
// did not, the status stands: a 4xx was not queued, however its text was lost. Half of a 202
// is unknown, though, because something between us and SendGrid was breaking.
func judgeSilence(e *wire.Error) *mobile.PartnerError {
	judged := &mobile.PartnerError{Partner: mobile.PartnerSendGrid, Verdict: mobile.VerdictUnknown, Code: e.Code}
	switch {
	case !e.Sent:
		judged.Verdict = mobile.VerdictNotNow
	case e.Status != 0:
		judged = judgeStatus(e.Status)
		judged.Code += ", " + e.Code
	}
	judged.Err = e
	return judged
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

package esim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire"
)

// ProgressPath is where the SM-DP+ posts how a download goes (ES2+
// handleDownloadProgressInfo, SGP.22 §5.3.5). The answer to a notification that was kept is
// HTTP 204 without a body; anything else, and the SM-DP+ sends it again.
//
// The message carries no signature. In production the caller is known by mutual TLS, ended
// by us or by the proxy in front; the functionRequesterIdentifier in it is a name, not a
// proof. What it tells moves a profile's install state and decides nothing else, so that a
// forged one can mislead people but cannot change a line.
const ProgressPath = basePath + "/handleDownloadProgressInfo"

// ErrProgress refuses a body that is not a download notification. It repeats nothing of it.
var ErrProgress = fault.New(fault.Invalid, "PROGRESS_NOT_VALID",
	"This is not an ES2+ handleDownloadProgressInfo message: iccid, notificationPointId and notificationPointStatus are needed.")

// Progress is one notification, in our words.
type Progress struct {
	// ICCID says which profile; all else is detail.
	ICCID mobile.ICCID
	// ProfileType and CallID are the SM-DP+'s, cut to safe characters; may be empty.
	ProfileType, CallID string
	// EID is the phone's eUICC, when the SM-DP+ tells and it is one. It is personal data.
	EID string
	// At is the SM-DP+'s time, zero when it cannot be read.
	At time.Time
	// Report moves the profile's install state: state.After(Report).
	Report mobile.InstallReport
	// Code says what went wrong, for operators: "8.1/4.8", "error reason 10"; else empty.
	Code string
	// Key is the same for the same notification sent again, and for no other.
	Key string
}

// progressMessage is the message in its JSON binding. Vendors write the point as number or
// text, and the time as a date or in seconds; encoding/json bears their "timeStamp".
type progressMessage struct {
	Header      requestHeader   `json:"header"`
	EID         string          `json:"eid"`
	ICCID       string          `json:"iccid"`
	ProfileType string          `json:"profileType"`
	Timestamp   looseText       `json:"timestamp"`
	Point       looseText       `json:"notificationPointId"`
	Status      executionStatus `json:"notificationPointStatus"`
	ResultData  string          `json:"resultData"`
}

// looseText takes a JSON text or number.
type looseText string

// UnmarshalJSON takes a number as it is written.
func (l *looseText) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*l = looseText(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return err
	}
	*l = looseText(number)
	return nil
}

var eid = regexp.MustCompile(`^[0-9]{32}$`)

// ParseProgress reads the body of a notification. Only ICCID, point and status must be
// there; what else cannot be read is left out, because a notification that we refuse is
// sent again for ever. It refuses with ErrProgress.
func ParseProgress(body []byte) (Progress, error) {
	var m progressMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return Progress{}, ErrProgress
	}
	iccid, err := mobile.ParseICCID(m.ICCID)
	if err != nil {
		return Progress{}, ErrProgress
	}
	point, err := strconv.ParseUint(string(m.Point), 10, 16)
	if err != nil || m.Status.Status == "" {
		return Progress{}, ErrProgress
	}
	outcome, code := m.outcome()
	p := Progress{
		ICCID:       iccid,
		ProfileType: wire.SafeCode(m.ProfileType),
		CallID:      wire.SafeCode(m.Header.CallID),
		At:          m.at(),
		Report:      mobile.InstallReport{Point: mobile.InstallPoint(point), Outcome: outcome},
		Code:        code,
		Key:         m.key(iccid),
	}
	if eid.MatchString(m.EID) {
		p.EID = m.EID
	}
	return p, nil
}

// outcome says how it went, and why when it went wrong. The eUICC's own word goes before
// the status codes, because it alone tells a full memory from a broken profile.
func (m progressMessage) outcome() (mobile.InstallOutcome, string) {
	switch m.Status.Status {
	case statusSuccess, statusWarning:
		return mobile.OutcomeDone, ""
	case statusFailed:
	default:
		return mobile.OutcomeUnclear, ""
	}
	if reason, ok := errorReason(m.ResultData); ok {
		code := fmt.Sprintf("error reason %d", reason)
		if reason == reasonMemory || reason == reasonInterrupted {
			return mobile.OutcomeFailedForNow, code
		}
		return mobile.OutcomeFailed, code
	}
	code := pair(m.Status)
	if code == "8.1/4.8" { // the eUICC's memory is full, found before the download
		return mobile.OutcomeFailedForNow, code
	}
	return mobile.OutcomeFailed, code
}

func (m progressMessage) at() time.Time {
	text := string(m.Timestamp)
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds > 0 && seconds < 1<<33 {
		return time.Unix(seconds, 0).UTC()
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// key leaves the call id out: a vendor may draw a new one for each try.
func (m progressMessage) key(iccid mobile.ICCID) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		string(iccid), string(m.Point), string(m.Timestamp), m.Status.Status, pair(m.Status), m.ResultData,
	}, "\n")))
	return hex.EncodeToString(sum[:])
}

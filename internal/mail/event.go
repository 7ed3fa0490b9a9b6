package mail

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
)

// EventKind says what SendGrid tells of a message.
type EventKind string

// The kinds of event. Those that follow a reader (open, click, …) are not asked for and read
// as EventOther.
const (
	// EventProcessed means that SendGrid has taken the message and will try to deliver it.
	EventProcessed EventKind = "processed"
	// EventDeferred means that the recipient's server said "not now"; SendGrid goes on trying.
	EventDeferred EventKind = "deferred"
	// EventDelivered means that the recipient's server has taken the message.
	EventDelivered EventKind = "delivered"
	// EventBounced means that the recipient's server refused it for good (SendGrid's
	// "bounce", of either type: bounce or blocked).
	EventBounced EventKind = "bounced"
	// EventDropped means that SendGrid took the message and did not even try.
	EventDropped EventKind = "dropped"
	// EventSpamReport means that the recipient called it spam.
	EventSpamReport EventKind = "spam_report"
	// EventOther is any event that decides nothing here, and any that cannot be read.
	EventOther EventKind = "other"
)

var kinds = map[string]EventKind{
	"processed": EventProcessed, "deferred": EventDeferred, "delivered": EventDelivered,
	"bounce": EventBounced, "dropped": EventDropped, "spamreport": EventSpamReport,
}

// Event is one event of SendGrid. It holds nothing that the recipient's server said freely:
// such text quotes addresses.
type Event struct {
	// Key is the same for each delivery of the same event: a hash of message, event and time
	// (and of the notice, because some drops name no message).
	// (sg_event_id is not it: it was seen to change between repeats, sendgrid-nodejs#1435.)
	Key  string
	Kind EventKind
	// NoticeID and ActivationID are ours, from custom_args. Both are empty for mail that
	// others send through the same SendGrid account. Whatever its kind, an event with our
	// NoticeID proves that SendGrid has accepted the message.
	NoticeID     string
	ActivationID mobile.ActivationID
	// MessageID is the X-Message-Id that Send returned.
	MessageID string
	// At is SendGrid's time of the event, to the second. Events come in any order.
	At time.Time
	// ReasonCode says why, for kinds that have a why, in words of this package's:
	// "BOUNCE 5.1.1 INVALID_ADDRESS", "DROPPED BOUNCED_ADDRESS".
	ReasonCode string
}

// VerifyEvents checks a delivery of SendGrid's Event Webhook and reads it. body must be the
// raw bytes: parsing and printing them again breaks the signature. A delivery that the key
// did not sign, or that is older than 25 hours, is refused with ErrSignature; a signed body
// that is no JSON array with ErrEvents. One entry that cannot be read does not spoil its
// neighbours: it comes back as EventOther, so that SendGrid is not made to repeat the whole
// delivery for a day.
func VerifyEvents(key *ecdsa.PublicKey, header http.Header, body []byte, now time.Time) ([]Event, error) {
	if !signed(key, header, body, now) {
		return nil, ErrSignature
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(body, &entries); err != nil || entries == nil {
		return nil, ErrEvents
	}
	events := make([]Event, 0, len(entries))
	for _, entry := range entries {
		events = append(events, readEvent(entry))
	}
	return events, nil
}

// wireEvent is what we read of an entry; custom_args stand in it unnested.
type wireEvent struct {
	Event          string `json:"event"`
	Timestamp      int64  `json:"timestamp"`
	MessageID      string `json:"sg_message_id"`
	NoticeID       string `json:"notice_id"`
	ActivationID   string `json:"activation_id"`
	Type           string `json:"type"`
	Status         string `json:"status"`
	Reason         string `json:"reason"`
	Classification string `json:"bounce_classification"`
}

func readEvent(entry json.RawMessage) Event {
	var e wireEvent
	if err := json.Unmarshal(entry, &e); err != nil || e.Event == "" || e.Timestamp <= 0 {
		return Event{Key: hash(string(entry)), Kind: EventOther}
	}
	read := Event{
		Key:          hash(e.MessageID, e.Event, fmt.Sprint(e.Timestamp), e.NoticeID),
		Kind:         EventOther,
		NoticeID:     idOrEmpty(e.NoticeID),
		ActivationID: mobile.ActivationID(idOrEmpty(e.ActivationID)),
		MessageID:    idOrEmpty(sendID(e.MessageID)),
		At:           time.Unix(e.Timestamp, 0).UTC(),
	}
	if kind, known := kinds[e.Event]; known {
		read.Kind = kind
		read.ReasonCode = reasonCode(kind, e)
	}
	return read
}

// hash keeps parts apart by a byte that none of them has.
func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

func idOrEmpty(id string) string {
	if len(id) > messageIDMax || !safeID.MatchString(id) {
		return ""
	}
	return id
}

// sendID cuts what SendGrid's machines append to X-Message-Id: "<id>.filter0001.…" and
// "<id>.recvd-…".
func sendID(id string) string {
	for _, mark := range []string{".filter", ".recvd"} {
		id, _, _ = strings.Cut(id, mark)
	}
	return id
}

// enhancedStatus is RFC 3463's, as in 5.1.1.
var enhancedStatus = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}$`)

// phrases are the values that SendGrid documents for "reason" of a drop and for
// "bounce_classification", with our words for them.
var phrases = map[string]string{
	"bounced address":                   "BOUNCED_ADDRESS",
	"unsubscribed address":              "UNSUBSCRIBED_ADDRESS",
	"spam reporting address":            "SPAM_REPORTING_ADDRESS",
	"invalid":                           "INVALID_ADDRESS",
	"invalid smtpapi header":            "INVALID_HEADER",
	"spam content":                      "SPAM_CONTENT",
	"recipient list over package quota": "OVER_QUOTA",
	"invalid address":                   "INVALID_ADDRESS",
	"technical failure":                 "TECHNICAL",
	"technical":                         "TECHNICAL",
	"content":                           "CONTENT",
	"reputation":                        "REPUTATION",
	"frequency/volume":                  "VOLUME",
	"frequency or volume too high":      "VOLUME",
	"mailbox unavailable":               "MAILBOX_UNAVAILABLE",
	"unclassified":                      "UNCLASSIFIED",
}

// reasonCode puts the known parts of a why together. Unknown text is left out, never quoted.
func reasonCode(kind EventKind, e wireEvent) string {
	var words []string
	switch kind {
	case EventBounced:
		words = append(words, "BOUNCE")
		if e.Type == "blocked" {
			words[0] = "BLOCKED"
		}
	case EventDropped:
		words = append(words, "DROPPED")
	case EventDeferred:
		words = append(words, "DEFERRED")
	case EventProcessed, EventDelivered, EventSpamReport, EventOther:
		return ""
	}
	if enhancedStatus.MatchString(e.Status) {
		words = append(words, e.Status)
	}
	for _, text := range []string{e.Reason, e.Classification} {
		if word, known := phrases[strings.ToLower(strings.TrimSpace(text))]; known {
			words = append(words, word)
			break
		}
	}
	return strings.Join(words, " ")
}

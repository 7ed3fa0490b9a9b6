package carrier

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// SignatureHeader carries an event's signature: "t=<ms>,v1=<hex>", where t is the time
	// of signing in milliseconds since 1970, and v1 the HMAC-SHA256 of "<t>.<body>". There
	// may be several v1, for a sender that is changing its secret.
	SignatureHeader = "Dialtone-Signature"
	// EventTolerance is how far t may be from now, either way. It bounds how long a
	// recorded event can be replayed and how wrong a clock may be; an event that is
	// delivered late is signed anew, so that it costs no lost events.
	EventTolerance = 5 * time.Minute
	// SecretBytesMin is the length below which a webhook secret is refused.
	SecretBytesMin = 16

	secretsMax    = 2
	signaturesMax = 8
)

// Verifier verifies events; it needs neither the carrier's address nor the API key. The
// zero value refuses every event.
type Verifier struct {
	secrets [][]byte
}

// NewVerifier takes the secrets that events may be signed with: one, or two while they are
// being changed. It refuses others than that, and secrets shorter than SecretBytesMin.
func NewVerifier(secrets ...string) (*Verifier, error) {
	if len(secrets) < 1 || len(secrets) > secretsMax {
		return nil, errors.New("carrier webhook secrets: there must be one, or two while they are being changed")
	}
	v := &Verifier{}
	for _, secret := range secrets {
		if len(secret) < SecretBytesMin {
			return nil, fmt.Errorf("carrier webhook secret: shorter than %d bytes", SecretBytesMin)
		}
		v.secrets = append(v.secrets, []byte(secret))
	}
	return v, nil
}

// Format hides the secrets from every verb.
func (Verifier) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[carrier verifier]")) }

// VerifyEvent implements Carrier.
func (v *Verifier) VerifyEvent(header http.Header, body []byte, now time.Time) (Event, error) {
	stamp, signatures, ok := parseSignature(header)
	if !ok || !v.signed(stamp, body, signatures) {
		return Event{}, ErrEventSignature
	}
	ms, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return Event{}, ErrEventSignature
	}
	if now.Sub(time.UnixMilli(ms)).Abs() > EventTolerance {
		return Event{}, ErrEventStale
	}
	return parseEvent(body)
}

// stampForm bounds t, so that it means one time only and fits any clock.
var stampForm = regexp.MustCompile(`^[1-9][0-9]{0,14}$`)

// parseSignature reads the header. Parts that it does not know are passed over, so that
// a v2 can come one day.
func parseSignature(header http.Header) (stamp string, signatures [][]byte, ok bool) {
	values := header.Values(SignatureHeader)
	if len(values) != 1 {
		return "", nil, false
	}
	for part := range strings.SplitSeq(values[0], ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			if stamp != "" {
				return "", nil, false
			}
			stamp = value
		case "v1":
			signature, err := hex.DecodeString(value)
			if err != nil || len(signatures) == signaturesMax {
				return "", nil, false
			}
			signatures = append(signatures, signature)
		}
	}
	return stamp, signatures, stampForm.MatchString(stamp)
}

// signed compares in constant time, and each signature with each secret.
func (v *Verifier) signed(stamp string, body []byte, signatures [][]byte) bool {
	found := false
	for _, secret := range v.secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(stamp + "."))
		mac.Write(body)
		want := mac.Sum(nil)
		for _, signature := range signatures {
			found = hmac.Equal(want, signature) || found
		}
	}
	return found
}

type eventJSON struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	ExternalID string    `json:"external_id"`
	CreatedAt  time.Time `json:"created_at"`
	Line       *lineJSON `json:"line"`
	Port       *portJSON `json:"port"`
}

var eventTypeForm = regexp.MustCompile(`^[a-z][a-z_]*(\.[a-z_]+){1,3}$`)

const eventTypeMax = 64

// parseEvent reads a body that is known to be the carrier's.
func parseEvent(body []byte) (Event, error) {
	var j eventJSON
	if err := json.Unmarshal(body, &j); err != nil {
		return Event{}, ErrEventMalformed
	}
	if !referenceForm.MatchString(j.ID) || !eventTypeForm.MatchString(j.Type) || len(j.Type) > eventTypeMax ||
		!externalIDForm.MatchString(j.ExternalID) || j.CreatedAt.IsZero() {
		return Event{}, ErrEventMalformed
	}
	event := Event{ID: j.ID, Type: j.Type, ExternalID: j.ExternalID, At: moment(j.CreatedAt)}
	if j.Line == nil && strings.HasPrefix(j.Type, "line.") || j.Port == nil && strings.HasPrefix(j.Type, "port.") {
		return Event{}, ErrEventMalformed
	}
	if j.Line != nil {
		line, wrong := j.Line.line()
		if wrong != "" || line.ExternalID != j.ExternalID {
			return Event{}, ErrEventMalformed
		}
		event.Line = &line
	}
	if j.Port != nil {
		port, wrong := j.Port.port()
		if wrong != "" || port.ExternalID != j.ExternalID {
			return Event{}, ErrEventMalformed
		}
		event.Port = &port
	}
	return event, nil
}

package mail

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a signed delivery (Twilio SendGrid, "Event Webhook Security Features").
const (
	SignatureHeader = "X-Twilio-Email-Event-Webhook-Signature"
	TimestampHeader = "X-Twilio-Email-Event-Webhook-Timestamp"
)

const (
	// eventAgeMax: SendGrid repeats a delivery for 24 hours until it is answered with a 2xx,
	// and nowhere promises to sign a repeat anew. An hour more is for its queues. Replays
	// within that time do no harm: events are kept once, by Event.Key.
	eventAgeMax = 25 * time.Hour
	// eventSkewMax is how far SendGrid's clock may be ahead of ours.
	eventSkewMax = 10 * time.Minute
)

// ParseWebhookKey reads the verification key that SendGrid's Event Webhook settings show:
// base64 of a PKIX public key. Anything but an ECDSA key on P-256 is refused with
// ErrWebhookKey. (sendgrid-go's own reader panics on an RSA key.)
func ParseWebhookKey(text string) (*ecdsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, ErrWebhookKey.Because(err)
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, ErrWebhookKey.Because(err)
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, ErrWebhookKey
	}
	return key, nil
}

// signed says whether body was signed by key, ECDSA over SHA-256(timestamp + raw body), at
// a time that is still acceptable. The signature is checked before the time is read.
func signed(key *ecdsa.PublicKey, header http.Header, body []byte, now time.Time) bool {
	timestamp := header.Get(TimestampHeader)
	signature, err := base64.StdEncoding.DecodeString(header.Get(SignatureHeader))
	if err != nil || key == nil {
		return false
	}
	digest := sha256.New()
	digest.Write([]byte(timestamp))
	digest.Write(body)
	if !ecdsa.VerifyASN1(key, digest.Sum(nil), signature) {
		return false
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return false
	}
	age := now.Sub(time.Unix(seconds, 0))
	return -eventSkewMax <= age && age <= eventAgeMax
}

package mailtest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/partnertest"
)

// VerificationKey is the public half of a signing key in the form in which SendGrid's
// settings show it, and in which Dialtone is configured with it.
func VerificationKey(key *ecdsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(der), nil
}

// announce hands the events of a mail to the courier, as one delivery.
func (s *Server) announce(m Mail) {
	events := eventsOf(m)
	if len(events) == 0 {
		return
	}
	body, err := json.Marshal(events)
	if err != nil {
		panic("mailtest: write events: " + err.Error())
	}
	s.courier.Deliver(partnertest.Parcel{
		ID: "events/" + m.MessageID, Reference: m.CustomArgs["notice_id"], Body: body,
	})
}

// eventsOf decides by the address's local part what becomes of a mail. It is a pure
// function, so that a restarted server tells the same story.
func eventsOf(m Mail) []map[string]any {
	local, _, _ := strings.Cut(m.To, "@")
	switch local {
	case "silent":
		return nil
	case "dropped":
		return []map[string]any{event(m, "dropped", map[string]any{"reason": "Bounced Address", "status": "5.0.0"})}
	case "bounce":
		return []map[string]any{event(m, "processed", nil), event(m, "bounce", map[string]any{
			"type": "bounce", "status": "5.1.1", "bounce_classification": "Invalid Address",
			// Real servers quote the address here, which is why it must not be kept.
			"reason": "550 5.1.1 <" + m.To + ">: recipient address rejected: user unknown",
		})}
	default:
		return []map[string]any{event(m, "processed", nil), event(m, "delivered", map[string]any{"response": "250 OK"})}
	}
}

func event(m Mail, kind string, more map[string]any) map[string]any {
	id := sha256.Sum256([]byte(m.MessageID + kind))
	e := map[string]any{
		"email": m.To, "timestamp": m.At.Unix(), "event": kind,
		"smtp-id":       "<" + m.MessageID + "@geopod-ismtpd-0>",
		"sg_event_id":   base64.RawURLEncoding.EncodeToString(id[:16]),
		"sg_message_id": m.MessageID + ".recvd-0000000000-00000-1-00000000-0.0",
	}
	for key, value := range m.CustomArgs {
		e[key] = value // SendGrid sets custom_args beside its own keys
	}
	maps.Copy(e, more)
	return e
}

// sign sets SendGrid's two headers: ECDSA over SHA-256(timestamp + raw body).
func (s *Server) sign(header http.Header, body []byte) {
	if s.config.SigningKey == nil {
		return
	}
	timestamp := strconv.FormatInt(s.config.Now().Unix(), 10)
	digest := sha256.Sum256(append([]byte(timestamp), body...))
	signature, err := ecdsa.SignASN1(rand.Reader, s.config.SigningKey, digest[:])
	if err != nil {
		panic("mailtest: sign events: " + err.Error())
	}
	header.Set(mail.TimestampHeader, timestamp)
	header.Set(mail.SignatureHeader, base64.StdEncoding.EncodeToString(signature))
}

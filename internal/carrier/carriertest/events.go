package carriertest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// shownEvent is an event as it is delivered.
type shownEvent struct {
	ID         string     `json:"id"`
	Type       string     `json:"type"`
	ExternalID string     `json:"external_id"`
	CreatedAt  time.Time  `json:"created_at"`
	Line       *shownLine `json:"line,omitempty"`
	Port       *shownPort `json:"port,omitempty"`
}

// telling adds the event that tells of the change.
func (s *Server) telling(kind string, at time.Time, c change) change {
	c.EventID = fmt.Sprintf("evt_%06d", s.state.told+1)
	text, err := json.Marshal(shownEvent{
		ID: c.EventID, Type: kind, ExternalID: c.Line.ExternalID, CreatedAt: at.UTC(), Line: &c.Line.shownLine,
	})
	if err != nil {
		panic(fmt.Sprintf("carriertest: an event has no JSON form: %v", err))
	}
	c.Event = string(text)
	return c
}

// sign signs one delivery, at the time of that delivery: the clocks of those who take it are
// not moved by an Advance.
func (s *Server) sign(header http.Header, body []byte) {
	header.Set("Dialtone-Signature", Signature(s.config.WebhookSecret, s.clock(), body))
}

// Signature is the value of the Dialtone-Signature header for a body signed at that time.
func Signature(secret string, at time.Time, body []byte) string {
	stamp := fmt.Sprint(at.UnixMilli())
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

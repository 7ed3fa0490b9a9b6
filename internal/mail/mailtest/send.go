package mailtest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	sgmail "github.com/sendgrid/sendgrid-go/helpers/mail"

	"github.com/dialtone/dialtone/internal/partnertest"
)

// bodyMax is SendGrid's limit on a whole message: 30 MB.
const bodyMax = 30 << 20

// send is POST /v3/mail/send: it answers 202 with an empty body and X-Message-Id once the
// mail is in the journal.
func (s *Server) send(w http.ResponseWriter, r *http.Request) {
	if !s.authorised(r) {
		refuse(w, http.StatusUnauthorized, complaint{Message: "The provided authorization grant is invalid, expired, or revoked"})
		return
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, complaint{Message: "Content-Type should be application/json."})
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok && tooLong != nil {
		refuse(w, http.StatusRequestEntityTooLarge, complaint{Message: "Request Entity Too Large"})
		return
	}
	var body sgmail.SGMailV3
	if err != nil || json.Unmarshal(raw, &body) != nil {
		refuse(w, http.StatusBadRequest, complaint{Message: "Bad Request"})
		return
	}
	if found := check(&body); len(found) > 0 {
		refuse(w, http.StatusBadRequest, found...)
		return
	}
	id, err := s.accept(raw, &body)
	if err != nil {
		http.Error(w, `{"errors":[{"message":"Internal Server Error","field":null,"help":null}]}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("X-Message-Id", id)
	w.WriteHeader(http.StatusAccepted)
}

func (s *Server) authorised(r *http.Request) bool {
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return bearer && key != "" && (s.config.APIKey == "" || key == s.config.APIKey)
}

// accept writes the mail down and lets its events go.
func (s *Server) accept(raw []byte, body *sgmail.SGMailV3) (string, error) {
	id := newID()
	s.mu.Lock()
	defer s.mu.Unlock()
	entry, err := s.config.Journal.Append(partnertest.Entry{
		At: s.config.Now(), Partner: partner, Act: ActAccepted, Reference: body.CustomArgs["notice_id"],
		Data: map[string]any{"message_id": id, "body": string(raw)},
	})
	if err != nil {
		return "", err
	}
	mail := newMail(entry, id, body)
	s.mails = append(s.mails, mail)
	s.announce(mail)
	return id, nil
}

// newID has the form of SendGrid's: 22 characters of base64url.
func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails, crypto/rand
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// complaint is one entry of SendGrid's error reply.
type complaint struct {
	Message string  `json:"message"`
	Field   *string `json:"field"`
	Help    *string `json:"help"`
}

func refuse(w http.ResponseWriter, status int, complaints ...complaint) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string][]complaint{"errors": complaints})
}

package mailtest

import (
	"crypto/ecdsa"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/dialtone/dialtone/internal/partnertest"
)

// partner is how the journal names SendGrid.
const partner = "sendgrid"

// ActAccepted is the act of the journal's entry for a mail that was answered with 202. Its
// Reference is the mail's notice_id; its Data are message_id and body, the request's bytes
// as text.
const ActAccepted = "mail_accepted"

// Config is what a pretend SendGrid needs.
type Config struct {
	// Journal keeps what was accepted; required. The caller closes it, after Close.
	Journal *partnertest.Journal
	// Faults make calls to the API go wrong; nil never does.
	Faults *partnertest.Faults
	// EventURL takes the events; empty sends none.
	EventURL string
	// SigningKey signs the events; nil leaves them unsigned. Its public half, as SendGrid
	// shows it, is VerificationKey.
	SigningKey *ecdsa.PrivateKey
	// APIKey is the only one that may send; empty lets any bearer in.
	APIKey string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// RetryEvery is the wait before events that were not taken are brought again; it doubles
	// up to 5 s. 0 means 200 ms.
	RetryEvery time.Duration
}

// Server is a pretend SendGrid. It is an http.Handler and safe for concurrent use.
type Server struct {
	config  Config
	handler http.Handler
	courier *partnertest.Courier

	mu    sync.Mutex
	mails []Mail
}

// New rebuilds the mails from the journal and goes on delivering the events that nobody has
// taken yet. It fails when the journal holds what it has not written.
func New(config Config) (*Server, error) {
	if config.Journal == nil {
		panic("mailtest.New without a journal")
	}
	if config.Faults == nil {
		config.Faults = new(partnertest.Faults)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	s := &Server{config: config}
	s.courier = partnertest.NewCourier(partnertest.CourierConfig{
		Partner: partner, Journal: config.Journal, URL: config.EventURL,
		Sign: s.sign, RetryEvery: config.RetryEvery,
	})
	for _, entry := range config.Journal.Entries() {
		if entry.Partner != partner || entry.Act != ActAccepted {
			continue
		}
		mail, err := readEntry(entry)
		if err != nil {
			s.courier.Close()
			return nil, fmt.Errorf("read entry %d of the journal: %w", entry.Seq, err)
		}
		s.mails = append(s.mails, mail)
		s.announce(mail)
	}
	s.handler = s.routes()
	return s, nil
}

func (s *Server) routes() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("POST /v3/mail/send", s.send)
	mux := http.NewServeMux()
	mux.Handle("/", partnertest.Handler(s.config.Journal, s.config.Faults, api))
	s.routeInbox(mux)
	return mux
}

// ServeHTTP serves the API, the inbox, and the journal and faults under /_pretend.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends the deliveries of events; those under way are left to the next start.
func (s *Server) Close() { s.courier.Close() }

// Mails are the accepted mails, oldest first.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails[:len(s.mails):len(s.mails)]
}

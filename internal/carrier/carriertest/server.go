package carriertest

import (
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/dialtone/dialtone/internal/partnertest"
)

// Partner is who writes in the journal.
const Partner = "carrier"

const (
	comesUpAfterDefault = 2 * time.Second
	answersAfterDefault = time.Second
	movesAfterDefault   = 5 * time.Second
	bodyMax             = 64 << 10
)

// Config is what the pretend carrier needs.
type Config struct {
	// Journal holds all that it did; its state is rebuilt from there.
	Journal *partnertest.Journal
	// Faults are put in front of its API; nil never bites.
	Faults *partnertest.Faults
	// APIKey is the bearer token that it asks for; when empty, any will do.
	APIKey string
	// EventURL takes its events; when empty it sends none.
	EventURL string
	// WebhookSecret signs its events.
	WebhookSecret string
	// ComesUpAfter is how long "a little later" is; 0 means 2 s.
	ComesUpAfter time.Duration
	// AnswersAfter is how long a donor takes to answer, and a cancel to take hold; 0 means 1 s.
	// MovesAfter is the time from its agreement to the move of the number; 0 means 5 s.
	AnswersAfter, MovesAfter time.Duration
	// RetryEvery is the wait before an event that was not taken is brought again; it doubles
	// up to 5 s. 0 means 200 ms.
	RetryEvery time.Duration
	// Now is its clock; nil means time.Now. With another clock nobody tells it that time has
	// passed: what is due happens at the next call, or at an Advance. Events are signed by it,
	// without what an Advance has added.
	Now func() time.Time
}

// Server is the pretend carrier: an http.Handler that also serves partnertest's /_pretend.
type Server struct {
	config  Config
	clock   func() time.Time
	handler http.Handler
	courier *partnertest.Courier

	mu     sync.Mutex // held from the first look at the state to the journal's fsync
	state  state
	rules  []PortRule
	ahead  time.Duration // of the clock, by Advance
	timer  *time.Timer   // for what is due next; nil before the first
	stuck  bool          // the journal could not be written
	closed bool
}

// New takes up the state that the journal holds, the lines that are still coming up and the
// events that were not yet taken among it.
func New(config Config) (*Server, error) {
	if config.Faults == nil {
		config.Faults = new(partnertest.Faults)
	}
	s := &Server{config: config, clock: config.Now, state: newState()}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.courier = partnertest.NewCourier(partnertest.CourierConfig{
		Partner: Partner, Journal: config.Journal, URL: config.EventURL, RetryEvery: config.RetryEvery, Sign: s.sign,
	})
	if err := s.replay(); err != nil {
		s.courier.Close()
		return nil, err
	}
	s.handler = s.pretending(partnertest.Handler(config.Journal, config.Faults, s.routes()))
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close stops what it does by itself. What is unfinished goes on when New reads the journal
// again.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.courier.Close()
}

func (s *Server) comesUpAfter() time.Duration {
	return cmp.Or(s.config.ComesUpAfter, comesUpAfterDefault)
}

func (s *Server) answersAfter() time.Duration {
	return cmp.Or(s.config.AnswersAfter, answersAfterDefault)
}

func (s *Server) movesAfter() time.Duration {
	return cmp.Or(s.config.MovesAfter, movesAfterDefault)
}

// pretending adds what only this partner has under /_pretend.
func (s *Server) pretending(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.HandleFunc("GET /_pretend/clock", partnertest.Local(s.showClock))
	mux.HandleFunc("POST /_pretend/clock", partnertest.Local(s.moveClock))
	mux.HandleFunc("POST /_pretend/port-rules", partnertest.Local(s.addRule))
	mux.HandleFunc("POST /_pretend/ports/{external_id}/{turn}", partnertest.Local(s.turnByHand))
	return mux
}

func (s *Server) routes() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("POST /v1/device-checks", s.deviceCheck)
	api.HandleFunc("POST /v1/lines", s.activateLine)
	api.HandleFunc("GET /v1/lines/{external_id}", s.readLine)
	api.HandleFunc("PUT /v1/lines/{external_id}/sim", s.changeSIM)
	api.HandleFunc("POST /v1/lines/{external_id}/deactivate", s.deactivateLine)
	api.HandleFunc("POST /v1/portability-checks", s.portabilityCheck)
	api.HandleFunc("POST /v1/ports", s.submitPort)
	api.HandleFunc("GET /v1/ports/{external_id}", s.readPort)
	api.HandleFunc("POST /v1/ports/{external_id}/supplement", s.supplementPort)
	api.HandleFunc("POST /v1/ports/{external_id}/cancel", s.cancelPort)
	api.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "NOT_FOUND")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.authenticated(r) {
			refuse(w, http.StatusUnauthorized, "UNAUTHENTICATED")
			return
		}
		api.ServeHTTP(w, r)
	})
}

func (s *Server) authenticated(r *http.Request) bool {
	const scheme = "Bearer "
	header := r.Header.Get("Authorization")
	if len(header) <= len(scheme) || header[:len(scheme)] != scheme {
		return false
	}
	return s.config.APIKey == "" ||
		subtle.ConstantTimeCompare([]byte(header[len(scheme):]), []byte(s.config.APIKey)) == 1
}

// read decodes a body and refuses one with unknown fields, as a strict partner does.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax))
	decoder.DisallowUnknownFields()
	if r.Header.Get("Content-Type") != "application/json" || decoder.Decode(into) != nil {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST")
		return false
	}
	return true
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// errorBody is the body of every refusal. Message is for people who read it at the wire;
// programs go by the code.
type errorBody struct {
	Error problem    `json:"error"`
	Line  *shownLine `json:"line,omitempty"`
	Port  *shownPort `json:"port,omitempty"`
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func refuse(w http.ResponseWriter, status int, code string) {
	reply(w, status, errorBody{Error: problem{Code: code, Message: messages[code]}})
}

// messages explain the codes.
var messages = map[string]string{
	"UNAUTHENTICATED":          "The API key is missing or wrong.",
	"NOT_FOUND":                "There is nothing at this path.",
	"INVALID_REQUEST":          "The request does not have the form that the API documents.",
	"IDEMPOTENCY_KEY_MISSING":  "This request changes something and needs an Idempotency-Key.",
	"IDEMPOTENCY_KEY_REUSED":   "This Idempotency-Key came before with another request.",
	"DEVICE_BLOCKED":           "The device is on a block list.",
	"DEVICE_NOT_ESIM_CAPABLE":  "The device cannot hold an eSIM.",
	"DEVICE_NOT_SUPPORTED":     "The network does not support the device.",
	"DEVICE_UNKNOWN":           "No device has this IMEI.",
	"ZIP_NOT_SERVED":           "The network does not serve this ZIP code.",
	"PLAN_UNKNOWN":             "There is no such plan.",
	"ICCID_NOT_ACCEPTED":       "The ICCID is not of a loaded range, or is on another line.",
	"LINE_NOT_FOUND":           "No line has this external id.",
	"LINE_EXISTS":              "A line with this external id is live or coming up.",
	"LINE_PENDING":             "The line is still coming up.",
	"LINE_ENDED":               "The line has failed or was taken down.",
	"PORT_NOT_FOUND":           "No port has this external id.",
	"PORT_EXISTS":              "There is a port with this external id already.",
	"PORT_ENDED":               "The port is completed or cancelled.",
	"SUPPLEMENT_NOT_ALLOWED":   "The port cannot be changed now, or not at all.",
	"DUPLICATE":                "Another port of this number is open here.",
	"ACCOUNT_NUMBER_INVALID":   "The account number is missing.",
	"PIN_INVALID":              "The transfer PIN is missing.",
	"ZIP_INVALID":              "The account's ZIP code is missing.",
	"NAME_MISMATCH":            "The account holder's first or last name is missing.",
	"ADDRESS_MISMATCH":         "The service address is missing, or a part of it.",
	"LINE_LOSSES_NOT_ACCEPTED": "The customer must accept that other services on the line may end.",
	"NUMBERS_EXHAUSTED":        "There is no free number at the moment.",
	"JOURNAL_BROKEN":           "The pretend carrier cannot write its journal.",
}

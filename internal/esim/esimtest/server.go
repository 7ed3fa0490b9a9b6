package esimtest

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/dialtone/dialtone/internal/partnertest"
)

// Partner is who writes in the journal.
const Partner = "smdp+"

const (
	basePath = "/gsma/rsp2/es2plus/"
	bodyMax  = 64 << 10
)

// Config is what the pretend SM-DP+ needs.
type Config struct {
	// Journal holds all that it did; its state is rebuilt from there. The caller closes it,
	// after Close.
	Journal *partnertest.Journal
	// Faults are put in front of ES2+; nil never bites.
	Faults *partnertest.Faults
	// SMDPAddress is what it tells in smdpAddress and takes in activation codes; when empty
	// it tells none and takes any.
	SMDPAddress string
	// ProgressURL takes its download notifications, path included; when empty it sends none.
	ProgressURL string
	// RetryEvery is the wait before a notification that was not taken is brought again; it
	// doubles up to 5 s. 0 means 200 ms.
	RetryEvery time.Duration
	// Now is its clock; nil means time.Now.
	Now func() time.Time
}

// Server is the pretend SM-DP+: an http.Handler that also serves partnertest's /_pretend.
type Server struct {
	config  Config
	handler http.Handler
	courier *partnertest.Courier

	mu    sync.Mutex // held from the first look at the state to the journal's fsync
	state state
}

// New takes up the state that the journal holds, and brings the notifications that were not
// yet taken. It fails when the journal holds what it has not written.
func New(config Config) (*Server, error) {
	if config.Faults == nil {
		config.Faults = new(partnertest.Faults)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	s := &Server{config: config, state: newState()}
	s.courier = partnertest.NewCourier(partnertest.CourierConfig{
		Partner: Partner, Journal: config.Journal, URL: config.ProgressURL, RetryEvery: config.RetryEvery,
		Sign: func(header http.Header, _ []byte) { header.Set("X-Admin-Protocol", adminProtocol) },
	})
	for _, entry := range config.Journal.Entries() {
		if err := s.take(entry); err != nil {
			s.courier.Close()
			return nil, err
		}
	}
	s.handler = s.routes()
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends the deliveries of notifications; those under way are left to the next start.
func (s *Server) Close() { s.courier.Close() }

// Profiles are all profiles that were ever touched, by ICCID.
func (s *Server) Profiles() []Profile {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.sorted()
}

func (s *Server) routes() http.Handler {
	es2 := http.NewServeMux()
	for name, act := range map[string]function{
		"downloadOrder":  s.downloadOrder,
		"confirmOrder":   s.confirmOrder,
		"cancelOrder":    s.cancelOrder,
		"releaseProfile": s.releaseProfile,
	} {
		es2.HandleFunc("POST "+basePath+name, s.serve(act))
	}
	mux := http.NewServeMux()
	mux.Handle("/", partnertest.Handler(s.config.Journal, s.config.Faults, es2))
	mux.HandleFunc("POST /_pretend/install", local(s.install))
	mux.HandleFunc("POST /_pretend/restock", local(s.restock))
	mux.HandleFunc("POST /_pretend/assign", local(s.assign))
	mux.HandleFunc("GET /_pretend/profiles", local(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, s.Profiles())
	}))
	return mux
}

// function is one function of ES2+. It is called with the lock held, and says what came of
// it: fields of the reply, or a refusal. An error means that nothing was done.
type function func(request) (reply, refusal, error)

// serve reads the message as a strict SM-DP+ does, and answers every outcome with HTTP 200.
func (s *Server) serve(act function) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("X-Admin-Protocol"), "gsma/rsp/v2.") ||
			r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "X-Admin-Protocol or Content-Type is wrong", http.StatusBadRequest)
			return
		}
		var message request
		if !read(w, r, &message) {
			return
		}
		result, err := s.perform(act, message)
		if err != nil {
			http.Error(w, "the journal cannot be written", http.StatusInternalServerError)
			return
		}
		answer(w, http.StatusOK, result)
	}
}

// perform acts and says so. Refusals are written down too: a check can then tell a caller
// that asked once from one that asked again.
func (s *Server) perform(act function, message request) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	result, code, err := reply{}, messageFault(message), error(nil)
	if code == "" {
		result, code, err = act(message)
	}
	if err == nil && code != "" {
		err = s.write("refused", message, facts{ICCID: message.ICCID, Code: string(code)})
	}
	result.Header.Execution = code.execution()
	return result, err
}

func messageFault(message request) refusal {
	if message.Header.RequesterID == "" {
		return callerUnknown
	}
	if message.Header.CallID == "" {
		return parameterMissing
	}
	return ""
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax)).Decode(into); err != nil {
		http.Error(w, "the body is not the JSON that is wanted here", http.StatusBadRequest)
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// local hides what is for people and checks from callers on other machines.
func local(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			http.NotFound(w, r)
			return
		}
		next(w, r)
	}
}

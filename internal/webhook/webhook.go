// Package webhook is the HTTP door, through which partners tell us what happened.
//
// Each call is verified, stored, committed and answered at once, also while workers and
// Temporal are down. Facts that decide nothing (delivery, install state) are applied in the
// transaction that stores them; what a run must know is filed for the relay in the same
// transaction. Whatever cannot be stored is answered 503, so that the partner repeats it; a
// repeat is recognised and changes nothing.
//
// Who calls is proved by a signature over the raw body (carrier, SendGrid), or, for the
// SM-DP+, whose messages bear none, by a client certificate: see TLS.
package webhook

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/store"
)

// The paths that partners are told to call.
const (
	CarrierPath  = "/webhooks/carrier"
	SendGridPath = "/webhooks/sendgrid"
	ProgressPath = esim.ProgressPath
)

// bodyBytesMax bounds a body. SendGrid's batches are the largest, at 768 kB.
const bodyBytesMax = 1 << 20

// Config is what the door needs.
type Config struct {
	DB *store.DB
	// Nudge says that something was committed that the relay should carry; nil when there is
	// no relay in this process.
	Nudge func()
	// Carrier verifies the carrier's events.
	Carrier *carrier.Verifier
	// SendGrid is the key that SendGrid signs its events with.
	SendGrid *ecdsa.PublicKey
	Logger   *slog.Logger
	Registry prometheus.Registerer
	// Now is the clock against which signatures are read; time.Now when nil.
	Now func() time.Time
}

// door takes calls.
type door struct {
	config Config
	taken  *prometheus.CounterVec
}

// New makes the handler of the HTTP door.
func New(config Config) http.Handler {
	if config.DB == nil || config.Carrier == nil || config.SendGrid == nil || config.Logger == nil || config.Registry == nil {
		panic("webhook.New lacks a collaborator")
	}
	if config.Nudge == nil {
		config.Nudge = func() {}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	d := &door{config: config, taken: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dialtone_webhook_calls_total", Help: "Calls of partners, by partner and outcome.",
	}, []string{"partner", "outcome"})}
	config.Registry.MustRegister(d.taken)
	mux := http.NewServeMux()
	mux.Handle("POST "+CarrierPath, d.handle("carrier", http.StatusAccepted, d.carrierEvent))
	mux.Handle("POST "+SendGridPath, d.handle("sendgrid", http.StatusAccepted, d.sendGridEvents))
	mux.Handle("POST "+ProgressPath, d.handle("smdp+", http.StatusNoContent, d.progress))
	return mux
}

// The bounds of a call: what it may take to send a body, to store it, and in all.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	storeTimeout  = 8 * time.Second
	writeTimeout  = 20 * time.Second
	idleTimeout   = 2 * time.Minute
	// headerBytesMax is far more than any partner's headers.
	headerBytesMax = 16 << 10
	// retryAfterSeconds is what a partner is asked to wait when nothing could be stored.
	retryAfterSeconds = "5"
)

// Server makes an HTTP server that bounds what a caller may take of it.
func Server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytesMax,
	}
}

// received is one call, with its body read.
type received struct {
	request *http.Request
	body    []byte
	now     time.Time
}

// Refusals of the door itself.
var (
	errNotJSON    = fault.New(fault.Invalid, "NOT_JSON", "The Content-Type must be application/json.")
	errTooLarge   = fault.New(fault.Invalid, "BODY_TOO_LARGE", "The body is larger than 1 MiB. Send fewer events at once.")
	errUnreadable = fault.New(fault.Invalid, "BODY_UNREADABLE", "The body did not arrive whole.")
)

// handle reads the body, lets take verify and store what it says, and answers.
func (d *door) handle(partner string, success int, take func(context.Context, received) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		body, err := read(w, r)
		ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
		defer cancel()
		if err == nil {
			err = take(ctx, received{request: r, body: body, now: d.config.Now()})
		}
		if err == nil {
			d.config.Nudge()
		}
		d.answer(ctx, w, partner, success, err)
	})
}

// read gives the body of a call that is JSON and not too large.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, errNotJSON
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, errUnreadable.Because(err)
	}
	return body, nil
}

// answer turns the outcome of a call into its answer. It is the only place that logs and
// counts one. What a partner did wrong is said in its own words; what we did is not.
func (d *door) answer(ctx context.Context, w http.ResponseWriter, partner string, success int, err error) {
	status, outcome := statusOf(success, err)
	d.taken.WithLabelValues(partner, outcome).Inc()
	if err == nil {
		w.WriteHeader(status)
		return
	}
	d.config.Logger.WarnContext(ctx, "a partner's call was not taken",
		"partner", partner, "outcome", outcome, "error", err, "cause", errors.Unwrap(err))
	text := "It could not be stored. Send it again."
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfterSeconds)
	} else {
		text = err.Error()
	}
	http.Error(w, text, status)
}

// statusOf gives the status of an outcome and its name in metrics and logs. Whatever is not
// the partner's fault is answered so that the partner repeats the call.
func statusOf(success int, err error) (status int, outcome string) {
	f := fault.Of(err)
	switch {
	case err == nil:
		return success, "taken"
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge, "too_large"
	case errors.Is(err, errNotJSON):
		return http.StatusUnsupportedMediaType, "not_json"
	case f != nil && f.Kind == fault.Unauthenticated:
		return http.StatusUnauthorized, "not_signed"
	case f != nil && f.Kind == fault.Invalid:
		return http.StatusBadRequest, "malformed"
	}
	return http.StatusServiceUnavailable, "not_stored"
}

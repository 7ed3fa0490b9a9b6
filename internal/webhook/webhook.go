// Package webhook is the HTTP door, through which partners tell us what happened.
//
// Each call is verified, stored, committed and answered at once, also while workers and
// Temporal are down. Facts that decide nothing (delivery, install state) are applied in the
// transaction that stores them; what a run must know is filed for the relay in the same
// transaction. Whatever cannot be stored is answered 503, so that the partner repeats it; a
// repeat is recognised and changes nothing.
package webhook

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"io"
	"log/slog"
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

// Server makes an HTTP server that bounds what a caller may take of it.
func Server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
}

// received is one call, with its body read.
type received struct {
	request *http.Request
	body    []byte
	now     time.Time
}

// handle reads the body, lets take verify and store what it says, and answers.
func (d *door) handle(partner string, success int, take func(context.Context, received) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
		if err == nil {
			err = take(r.Context(), received{request: r, body: body, now: d.config.Now()})
		}
		status := d.status(r.Context(), partner, success, err)
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "5")
		}
		w.WriteHeader(status)
		if err == nil {
			d.config.Nudge()
		}
	})
}

// status turns the outcome of a call into its answer. It is the only place that logs and
// counts one.
func (d *door) status(ctx context.Context, partner string, success int, err error) int {
	status, outcome := success, "taken"
	tooLarge, isTooLarge := errors.AsType[*http.MaxBytesError](err)
	switch f := fault.Of(err); {
	case err == nil:
	case isTooLarge && tooLarge.Limit > 0:
		status, outcome = http.StatusRequestEntityTooLarge, "too_large"
	case f != nil && f.Kind == fault.Unauthenticated:
		status, outcome = http.StatusUnauthorized, "not_signed"
	case f != nil && f.Kind == fault.Invalid:
		status, outcome = http.StatusBadRequest, "malformed"
	default:
		status, outcome = http.StatusServiceUnavailable, "not_stored"
	}
	d.taken.WithLabelValues(partner, outcome).Inc()
	if err != nil {
		d.config.Logger.WarnContext(ctx, "a partner's call was not taken", "partner", partner, "outcome", outcome, "error", err)
	}
	return status
}

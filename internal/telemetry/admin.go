package telemetry

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/dialtone/dialtone/internal/secret"
)

// The bounds of the admin listener, against clients that are slow, many or forgetful.
const (
	readHeaderTimeout  = 5 * time.Second
	readTimeout        = 10 * time.Second
	readyTimeout       = 5 * time.Second
	metricsTimeout     = 10 * time.Second
	writeTimeout       = 20 * time.Second
	idleTimeout        = time.Minute
	headerBytesMax     = 16 << 10
	metricsInFlightMax = 4
)

// Check is one thing that a process needs before it can do its work.
type Check struct {
	// Name says what, in a word: "database".
	Name string
	// Missing says what is wrong with it. Empty means that nothing is.
	Missing string
	// Remedy says how to mend it; with Missing only.
	Remedy string
}

// OK says that nothing is missing.
func (c Check) OK() bool { return c.Missing == "" }

// Admin makes the server of the admin listener; the caller serves and shuts it down. It
// answers GET and HEAD:
//
//	/livez    200 while the process can answer at all, whatever it depends on: a restart
//	          would not mend a database
//	/readyz   200 when every check that ready returns is OK, else 503: one line a check, or
//	          JSON for whoever accepts application/json
//	/metrics  the registry, in Prometheus's formats
//
// ready is asked anew each time, with 5 s, and from several goroutines. What it returns is
// shown without any proof of who asks: no secrets, no personal data.
func Admin(listen string, registry *prometheus.Registry, ready func(context.Context) []Check) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", livez)
	mux.HandleFunc("GET /readyz", readyz(ready))
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		Registry:            registry,
		MaxRequestsInFlight: metricsInFlightMax,
		Timeout:             metricsTimeout,
		EnableOpenMetrics:   true,
	}))
	return &http.Server{
		Addr:              listen,
		Handler:           plain(mux),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytesMax,
	}
}

// plain keeps answers out of caches and browsers from guessing what they are.
func plain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func livez(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

func readyz(ready func(context.Context) []Check) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		report := newReadiness(ready(ctx))

		contentType, body := "text/plain; charset=utf-8", report.text()
		if strings.Contains(r.Header.Get("Accept"), "application/json") {
			contentType, body = "application/json", report.json()
		}
		w.Header().Set("Content-Type", contentType)
		if !report.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintln(w, body)
	}
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready  bool          `json:"ready"`
	Checks []checkAnswer `json:"checks"`
}

type checkAnswer struct {
	Name    string `json:"name"`
	OK      bool   `json:"ok"`
	Missing string `json:"missing,omitempty"`
	Remedy  string `json:"remedy,omitempty"`
}

func newReadiness(checks []Check) readiness {
	answer := readiness{Ready: true, Checks: []checkAnswer{}}
	for _, check := range checks {
		answer.Ready = answer.Ready && check.OK()
		answer.Checks = append(answer.Checks, checkAnswer{
			Name:    oneLine(check.Name),
			OK:      check.OK(),
			Missing: oneLine(check.Missing),
			Remedy:  oneLine(check.Remedy),
		})
	}
	return answer
}

// oneLine keeps a cause of several lines from looking like several checks.
func oneLine(text string) string { return strings.Join(strings.Fields(secret.Redact(text)), " ") }

func (r readiness) text() string {
	lines := []string{"ready"}
	if !r.Ready {
		lines[0] = "not ready"
	}
	for _, check := range r.Checks {
		lines = append(lines, check.line())
	}
	return strings.Join(lines, "\n")
}

func (c checkAnswer) line() string {
	switch {
	case c.OK:
		return c.Name + ": ok"
	case c.Remedy == "":
		return c.Name + ": " + c.Missing
	default:
		return c.Name + ": " + c.Missing + "; " + c.Remedy
	}
}

func (r readiness) json() string {
	body, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("texts that cannot be marshalled: %v", err)) //nolint:forbidigo // Strings and booleans always can be.
	}
	return string(body)
}

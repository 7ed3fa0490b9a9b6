package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dialtone/dialtone/internal/access"
)

// brokenError is a panic on its way out, as an error.
type brokenError struct {
	value any
	stack string
}

func (b *brokenError) Error() string { return fmt.Sprintf("panic: %v", b.value) }

// caught turns a panic below into an error.
func caught(ctx context.Context, next func(context.Context) error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &brokenError{value: value, stack: string(debug.Stack())}
		}
	}()
	return next(ctx)
}

// recovering catches what breaks in the layers themselves.
func (d *door) recovering(ctx context.Context, c *call, next func(context.Context) error) error {
	err := caught(ctx, next)
	if _, ok := errors.AsType[*brokenError](err); ok {
		return d.outward(ctx, c, err)
	}
	return err
}

// translating turns what the layers below and the handler return into a status.
func (d *door) translating(ctx context.Context, c *call, next func(context.Context) error) error {
	return d.outward(ctx, c, caught(ctx, next))
}

// logging writes one line for each call: never a field of a message.
func (d *door) logging(ctx context.Context, c *call, next func(context.Context) error) error {
	started := time.Now()
	err := next(ctx)
	level := slog.LevelInfo
	if access.Open(c.method) {
		level = slog.LevelDebug
	}
	d.log.LogAttrs(ctx, level, "call",
		slog.String("method", c.name()),
		slog.String("code", status.Code(err).String()),
		slog.String("reason", reasonOf(err)),
		slog.Duration("duration", time.Since(started)),
		slog.String("principal", string(c.caller.Principal)),
		slog.String("tenant", string(c.caller.Tenant)),
	)
	return err
}

// metrics counts calls. Labels have few values: methods and reasons of the schema, codes.
type metrics struct {
	calls    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	open     *prometheus.GaugeVec
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dialtone_grpc_calls_total", Help: "Calls that have ended, by method, code and reason.",
		}, []string{"method", "code", "reason"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dialtone_grpc_call_seconds", Help: "How long unary calls took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method"}),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "dialtone_grpc_calls_open", Help: "Calls and streams under way, by method.",
		}, []string{"method"}),
	}
	registry.MustRegister(m.calls, m.duration, m.open)
	return m
}

// measuring counts the call.
func (d *door) measuring(ctx context.Context, c *call, next func(context.Context) error) error {
	method := strings.TrimPrefix(c.method, "/")
	open := d.metrics.open.WithLabelValues(method)
	open.Inc()
	defer open.Dec()
	started := time.Now()
	err := next(ctx)
	if !c.stream {
		d.metrics.duration.WithLabelValues(method).Observe(time.Since(started).Seconds())
	}
	code := status.Code(err)
	d.metrics.calls.WithLabelValues(method, code.String(), reasonOf(err)).Inc()
	if code == codes.Unknown {
		d.log.ErrorContext(ctx, "a call has ended without a code of ours", "method", c.name())
	}
	return err
}

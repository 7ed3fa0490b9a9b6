package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dialtone/dialtone/internal/fault"
)

func newTestDoor(log *bytes.Buffer) *door {
	return newDoor(Config{Logger: slog.New(slog.NewTextHandler(log, nil)), Registry: prometheus.NewRegistry()}, nil, nil)
}

func TestTiming(t *testing.T) {
	t.Parallel()
	d := newTestDoor(&bytes.Buffer{})
	left := func(ctx context.Context, c *call) (left time.Duration, has bool) {
		_ = d.timing(ctx, c, func(ctx context.Context) error {
			var deadline time.Time
			deadline, has = ctx.Deadline()
			left = time.Until(deadline)
			return nil
		})
		return left, has
	}

	if got, has := left(t.Context(), &call{}); !has || got > unaryTimeout || got < unaryTimeout-time.Second {
		t.Errorf("a unary call without a deadline gets %s", got)
	}
	longer, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if got, _ := left(longer, &call{}); got < 50*time.Minute {
		t.Errorf("a caller's own deadline becomes %s", got)
	}
	if _, has := left(t.Context(), &call{stream: true}); has {
		t.Error("a stream gets a deadline")
	}
}

// What is beyond the places is refused at once, and a place is free again after each call.
func TestBounding(t *testing.T) {
	t.Parallel()
	d := newTestDoor(&bytes.Buffer{})
	d.unaries = make(chan struct{}, 1)
	c := &call{method: "/dialtone.v1.WorkflowService/GetWorkflow"}

	err := d.bounding(t.Context(), c, func(ctx context.Context) error {
		if err := d.bounding(ctx, c, nil); !errors.Is(err, errTooMany) {
			t.Errorf("the second of one: %v", err)
		}
		stream := &call{method: c.method, stream: true}
		return d.bounding(ctx, stream, func(context.Context) error { return nil })
	})
	if err != nil {
		t.Error(err)
	}
	if err := d.bounding(t.Context(), c, func(context.Context) error { return nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// Also what breaks in a layer itself becomes an answer.
func TestRecovering_ALayer(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	d := newTestDoor(&log)
	d.layers = []layer{d.recovering, func(context.Context, *call, func(context.Context) error) error { panic("a layer") }}

	err := d.through(t.Context(), &call{method: "/dialtone.v1.WorkflowService/GetWorkflow"}, nil)

	if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "a layer") || !strings.Contains(log.String(), "a layer") {
		t.Errorf("%v, logged %s", err, &log)
	}
}

func TestOutward(t *testing.T) {
	t.Parallel()
	c := &call{method: "/dialtone.v1.WorkflowService/GetWorkflow"}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	var every []fault.Violation
	for range 60 {
		every = append(every, fault.Violation{Field: "f", Reason: "FIELD_MALFORMED", Text: "t"})
	}
	for name, test := range map[string]struct {
		ctx    context.Context
		err    error
		code   codes.Code
		reason string
	}{
		"nothing":        {t.Context(), nil, codes.OK, ""},
		"a plain error":  {t.Context(), errors.New("dial tcp 10.0.0.1: refused"), codes.Internal, "INTERNAL"},
		"a named one":    {t.Context(), errNotApplicable.Because(errors.New("10.0.0.1")), codes.FailedPrecondition, "NOT_APPLICABLE"},
		"an inner one":   {t.Context(), fault.New(fault.Conflict, "NOT_THIS_RUN", "10.0.0.1"), codes.Internal, "INTERNAL"},
		"one of ours":    {t.Context(), fault.New(fault.Internal, "ILLEGAL_MOVE", "10.0.0.1"), codes.Internal, "INTERNAL"},
		"too slow":       {t.Context(), context.DeadlineExceeded, codes.Unavailable, "TRY_AGAIN"},
		"caller is gone": {cancelled, errors.New("10.0.0.1"), codes.Canceled, ""},
		"many fields":    {t.Context(), fault.InvalidFields(every), codes.InvalidArgument, "INVALID_FIELDS"},
		"a foreign code": {t.Context(), status.Error(codes.DataLoss, "10.0.0.1"), codes.Internal, "INTERNAL"},
	} {
		var log bytes.Buffer
		err := newTestDoor(&log).outward(test.ctx, c, test.err)
		if status.Code(err) != test.code || reasonOf(err) != test.reason {
			t.Errorf("%s: %v (%s)", name, err, reasonOf(err))
		}
		if err != nil && strings.Contains(err.Error(), "10.0.0.1") {
			t.Errorf("%s tells the caller the cause", name)
		}
		if test.code == codes.Internal && !strings.Contains(log.String(), "10.0.0.1") {
			t.Errorf("%s does not tell operators the cause", name)
		}
	}
}

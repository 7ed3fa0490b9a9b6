package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// A stream that broke is opened again after the first delay, then after twice as long,
	// and so on up to the last.
	reopenDelayMin = 500 * time.Millisecond
	reopenDelayMax = 15 * time.Second
)

// errNotOver is what a stream that the server closed before its time ends with.
var errNotOver = status.Error(codes.Unavailable, "the server has closed the stream")

// stream is one that is opened again when it breaks.
type stream struct {
	// open reads until the end, which is nil, or an error. It calls alive at each message.
	open func(ctx context.Context, alive func()) error
	// known says that the server has answered before: then the first opening is
	// also repeated. Otherwise a wrong address would be tried for ever.
	known bool
	// say tells that the stream broke and is opened again after a while; with nothing that
	// it is back.
	say func(string)
}

// keep reads a stream to its end. Only what another try may mend is tried again, and that
// until ctx ends.
func (a *app) keep(ctx context.Context, s stream) error {
	delay, broken := reopenDelayMin, false
	alive := func() {
		s.known, delay = true, reopenDelayMin
		if broken {
			broken = false
			s.say("")
		}
	}
	for {
		err := s.open(ctx, alive)
		if errors.Is(err, io.EOF) {
			err = errNotOver
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		if !s.known || statusExit(status.Code(err)) != exitTryAgain {
			return err
		}
		wait := delay
		if r, ok := refusalOf(err); ok && r.retry != nil {
			wait = max(wait, min(r.retry.GetRetryDelay().AsDuration(), time.Minute))
		}
		broken = true
		s.say("connection lost, trying again in " + span(max(wait, time.Second)))
		select {
		case <-ctx.Done():
			return err
		case <-a.env.After(wait):
		}
		delay = min(2*delay, reopenDelayMax)
	}
}

// letGo makes the end of a watch that was not the activation's own end: by Ctrl-C or by
// --timeout.
func letGo(ctx context.Context, goesOn, again string) error {
	end := &exitError{code: exitInterrupted, text: "let go; " + goesOn, next: []string{"watch it again: " + again}}
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		end.code, end.text = exitTryAgain, "the time of --timeout is over; "+goesOn
	}
	return end
}

package server

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/crash"
)

// call is one RPC on its way through the layers.
type call struct {
	// method is the full method name.
	method string
	stream bool
	// request is the message; nil for a stream, whose messages come later.
	request proto.Message
	// caller is known once the call was authenticated.
	caller access.Caller
}

// name is the method without its service, as the schema's readers call it.
func (c *call) name() string { return c.method[strings.LastIndexByte(c.method, '/')+1:] }

// layer is something that every call passes, unary or streaming: it may look, refuse, or
// change the context, and calls next.
type layer func(ctx context.Context, c *call, next func(context.Context) error) error

// door holds the layers and what they need.
type door struct {
	gate    *access.Gate
	log     *slog.Logger
	metrics *metrics
	unaries chan struct{}
	streams chan struct{}
	// draining is closed when streams are to end.
	draining <-chan struct{}
	layers   []layer
}

func newDoor(config Config, gate *access.Gate, draining <-chan struct{}) *door {
	d := &door{
		gate: gate, log: config.Logger, metrics: newMetrics(config.Registry), draining: draining,
		unaries: make(chan struct{}, unariesMax), streams: make(chan struct{}, streamsMax),
	}
	// In the order in which a call meets them. The first one catches what breaks in the
	// others; translating turns what comes out of those below into a status, so that those
	// above it see the answer as the caller does.
	d.layers = []layer{
		d.recovering, d.logging, d.measuring, d.translating,
		d.bounding, d.timing, d.ending, d.sizing, d.authenticating, d.authorising,
	}
	return d
}

func (d *door) through(ctx context.Context, c *call, handle func(context.Context) error) error {
	next := handle
	for _, l := range slices.Backward(d.layers) {
		inner := next
		next = func(ctx context.Context) error { return l(ctx, c, inner) }
	}
	return next(ctx)
}

// unary is the interceptor of unary calls.
func (d *door) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	c := &call{method: info.FullMethod}
	c.request, _ = request.(proto.Message)
	var response any
	err := d.through(ctx, c, func(ctx context.Context) (err error) {
		response, err = handler(ctx, request)
		return err
	})
	if err != nil {
		return nil, err
	}
	crash.At("front.committed", c.name())
	return response, nil
}

// streaming is the interceptor of streaming calls.
func (d *door) streaming(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	c := &call{method: info.FullMethod, stream: true}
	return d.through(stream.Context(), c, func(ctx context.Context) error {
		return handler(server, &layeredStream{ServerStream: stream, ctx: ctx})
	})
}

// layeredStream carries the layers' context and looks at the size of what comes in.
type layeredStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *layeredStream) Context() context.Context { return s.ctx }

func (s *layeredStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	message, _ := m.(proto.Message)
	return checkSize(message)
}

// Bounds of one process. What is beyond them is refused at once, rather than all being slow.
const (
	unariesMax = 200
	streamsMax = 1000
	// unaryTimeout is for calls that come without a deadline.
	unaryTimeout = 10 * time.Second
	// messageBytesMax bounds a request.
	messageBytesMax = 64 << 10
)

// bounding refuses calls beyond what one process takes at a time.
func (d *door) bounding(ctx context.Context, c *call, next func(context.Context) error) error {
	if access.Open(c.method) {
		return next(ctx)
	}
	places := d.unaries
	if c.stream {
		places = d.streams
	}
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
		return next(ctx)
	default:
		return errTooMany
	}
}

// timing gives a unary call without a deadline one.
func (d *door) timing(ctx context.Context, c *call, next func(context.Context) error) error {
	if _, has := ctx.Deadline(); has || c.stream {
		return next(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, unaryTimeout)
	defer cancel()
	return next(ctx)
}

// ending ends the streams of gRPC's own services when the process goes down: they do not
// know of that, and a watch of the health service would hold the drain up to its cap. Our
// own streams end by themselves.
func (d *door) ending(ctx context.Context, c *call, next func(context.Context) error) error {
	if !c.stream || !access.Open(c.method) {
		return next(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-d.draining:
			cancel(errDraining)
		case <-over:
		}
	}()
	err := next(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, errDraining) {
		return cause
	}
	return err
}

// sizing refuses a request that is too large. It measures the decoded message.
func (d *door) sizing(ctx context.Context, c *call, next func(context.Context) error) error {
	if err := checkSize(c.request); err != nil {
		return err
	}
	return next(ctx)
}

func checkSize(message proto.Message) error {
	if message != nil && proto.Size(message) > messageBytesMax {
		return errMessageTooLarge
	}
	return nil
}

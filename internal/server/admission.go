package server

import (
	"context"

	"google.golang.org/grpc/metadata"

	"github.com/dialtone/dialtone/internal/access"
)

// authenticating finds out who calls, and puts the caller into the context.
func (d *door) authenticating(ctx context.Context, c *call, next func(context.Context) error) error {
	if access.Open(c.method) {
		return next(ctx)
	}
	values := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(values) != 1 {
		return access.ErrUnauthenticated
	}
	caller, err := d.gate.Authenticate(ctx, values[0])
	if err != nil {
		return err
	}
	c.caller = caller
	return next(access.With(ctx, caller))
}

// authorising asks the policy table.
func (d *door) authorising(ctx context.Context, c *call, next func(context.Context) error) error {
	if !access.Open(c.method) {
		if err := access.Authorise(c.caller, c.method); err != nil {
			return err
		}
	}
	return next(ctx)
}

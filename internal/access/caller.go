package access

import (
	"context"
	"crypto/sha256"

	"github.com/dialtone/dialtone/internal/mobile"
)

// Caller is who makes a call.
type Caller struct {
	Principal mobile.Principal
	// Tenant is empty for ADMIN.
	Tenant mobile.TenantID
	// Activation is what a PORTAL is bound to; empty for all others.
	Activation mobile.ActivationID
	TokenID    string
	// Name is who or what holds the token.
	Name string

	hash [sha256.Size]byte
}

// Actor is who acts: the person whom a console names, and the token's name for all others.
func (c Caller) Actor(person string) string {
	if c.Principal == mobile.PrincipalConsole {
		return person
	}
	return c.Name
}

// AuditActor is the same for the audit, where names alone would not do: several tokens may
// have one.
func (c Caller) AuditActor(person string) string {
	return c.Actor(person) + " (token " + c.TokenID + ")"
}

type callerKey struct{}

// With puts the caller into the context.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// From finds the caller that With put there. The zero Caller, which may do nothing, says
// that nobody did.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

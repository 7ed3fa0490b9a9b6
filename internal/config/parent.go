package config

import (
	"context"
	"io"
)

// Parent ties a process to the one that started it, for tests and the sandbox.
type Parent struct {
	// Exit ends the process when its standard input closes. A pipe closes with the process
	// that holds its other end, however that one ends.
	Exit bool `env:"EXIT_WITH_PARENT, default=false" want:"true or false"`
}

// Until gives a context that ends with input too, if the process is tied to its parent.
func (p Parent) Until(ctx context.Context, input io.Reader) context.Context {
	if !p.Exit {
		return ctx
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, input) // However it ends, nobody holds the other end.
	}()
	return ctx
}

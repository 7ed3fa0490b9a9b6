package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// hideTyping has a terminal show nothing of what is typed but the end of the line, until the
// function that it gives is called. It asks stty, which POSIX has everywhere, rather than
// taking a dependency for two system calls; where there is none, nothing secret is asked.
func hideTyping(ctx context.Context, terminal *os.File) (show func(), err error) {
	// Whatever ends the question, the terminal is put back.
	ctx = context.WithoutCancel(ctx)
	before, err := stty(ctx, terminal, "-g")
	if err != nil {
		return nil, err
	}
	if _, err := stty(ctx, terminal, "-echo", "echonl"); err != nil {
		return nil, err
	}
	return func() {
		// Nothing is left to be done about it.
		_, _ = stty(ctx, terminal, before)
	}, nil
}

func stty(ctx context.Context, terminal *os.File, settings ...string) (string, error) {
	command := exec.CommandContext(ctx, "stty", settings...)
	command.Stdin = terminal
	said, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("stty %s: %w", settings[0], err)
	}
	return strings.TrimSpace(string(said)), nil
}

package main

import (
	"context"
	"fmt"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	"go.temporal.io/server/temporal"
)

// stopTimeout bounds the end. What is left by then loses nothing: every step of a
// workflow is in Postgres before it counts.
const stopTimeout = 5 * time.Second

// parts is what runs: the server, and the UI unless it is off.
type parts struct {
	addresses addresses
	server    temporal.Server
	ui        *uiserver.Server // nil: off
}

// startParts returns once everything answers. The addresses come first, because a port
// that is taken is the likeliest fault and the quickest to find.
func startParts(ctx context.Context, s settings, logger log.Logger) (*parts, error) {
	addresses, err := claimAddresses(s)
	if err != nil {
		return nil, err
	}
	if err := setUpSchemas(s, logger); err != nil {
		return nil, err
	}
	server, err := startServer(ctx, s, addresses, logger)
	if err != nil {
		return nil, err
	}
	p := &parts{addresses: addresses, server: server}
	if addresses.ui.IsValid() {
		p.ui = startUI(addresses)
		if err := awaitListening(ctx, addresses.ui); err != nil {
			return nil, fmt.Errorf("start the UI: %w", err)
		}
	}
	return p, nil
}

// ready is the line that a supervisor waits for.
func (p *parts) ready() string {
	if p.ui == nil {
		return fmt.Sprintf("ready frontend=%s ui=off", p.addresses.frontend)
	}
	return fmt.Sprintf("ready frontend=%s ui=%s", p.addresses.frontend, p.addresses.ui)
}

// stop ends the UI, whose calls would only fail, and then the server, in stopTimeout.
func (p *parts) stop(logger log.Logger) {
	if p.ui != nil {
		p.ui.Stop()
	}
	stopped := make(chan error, 1)
	go func() { stopped <- p.server.Stop() }()

	select {
	case err := <-stopped:
		if err != nil {
			logger.Error("stop the server", tag.Error(err))
		}
	case <-time.After(stopTimeout):
		logger.Warn("the server did not stop in time and is left")
	}
}

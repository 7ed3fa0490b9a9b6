package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// listenPoll is how often awaitListening asks. The UI opens its listener in a few
// milliseconds and has no way to say so.
const listenPoll = 10 * time.Millisecond

// startUI returns at once. The UI's own start ends only with it, and ends the process
// when it cannot listen.
func startUI(a addresses) *uiserver.Server {
	ui := uiserver.NewServer(server_options.WithConfigProvider(&config.Config{
		TemporalGRPCAddress: a.frontend.String(),
		Host:                hostInURL(a.ui.Addr()),
		Port:                int(a.ui.Port()),
		EnableUI:            true,
		HideLogs:            true, // They go to stdout, which is for the ready line.
		DisableNewsFetch:    true, // A laptop's server calls nobody.
		// The cookie behind every button has to come back over plain HTTP. Not every
		// browser sends a Secure one to http://127.0.0.1, and without it a button is refused.
		CORS: config.CORS{CookieInsecure: true},
	}))
	go func() { _ = ui.Start() }() // It returns nil, or does not return.
	return ui
}

// hostInURL puts an IPv6 address in brackets, for the UI puts a colon and a port after it.
func hostInURL(host netip.Addr) string {
	if host.Is6() {
		return "[" + host.String() + "]"
	}
	return host.String()
}

// awaitListening returns once somebody accepts connections at address, or ctx ends.
func awaitListening(ctx context.Context, address netip.AddrPort) error {
	for {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address.String())
		if err == nil {
			return connection.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("nobody listens on %s: %w", address, context.Cause(ctx))
		case <-time.After(listenPoll):
		}
	}
}

package main

import (
	"fmt"
	"net"
	"net/netip"
)

// addresses is where everything listens. Of these only frontend and ui are anybody
// else's business; the rest is picked anew at each start.
type addresses struct {
	frontend     netip.AddrPort
	frontendHTTP netip.AddrPort
	history      netip.AddrPort
	matching     netip.AddrPort
	worker       netip.AddrPort
	ui           netip.AddrPort // the zero value: no UI
}

// claimAddresses fills in free ports, and refuses an address that somebody listens on.
// The server and the UI open their own listeners and end the process when they cannot,
// so it is asked here, where it can still be told plainly. The listeners stay open until
// all are claimed, lest one port be handed out twice.
func claimAddresses(s settings) (addresses, error) {
	anyPort := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)
	a := addresses{
		frontend:     s.Frontend,
		frontendHTTP: anyPort,
		history:      anyPort,
		matching:     anyPort,
		worker:       anyPort,
		ui:           s.UI,
	}
	for _, address := range []*netip.AddrPort{
		&a.frontend, &a.ui, &a.frontendHTTP, &a.history, &a.matching, &a.worker,
	} {
		if !address.IsValid() {
			continue
		}
		listener, err := net.Listen("tcp", address.String())
		if err != nil {
			return addresses{}, fmt.Errorf("claim an address: %w", err)
		}
		defer listener.Close()
		*address = listener.Addr().(*net.TCPAddr).AddrPort()
	}
	return a, nil
}

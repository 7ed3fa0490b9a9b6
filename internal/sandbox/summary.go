package sandbox

import "time"

// Summary tells people what runs where, and what to try.
func (s *Sandbox) Summary() {
	c, a := s.settings.config, s.Addresses()
	dialtone := c.shown(c.binary(cliName))
	c.tell("\nThe sandbox is up (%s). It runs until Ctrl-C.\n", time.Since(s.began).Round(time.Second))
	for _, line := range []struct{ what, where string }{
		{"Mails to customers", a.InboxURL},
		{"Temporal", a.TemporalUI},
		{"gRPC", a.GRPC + " (no TLS; reflection is on)"},
		{"Health, metrics", a.Admin + "/readyz, /metrics"},
		{"Carrier", a.CarrierURL},
		{"SM-DP+", a.ES2PlusURL},
		{"Logs", c.shown(c.logDir())},
		{"Addresses, tokens", c.shown(c.addressesFile())},
	} {
		if line.where != "" {
			c.tell("  %-20s %s", line.what, line.where)
		}
	}
	c.tell("\nTry, in another terminal:\n")
	c.tell("  %s launch mobile-activation --subscription %s --imei %s --zip %s --watch", dialtone, s.subscription, GoodIMEI, GoodZIP)
	c.tell("    (to bring a number along, add --port-number %s --port-carrier %s; the donor refuses its PIN once)", DrawNumber(refusedOnce), GoodDonor)
	c.tell("  %s workflow show %s", dialtone, s.subscription)
	c.tell("  %s events tail", dialtone)
}

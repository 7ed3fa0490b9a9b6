package sandbox

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// guard refuses addresses of other machines: the sandbox makes and deletes databases, sends
// mails and orders lines, and is for trying things out.
func guard(c Config) error {
	if c.Remote {
		return nil
	}
	var refusals []error
	for _, v := range []struct {
		name  string
		local func(string) bool
	}{
		{"DATABASE_URL", localDatabase},
		{"TEMPORAL_ADDRESS", localAddress},
		{"CARRIER_URL", localURL},
		{"ES2PLUS_URL", localURL},
		{"SENDGRID_URL", localURL},
	} {
		if value := c.variable(v.name); value != "" && !v.local(value) {
			refusals = append(refusals, fmt.Errorf("%s is not on this machine", v.name))
		}
	}
	if len(refusals) == 0 {
		return nil
	}
	return fmt.Errorf("%w: unset it, or say --remote if the sandbox shall use it (and, with --fresh, delete its databases there)",
		errors.Join(refusals...))
}

func localHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// localDatabase accepts loopback addresses and sockets, for each host that is named.
func localDatabase(text string) bool {
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return false
	}
	local := func(host string) bool { return strings.HasPrefix(host, "/") || localHost(host) }
	for _, fallback := range config.Fallbacks {
		if !local(fallback.Host) {
			return false
		}
	}
	return local(config.Host)
}

func localAddress(text string) bool {
	host, _, err := net.SplitHostPort(text)
	return err == nil && localHost(host)
}

func localURL(text string) bool {
	address, err := url.Parse(text)
	return err == nil && localHost(address.Hostname())
}

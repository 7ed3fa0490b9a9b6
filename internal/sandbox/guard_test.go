package sandbox

import (
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environ []string
		refused string
	}{
		"nothing":              {nil, ""},
		"all on this machine":  {[]string{"DATABASE_URL=postgres://a:b@localhost:5432/", "TEMPORAL_ADDRESS=127.0.0.1:7233", "CARRIER_URL=http://[::1]:80"}, ""},
		"a socket":             {[]string{"DATABASE_URL=postgres:///postgres?host=/run/postgresql"}, ""},
		"a database elsewhere": {[]string{"DATABASE_URL=postgres://a:b@db.example.com/"}, "DATABASE_URL is not on this machine"},
		"one of two hosts":     {[]string{"DATABASE_URL=postgres://a:b@localhost:5432,db.example.com:5432/"}, "DATABASE_URL is not on this machine"},
		"Temporal elsewhere":   {[]string{"TEMPORAL_ADDRESS=temporal.example.com:7233"}, "TEMPORAL_ADDRESS is not on this machine"},
		"a partner elsewhere":  {[]string{"SENDGRID_URL=https://api.sendgrid.com"}, "SENDGRID_URL is not on this machine"},
		"what only looks near": {[]string{"CARRIER_URL=http://127.0.0.1.example.com"}, "CARRIER_URL is not on this machine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := guard(Config{Environ: test.environ})

			if test.refused == "" && err != nil || test.refused != "" && (err == nil || !strings.Contains(err.Error(), test.refused)) {
				t.Errorf("got %v, want %q", err, test.refused)
			}
			if err := guard(Config{Environ: test.environ, Remote: true}); err != nil {
				t.Errorf("with --remote: %v", err)
			}
		})
	}
}

// TestInherited: what a part is told comes from us; of the user's environment it gets what
// any program needs, and what a server that was named there needs.
func TestInherited(t *testing.T) {
	t.Parallel()
	c := Config{Environ: []string{"PATH=/bin", "DATABASE_URL=postgres://x", "TEMPORAL_API_KEY=k", "TEMPORAL_ADDRESS=", "DIALTONE_TOKEN=t"}}

	if got := strings.Join(c.inherited(), " "); got != "PATH=/bin" {
		t.Errorf("any part gets %s", got)
	}
	if got := strings.Join(c.inherited("TEMPORAL_"), " "); got != "PATH=/bin TEMPORAL_API_KEY=k" {
		t.Errorf("with Temporal's it gets %s", got)
	}
}

func TestClaimPorts(t *testing.T) {
	t.Parallel()
	first, err := claimPorts(nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := claimPorts(first.numbers)
	if err != nil {
		t.Fatal(err)
	}
	for name, port := range first.numbers {
		if second.numbers[name] == port {
			t.Errorf("%s was given to two sandboxes", name)
		}
	}
	if err := first.release(portNames()...); err != nil {
		t.Fatal(err)
	}

	again, err := claimPorts(first.numbers)
	if err != nil {
		t.Fatal(err)
	}

	for name, port := range first.numbers {
		if again.numbers[name] != port {
			t.Errorf("%s moved although its port was free", name)
		}
	}
	for _, p := range []*ports{second, again} {
		if err := p.release(portNames()...); err != nil {
			t.Error(err)
		}
	}
}

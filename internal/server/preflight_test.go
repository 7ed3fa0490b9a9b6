package server_test

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/server"
)

// network is a client of the carrier at an address.
func network(t *testing.T, url string) *carrier.Client {
	t.Helper()
	client, err := carrier.New(carrier.Config{URL: url, APIKey: "key"})
	must(t, err)
	return client
}

// pretendCarrier serves a pretend carrier that fails when it is told to.
func pretendCarrier(t *testing.T) (url string, faults *partnertest.Faults) {
	t.Helper()
	journal, err := partnertest.OpenJournal(filepath.Join(t.TempDir(), "carrier"))
	must(t, err)
	t.Cleanup(func() { _ = journal.Close() })
	faults = new(partnertest.Faults)
	pretend, err := carriertest.New(carriertest.Config{Journal: journal, Faults: faults})
	must(t, err)
	t.Cleanup(pretend.Close)
	api := httptest.NewServer(pretend)
	t.Cleanup(api.Close)
	return api.URL, faults
}

const (
	yes     = dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_OK
	no      = dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_NO
	unknown = dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_UNKNOWN
)

// trial is a launch that is only tried, as an operator would.
func (b *bundle) trial(t *testing.T, number, donor string, changes ...func(*mobileFields)) *dialtonev1.LaunchWorkflowResponse {
	t.Helper()
	request := launchPort(b.pending(t, b.a).ID, number, donor)
	request.ValidateOnly = true
	for _, change := range changes {
		change(request.GetMobileActivation())
	}
	response, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.operator()), request)
	must(t, err)
	return response
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	url, _ := pretendCarrier(t)
	b := setup(t, func(c *server.Config) { c.Network = network(t, url) })
	type check struct {
		verdict dialtonev1.PreflightVerdict
		reason  string
	}
	const blocked = "350000000000014"

	for name, test := range map[string]struct {
		number, donor, imei string
		device, portability check
		kind                dialtonev1.NumberType
		seen                string
		fields              []string
		hint                string // a part of one
	}{
		"a new line":       {device: check{yes, ""}},
		"no such phone":    {imei: blocked, device: check{no, "DEVICE_BLOCKED"}},
		"a port":           {number: "(212) 555-0130", donor: "AT&T", device: check{yes, ""}, portability: check{yes, ""}, kind: 1, fields: []string{"us.account_number", "us.pin"}, hint: "Wireless Account Lock"},
		"a landline":       {number: "2125550117", donor: "other", device: check{yes, ""}, portability: check{yes, ""}, kind: 2, fields: []string{"us.address_line", "us.accepts_line_losses"}},
		"seen elsewhere":   {number: "2125550124", donor: "att", device: check{yes, ""}, portability: check{yes, ""}, kind: 1, seen: "verizon", hint: "Verizon, not at AT&T"},
		"seen, not named":  {number: "2125550124", donor: "other", device: check{yes, ""}, portability: check{yes, ""}, kind: 1, seen: "verizon", hint: "instead of other"},
		"seen as named":    {number: "2125550124", donor: "Verizon", device: check{yes, ""}, portability: check{yes, ""}, kind: 1, seen: "verizon"},
		"not portable":     {number: "2125550110", donor: "att", device: check{yes, ""}, portability: check{no, "NOT_PORTABLE"}, hint: "cannot be moved to us from AT&T"},
		"on this network":  {number: "2125550111", donor: "att", device: check{yes, ""}, portability: check{no, "SAME_NETWORK"}, hint: "on our network already"},
		"neither is right": {number: "2125550110", donor: "att", imei: blocked, device: check{no, "DEVICE_BLOCKED"}, portability: check{no, "NOT_PORTABLE"}},
	} {
		t.Run(name, func(t *testing.T) {
			response := b.trial(t, test.number, test.donor, func(m *mobileFields) {
				if test.imei != "" {
					m.Imei = test.imei
				}
			})

			got := response.GetPreflight()
			for what, pair := range map[string]struct {
				got  *dialtonev1.PreflightCheck
				want check
			}{"device": {got.GetDevice(), test.device}, "portability": {got.GetPortability(), test.portability}} {
				if (check{pair.got.GetVerdict(), pair.got.GetReason()}) != pair.want || (pair.got.GetReason() != "") != (pair.got.GetMessage() != "") {
					t.Errorf("%s: %v, want %v", what, pair.got, pair.want)
				}
			}
			if got.GetNumberType() != test.kind || got.GetDonor() != test.seen || (got.GetDonorName() != "") != (test.seen != "") {
				t.Errorf("%v", got)
			}
			if ports := got.GetPortability().GetVerdict() == yes; (len(got.GetRequiredFields()) > 0) != ports || (got.GetEarliestTime() != nil) != ports {
				t.Errorf("%v", got)
			}
			for _, field := range test.fields {
				if !slices.ContainsFunc(got.GetRequiredFields(), func(f *dialtonev1.PortingField) bool { return f.GetField() == field && f.GetLabel() != "" }) {
					t.Errorf("%s is not asked: %v", field, got.GetRequiredFields())
				}
			}
			if hints := strings.Join(got.GetHints(), "\n"); !strings.Contains(hints, test.hint) || strings.Contains(hints, "{") || slices.Contains(got.GetHints(), "") {
				t.Errorf("the hints are %q, want %q", hints, test.hint)
			}
		})
	}
}

// A carrier that is down, breaks, denies us or takes its time is no reason to refuse a launch,
// nor to let somebody wait.
func TestPreflight_CarrierAway(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]partnertest.Fault{
		"hangs":     {Kind: partnertest.Hang},
		"breaks":    {Kind: partnertest.Status, Status: 500},
		"is busy":   {Kind: partnertest.Status, Status: 429},
		"denies us": {Kind: partnertest.Status, Status: 401},
		"is gone":   {Kind: partnertest.Status, Status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, faults := pretendCarrier(t)
			b := setup(t, func(c *server.Config) {
				c.Network = network(t, url)
				*c = c.WithPreflightPatience(50 * time.Millisecond)
			})
			_, err := faults.Set(fault)
			must(t, err)

			got := b.trial(t, "2125550130", "att").GetPreflight()

			for _, check := range []*dialtonev1.PreflightCheck{got.GetDevice(), got.GetPortability()} {
				if check.GetVerdict() != unknown || check.GetReason() != "PARTNER_UNREACHABLE" || check.GetMessage() == "" {
					t.Errorf("%v", check)
				}
			}
			if len(got.GetRequiredFields()) != 0 || len(got.GetHints()) == 0 {
				t.Errorf("%v", got)
			}
		})
	}
}

// meeting answers only when both questions are there, and looks at the record meanwhile.
type meeting struct {
	server.Network

	both chan struct{}
	look func()
}

func (m meeting) meet(ctx context.Context) error {
	select {
	case m.both <- struct{}{}:
	case <-m.both:
	case <-ctx.Done():
		return ctx.Err()
	}
	m.look()
	return nil
}

func (m meeting) CheckDevice(ctx context.Context, _ carrier.DeviceCheck) error { return m.meet(ctx) }

func (m meeting) CheckPortability(ctx context.Context, _ carrier.PortabilityCheck) (carrier.Portability, error) {
	return carrier.Portability{Portable: true, NumberType: "WIRELESS"}, m.meet(ctx)
}

// Both questions are asked at the same time, and no transaction is open over them.
func TestPreflight_AtOnceAndOutside(t *testing.T) {
	t.Parallel()
	m := meeting{both: make(chan struct{})}
	var b *bundle
	m.look = func() {
		if n := ask[int](t, b, `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`); n != 0 {
			t.Errorf("%d transactions are open while the carrier is asked", n)
		}
	}
	b = setup(t, func(c *server.Config) { c.Network = m; *c = c.WithPreflightPatience(time.Minute) })

	got := b.trial(t, "2125550130", "att").GetPreflight()

	if got.GetDevice().GetVerdict() != yes || got.GetPortability().GetVerdict() != yes {
		t.Errorf("%v", got)
	}
}

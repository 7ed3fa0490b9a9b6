package carrier_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/carrier/carrierconformance"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
)

const (
	apiKey    = "the-api-key"
	secret    = "a-webhook-secret-of-some-length"
	goodIMEI  = "490154203237518"
	goodZIP   = "10001"
	goodPlan  = "UNLIMITED"
	shortTime = 20 * time.Millisecond

	accountNumber = "0001234567"
	pin           = "04208642"
)

type bundle struct {
	client     *carrier.Client
	pretend    *carriertest.Server
	url        string
	faults     *partnertest.Faults
	journal    *partnertest.Journal
	deliveries chan carrierconformance.Delivery
}

// setup makes a client with a pretend carrier behind it, and takes its events.
func setup(t *testing.T) *bundle {
	t.Helper()
	return setupWith(t, nil)
}

// setupWith gives the pretend carrier that clock; nil is the world's.
func setupWith(t *testing.T, now func() time.Time) *bundle {
	t.Helper()
	b := &bundle{faults: new(partnertest.Faults), deliveries: make(chan carrierconformance.Delivery, 100)}
	front := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.deliveries <- carrierconformance.Delivery{Header: r.Header.Clone(), Body: body}
	}))
	t.Cleanup(front.Close)
	var err error
	if b.journal, err = partnertest.OpenJournal(filepath.Join(t.TempDir(), "carrier.jsonl")); err != nil {
		t.Fatal(err)
	}
	b.pretend, err = carriertest.New(carriertest.Config{
		Journal: b.journal, Faults: b.faults, APIKey: apiKey, EventURL: front.URL, WebhookSecret: secret,
		ComesUpAfter: shortTime, AnswersAfter: shortTime, MovesAfter: shortTime, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.pretend.Close)
	server := httptest.NewServer(b.pretend)
	t.Cleanup(server.Close)
	b.url = server.URL
	b.client = newClient(t, carrier.Config{URL: server.URL})
	return b
}

// newClient fills in what a test does not care about.
func newClient(t *testing.T, config carrier.Config) *carrier.Client {
	t.Helper()
	if config.APIKey == "" {
		config.APIKey = apiKey
	}
	if config.WebhookSecrets == nil {
		config.WebhookSecrets = []string{secret}
	}
	client, err := carrier.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

var orders atomic.Int64

func newOrder() carrier.LineOrder {
	n := orders.Add(1)
	return carrier.LineOrder{
		ExternalID: fmt.Sprintf("activation-%d", n), ICCID: fmt.Sprintf("8901%015d", n),
		IMEI: goodIMEI, ZIPCode: goodZIP, Plan: goodPlan, CustomerName: "Zoë O'Hara",
	}
}

// newPortOrder gives an order of a number whose last two digits say how it goes.
func newPortOrder(lastTwo string) func() carrier.PortOrder {
	return func() carrier.PortOrder {
		line := newOrder()
		n := orders.Add(1)
		return carrier.PortOrder{
			ExternalID: fmt.Sprintf("port-%d", n), LineExternalID: line.ExternalID,
			Number: fmt.Sprintf("+1%d55501%s", 200+n%800, lastTwo), Donor: "att",
			ICCID: line.ICCID, IMEI: line.IMEI, ZIPCode: line.ZIPCode, Plan: line.Plan, CustomerName: line.CustomerName,
			Info: mobile.PortingInfo{AccountNumber: accountNumber, PIN: pin, AccountZIP: goodZIP},
		}
	}
}

func TestClientKeepsTheContract(t *testing.T) {
	t.Parallel()
	carrierconformance.Run(t, func(t *testing.T) carrierconformance.Subject {
		b := setup(t)
		check := func(imei, zip string) carrier.DeviceCheck { return carrier.DeviceCheck{IMEI: imei, ZIPCode: zip} }
		return carrierconformance.Subject{
			Carrier:    b.client,
			Deliveries: b.deliveries,
			LoseAnswer: func(t *testing.T) {
				t.Helper()
				if _, err := b.faults.Set(partnertest.Fault{Kind: partnertest.DropAfter, Times: 1}); err != nil {
					t.Fatal(err)
				}
			},
			Order: newOrder,
			DeviceRefusals: []carrierconformance.DeviceRefusal{
				{Check: check(carriertest.IMEIBlocked, goodZIP), Want: mobile.ErrDeviceBlocked},
				{Check: check(carriertest.IMEINotESIMCapable, goodZIP), Want: mobile.ErrDeviceNotESIMCapable},
				{Check: check(carriertest.IMEINotSupported, goodZIP), Want: mobile.ErrDeviceNotSupported},
				{Check: check(carriertest.IMEIUnknown, goodZIP), Want: mobile.ErrDeviceUnknown},
				{Check: check(goodIMEI, carriertest.ZIPNotServed), Want: mobile.ErrZIPNotServed},
			},
			OrderRefusals: []carrierconformance.OrderRefusal{
				{Change: func(o *carrier.LineOrder) { o.IMEI = carriertest.IMEIBlockedAtActivation }, Want: mobile.ErrDeviceBlocked},
				{Change: func(o *carrier.LineOrder) { o.ZIPCode = carriertest.ZIPNotServedAtActivation }, Want: mobile.ErrZIPNotServed},
				{Change: func(o *carrier.LineOrder) { o.Plan = carriertest.PlanUnknown }, Want: mobile.ErrPlanNotKnownToCarrier},
				{Change: func(o *carrier.LineOrder) { o.ICCID = carriertest.ICCIDPrefixNotLoaded + "000000000017" }, Want: mobile.ErrICCIDNotAccepted},
				{Change: func(o *carrier.LineOrder) { o.Plan = "a plan with spaces" }, Want: mobile.ErrPartnerRefused},
			},
			ComesUpLater: carriertest.IMEIComesUpLater,
			FailsLater:   carriertest.IMEIFailsLater,
			FailsFor:     mobile.ErrDeviceNotSupported,
			Ports: carrierconformance.Ports{
				Order: newPortOrder("00"), Open: newPortOrder("19"),
				RefusedOnce: newPortOrder("01"), RefusedFor: mobile.PortPINInvalid,
				NoSupplements: newPortOrder("25"),
				NotPortable:   "+12125550110", NotPortableFor: mobile.PortNotPortable,
				OrderRefusals: []carrierconformance.PortOrderRefusal{
					{Change: func(o *carrier.PortOrder) { o.IMEI = carriertest.IMEIBlockedAtActivation }, Want: mobile.ErrDeviceBlocked},
					{Change: func(o *carrier.PortOrder) { o.ZIPCode = carriertest.ZIPNotServed }, Want: mobile.ErrZIPNotServed},
					{Change: func(o *carrier.PortOrder) { o.Plan = carriertest.PlanUnknown }, Want: mobile.ErrPlanNotKnownToCarrier},
					{Change: func(o *carrier.PortOrder) { o.ICCID = carriertest.ICCIDPrefixNotLoaded + "000000000017" }, Want: mobile.ErrICCIDNotAccepted},
					{Change: func(o *carrier.PortOrder) { o.Plan = "a plan with spaces" }, Want: mobile.ErrPartnerRefused},
					{Change: func(o *carrier.PortOrder) { o.Number = "+12125550126" }, Want: mobile.PortPINInvalid.Refusal()},
					{Change: func(o *carrier.PortOrder) { o.Number = "+12125550127" }, Want: mobile.PortNumberUnknown.Refusal()},
					{Change: func(o *carrier.PortOrder) { o.Info.AccountNumber = "" }, Want: mobile.PortAccountNumberInvalid.Refusal()},
				},
			},
		}
	})
}

func TestNewRefusesAConfigThatCannotWork(t *testing.T) {
	t.Parallel()
	good := carrier.Config{URL: "https://carrier.example", APIKey: apiKey, WebhookSecrets: []string{secret}}
	for name, change := range map[string]func(*carrier.Config){
		"NoURL":              func(c *carrier.Config) { c.URL = "" },
		"PlainHTTPElsewhere": func(c *carrier.Config) { c.URL = "http://carrier.example" },
		"NoAPIKey":           func(c *carrier.Config) { c.APIKey = "" },
		"APIKeyWithNewline":  func(c *carrier.Config) { c.APIKey = "key\nX-Other: 1" },
		"ShortSecret":        func(c *carrier.Config) { c.WebhookSecrets = []string{"short"} },
		"ThreeSecrets":       func(c *carrier.Config) { c.WebhookSecrets = []string{secret, secret, secret} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := good
			change(&config)

			if _, err := carrier.New(config); err == nil {
				t.Error("New took it")
			} else if strings.Contains(err.Error(), "key\n") || strings.Contains(err.Error(), "short\"") {
				t.Errorf("the refusal repeats a secret: %v", err)
			}
		})
	}
	for name, url := range map[string]string{"HTTPS": "https://carrier.example/base/", "Loopback": "http://127.0.0.1:1"} {
		t.Run("Takes"+name, func(t *testing.T) {
			t.Parallel()
			if _, err := carrier.New(carrier.Config{URL: url, APIKey: apiKey}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	config := carrier.Config{URL: "https://carrier.example", APIKey: apiKey, WebhookSecrets: []string{secret}}
	client := newClient(t, config)

	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, v := range []any{config, &config, client, client.Verifier} {
			text := fmt.Sprintf(verb, v)
			if strings.Contains(text, apiKey) || strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s of %T prints a secret: %s", verb, v, text)
			}
		}
	}
}

// An id that is more than a segment of a path, or a key that is more than a header's value,
// must never leave.
func TestBadReferencesAreNotSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	for _, id := range []string{"", "..", "a/b", "a?b", "a b", "a\r\nb", strings.Repeat("a", 200)} {
		for name, call := range map[string]func() error{
			"ReadLine":       func() error { _, err := b.client.ReadLine(ctx, id); return err },
			"DeactivateLine": func() error { return b.client.DeactivateLine(ctx, "key", id) },
			"ReadPort":       func() error { _, err := b.client.ReadPort(ctx, id); return err },
			"CancelPort":     func() error { _, err := b.client.CancelPort(ctx, "key", id); return err },
			"SupplementPort": func() error {
				_, err := b.client.SupplementPort(ctx, "key", carrier.PortSupplement{ExternalID: id})
				return err
			},
		} {
			if err := call(); mobile.VerdictOf(err) != mobile.VerdictNotNow {
				t.Errorf("%s with id %q: error %v", name, id, err)
			}
		}
	}
	for _, key := range []string{"", "a b", "a\r\nb", strings.Repeat("a", 300)} {
		_, line := b.client.ActivateLine(ctx, key, newOrder())
		_, port := b.client.SubmitPort(ctx, key, newPortOrder("00")())
		_, cancel := b.client.CancelPort(ctx, key, "p1")
		if mobile.VerdictOf(line) != mobile.VerdictNotNow || mobile.VerdictOf(port) != mobile.VerdictNotNow || mobile.VerdictOf(cancel) != mobile.VerdictNotNow {
			t.Errorf("key %q: errors %v, %v, %v", key, line, port, cancel)
		}
	}
	if n := len(b.journal.Entries()); n != 0 {
		t.Errorf("the carrier saw %d acts", n)
	}
}

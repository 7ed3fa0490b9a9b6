package carrier_test

import (
	"context"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire"
	"github.com/dialtone/dialtone/internal/wire/wiretest"
)

// call is one method of the client, as a test makes it for the line a1.
type call struct {
	name   string
	writes bool
	// success is the status of its yes, and body the body.
	success int
	body    string
	// refusal is a code that refuses it; empty when none does.
	refusal string
	make    func(context.Context, *carrier.Client) error
}

var calls = []call{
	{"CheckDevice", false, 200, `{"eligible":true}`, "DEVICE_BLOCKED", func(ctx context.Context, c *carrier.Client) error {
		return c.CheckDevice(ctx, carrier.DeviceCheck{IMEI: goodIMEI, ZIPCode: goodZIP})
	}},
	{"ActivateLine", true, 201, activeLine, "PLAN_UNKNOWN", func(ctx context.Context, c *carrier.Client) error {
		_, err := c.ActivateLine(ctx, "key", order)
		return err
	}},
	{"ReadLine", false, 200, activeLine, "LINE_NOT_FOUND", func(ctx context.Context, c *carrier.Client) error {
		_, err := c.ReadLine(ctx, order.ExternalID)
		return err
	}},
	{"ChangeSIM", true, 200, activeLine, "LINE_ENDED", func(ctx context.Context, c *carrier.Client) error {
		_, err := c.ChangeSIM(ctx, "key", carrier.SIMChange{ExternalID: order.ExternalID, ICCID: order.ICCID, IMEI: goodIMEI})
		return err
	}},
	{"DeactivateLine", true, 200, strings.Replace(activeLine, "ACTIVE", "DEACTIVATED", 1), "INVALID_REQUEST", func(ctx context.Context, c *carrier.Client) error {
		return c.DeactivateLine(ctx, "key", order.ExternalID)
	}},
	{"CheckPortability", false, 200, `{"portable":true,"number_type":"WIRELESS"}`, "", func(ctx context.Context, c *carrier.Client) error {
		_, err := c.CheckPortability(ctx, carrier.PortabilityCheck{Number: number, ZIPCode: goodZIP})
		return err
	}},
	{"SubmitPort", true, 201, submittedPort, "6B", func(ctx context.Context, c *carrier.Client) error {
		_, err := c.SubmitPort(ctx, "key", portOrder)
		return err
	}},
	{"SupplementPort", true, 200, submittedPort, "SUPPLEMENT_NOT_ALLOWED", func(ctx context.Context, c *carrier.Client) error {
		_, err := c.SupplementPort(ctx, "key", carrier.PortSupplement{ExternalID: portOrder.ExternalID, Info: portOrder.Info})
		return err
	}},
	{"CancelPort", true, 200, cancellingPort, "PORT_NOT_FOUND", func(ctx context.Context, c *carrier.Client) error {
		_, err := c.CancelPort(ctx, "key", portOrder.ExternalID)
		return err
	}},
	{"ReadPort", false, 200, submittedPort, "PORT_NOT_FOUND", func(ctx context.Context, c *carrier.Client) error {
		_, err := c.ReadPort(ctx, portOrder.ExternalID)
		return err
	}},
}

// doubt is what an answer that does not tell means to the call.
func (c call) doubt() mobile.Verdict {
	if c.writes {
		return unknown
	}
	return notNow
}

// at makes the call to that address.
func (c call) at(ctx context.Context, t *testing.T, url string) error {
	t.Helper()
	return c.make(ctx, newClient(t, carrier.Config{URL: url}))
}

func refusing(code string) string {
	return `{"error":{"code":"` + code + `","message":"` + saying + `"}}`
}

// TestStatuses has a row for each status, and tries it bare and with a code that refuses.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, status := range wiretest.Statuses() {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			bare := wiretest.Answer(t, status, "", "")
			for _, c := range calls {
				coded := wiretest.Answer(t, status, "application/json", refusing(c.refusal))
				wantBare, wantCoded := c.doubt(), c.doubt()
				switch {
				case slices.Contains([]int{401, 403, 429, 503}, status):
					wantBare, wantCoded = notNow, notNow
				case 400 <= status && status <= 499 && c.refusal == "":
					wantBare, wantCoded = notNow, notNow
				case 400 <= status && status <= 499:
					wantBare, wantCoded = notNow, refused
				}

				if err := c.at(t.Context(), t, bare); mobile.VerdictOf(err) != wantBare {
					t.Errorf("%s: bare %v, want %s", c.name, err, wantBare)
				}
				if err := c.at(t.Context(), t, coded); mobile.VerdictOf(err) != wantCoded {
					t.Errorf("%s: with %s %v, want %s", c.name, c.refusal, err, wantCoded)
				}
			}
		})
	}
}

// TestSuccesses: only the 2xx that a call expects can be its yes. Each is tried with the body
// of a yes.
func TestSuccesses(t *testing.T) {
	t.Parallel()
	for _, status := range wiretest.Successes() {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			for _, c := range calls {
				want := c.doubt()
				if status == c.success || c.name == "ActivateLine" && status == 202 {
					want = yes
				}

				err := c.at(t.Context(), t, wiretest.Answer(t, status, "application/json", c.body))

				if mobile.VerdictOf(err) != want {
					t.Errorf("%s: %v, want %s", c.name, err, want)
				}
			}
		})
	}
}

// TestGarbledSuccesses: the 2xx that a call expects, with a body that says nothing.
func TestGarbledSuccesses(t *testing.T) {
	t.Parallel()
	for _, body := range wiretest.Garbled() {
		t.Run(body.Name, func(t *testing.T) {
			t.Parallel()
			for _, c := range calls {
				err := c.at(t.Context(), t, wiretest.Answer(t, c.success, body.Kind, body.Text))

				if mobile.VerdictOf(err) != c.doubt() {
					t.Errorf("%s: %v, want %s", c.name, err, c.doubt())
				}
			}
		})
	}
}

// silences has a row for each way in which no whole reply comes: our verdict on a write, and
// the code that operators see. A read is not now in all of them.
var silences = map[string]seen{
	"ConnectionRefused":     {Verdict: notNow, Code: "connection refused"},
	"HostUnknown":           {Verdict: notNow, Code: "host not found"},
	"CertificateNotTrusted": {Verdict: notNow, Code: "TLS failed"},
	"NoTLS":                 {Verdict: notNow, Code: "TLS failed"},
	"ResetInTheHandshake":   {Verdict: notNow, Code: "TLS failed"},
	"ClosedInTheHandshake":  {Verdict: notNow, Code: "TLS failed"},
	"TimeoutInTheHandshake": {Verdict: notNow, Code: "timeout"},
	"CalledOffBefore":       {Verdict: notNow, Code: "cancelled"},

	"ResetAfterTheFirstByte":   {Verdict: unknown, Code: "connection reset"},
	"ResetAfterTheRequest":     {Verdict: unknown, Code: "connection reset"},
	"ClosedAfterTheRequest":    {Verdict: unknown, Code: "connection closed"},
	"TimeoutAfterTheRequest":   {Verdict: unknown, Code: "timeout"},
	"CalledOffAfterTheRequest": {Verdict: unknown, Code: "cancelled"},
	"NotHTTP":                  {Verdict: unknown, Code: "reply broken"},
	"ClosedInTheStatusLine":    {Verdict: unknown, Code: "reply broken"},
	"ClosedInTheHeader":        {Verdict: unknown, Code: "connection closed"},
	"HeaderTooLong":            {Verdict: unknown, Code: "reply broken"},
	"ClosedAfterEarlyHints":    {Verdict: unknown, Code: "connection closed"},

	"200CutShort": {Verdict: unknown, Code: "HTTP 200, connection closed"},
	"201CutShort": {Verdict: unknown, Code: "HTTP 201, connection closed"},
	"202CutShort": {Verdict: unknown, Code: "HTTP 202, connection closed"},
	"307CutShort": {Verdict: unknown, Code: "HTTP 307, connection closed"},
	// The code that was lost may have said that the act is under way.
	"400CutShort":         {Verdict: unknown, Code: "HTTP 400, connection closed"},
	"401CutShort":         {Verdict: notNow, Code: "HTTP 401, connection closed"},
	"403CutShort":         {Verdict: notNow, Code: "HTTP 403, connection closed"},
	"404CutShort":         {Verdict: unknown, Code: "HTTP 404, connection closed"},
	"409CutShort":         {Verdict: unknown, Code: "HTTP 409, connection closed"},
	"413CutShort":         {Verdict: unknown, Code: "HTTP 413, connection closed"},
	"429CutShort":         {Verdict: notNow, Code: "HTTP 429, connection closed"},
	"500CutShort":         {Verdict: unknown, Code: "HTTP 500, connection closed"},
	"503CutShort":         {Verdict: notNow, Code: "HTTP 503, connection closed"},
	"200ResetInTheBody":   {Verdict: unknown, Code: "HTTP 200, connection reset"},
	"200TimeoutInTheBody": {Verdict: unknown, Code: "HTTP 200, timeout"},
	"200BadlyChunked":     {Verdict: unknown, Code: "HTTP 200, reply broken"},
	"200TooLong":          {Verdict: unknown, Code: "HTTP 200, reply too long"},
	"201TooLong":          {Verdict: unknown, Code: "HTTP 201, reply too long"},
	"202TooLong":          {Verdict: unknown, Code: "HTTP 202, reply too long"},
	"403TooLong":          {Verdict: notNow, Code: "HTTP 403, reply too long"},
	"500TooLong":          {Verdict: unknown, Code: "HTTP 500, reply too long"},
	"503TooLong":          {Verdict: notNow, Code: "HTTP 503, reply too long"},
}

func TestSilences(t *testing.T) {
	t.Parallel()
	all := wiretest.Silences()
	if len(all) != len(silences) {
		t.Errorf("%d ways and %d rows", len(all), len(silences))
	}
	for _, silence := range all {
		for _, c := range calls {
			t.Run(silence.Name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				want, there := silences[silence.Name]
				if !there {
					t.Fatal("this way has no row")
				}
				if !c.writes {
					want.Verdict = notNow
				}
				ctx, url := silence.Play(t)

				err := c.at(ctx, t, url)

				if diff := cmp.Diff(want, seenOf(err)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if text := err.Error(); strings.Contains(text, "invalid") || strings.Contains(text, "127.0.0.1") {
					t.Errorf("the error names the host: %s", text)
				}
			})
		}
	}
}

// TestTimeoutOfTheConfig: a call ends by itself, long before it would by default.
func TestTimeoutOfTheConfig(t *testing.T) {
	t.Parallel()
	url := wiretest.Listen(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	client := newClient(t, carrier.Config{URL: strings.Replace(url, "http:", "https:", 1), Timeout: time.Millisecond})
	began := time.Now()

	_, err := client.ActivateLine(t.Context(), "key", order)

	if diff := cmp.Diff(seen{Verdict: notNow, Code: "timeout"}, seenOf(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if took := time.Since(began); took > wire.TimeoutDefault/2 {
		t.Errorf("the call took %s", took)
	}
}

// codes has a row for each code that the table has for a call: our verdict, and the reason
// of a refusal. Any other code means not now, also one that the table has for other calls.
var codes = map[string]map[string]seen{
	"CheckDevice": {
		"DEVICE_BLOCKED":          {Verdict: refused, Reason: "DEVICE_BLOCKED"},
		"DEVICE_NOT_ESIM_CAPABLE": {Verdict: refused, Reason: "DEVICE_NOT_ESIM_CAPABLE"},
		"DEVICE_NOT_SUPPORTED":    {Verdict: refused, Reason: "DEVICE_NOT_SUPPORTED"},
		"DEVICE_UNKNOWN":          {Verdict: refused, Reason: "DEVICE_UNKNOWN"},
		"ZIP_NOT_SERVED":          {Verdict: refused, Reason: "ZIP_NOT_SERVED"},
	},
	"ActivateLine": {
		"DEVICE_BLOCKED":          {Verdict: refused, Reason: "DEVICE_BLOCKED"},
		"DEVICE_NOT_ESIM_CAPABLE": {Verdict: refused, Reason: "DEVICE_NOT_ESIM_CAPABLE"},
		"DEVICE_NOT_SUPPORTED":    {Verdict: refused, Reason: "DEVICE_NOT_SUPPORTED"},
		"DEVICE_UNKNOWN":          {Verdict: refused, Reason: "DEVICE_UNKNOWN"},
		"ZIP_NOT_SERVED":          {Verdict: refused, Reason: "ZIP_NOT_SERVED"},
		"PLAN_UNKNOWN":            {Verdict: refused, Reason: "CARRIER_PLAN_UNKNOWN"},
		"ICCID_NOT_ACCEPTED":      {Verdict: refused, Reason: "ICCID_NOT_ACCEPTED"},
		"INVALID_REQUEST":         {Verdict: refused, Reason: "PARTNER_REFUSED"},
		"IDEMPOTENCY_KEY_REUSED":  {Verdict: unknown},
		"REQUEST_IN_PROGRESS":     {Verdict: unknown},
		"LINE_EXISTS":             {Verdict: unknown}, // it shows no line here; see TestAlreadySo
	},
	"ReadLine": {
		"LINE_NOT_FOUND": {Verdict: refused, Reason: "LINE_NOT_FOUND"},
	},
	"ChangeSIM": {
		"DEVICE_BLOCKED":          {Verdict: refused, Reason: "DEVICE_BLOCKED"},
		"DEVICE_NOT_ESIM_CAPABLE": {Verdict: refused, Reason: "DEVICE_NOT_ESIM_CAPABLE"},
		"DEVICE_NOT_SUPPORTED":    {Verdict: refused, Reason: "DEVICE_NOT_SUPPORTED"},
		"DEVICE_UNKNOWN":          {Verdict: refused, Reason: "DEVICE_UNKNOWN"},
		"ICCID_NOT_ACCEPTED":      {Verdict: refused, Reason: "ICCID_NOT_ACCEPTED"},
		"INVALID_REQUEST":         {Verdict: refused, Reason: "PARTNER_REFUSED"},
		"LINE_NOT_FOUND":          {Verdict: refused, Reason: "LINE_NOT_FOUND"},
		"LINE_ENDED":              {Verdict: refused, Reason: "PARTNER_REFUSED"},
		"LINE_PENDING":            {Verdict: notNow},
		"IDEMPOTENCY_KEY_REUSED":  {Verdict: unknown},
		"REQUEST_IN_PROGRESS":     {Verdict: unknown},
		"LINE_EXISTS":             {Verdict: unknown},
	},
	"DeactivateLine": {
		"INVALID_REQUEST":        {Verdict: refused, Reason: "PARTNER_REFUSED"},
		"LINE_NOT_FOUND":         {Verdict: yes},
		"LINE_ENDED":             {Verdict: yes},
		"IDEMPOTENCY_KEY_REUSED": {Verdict: unknown},
		"REQUEST_IN_PROGRESS":    {Verdict: unknown},
	},
	"CheckPortability": {}, // that a number cannot be brought in is a 200
	"SubmitPort": withPortCodes(map[string]seen{
		"DEVICE_BLOCKED":          {Verdict: refused, Reason: "DEVICE_BLOCKED"},
		"DEVICE_NOT_ESIM_CAPABLE": {Verdict: refused, Reason: "DEVICE_NOT_ESIM_CAPABLE"},
		"DEVICE_NOT_SUPPORTED":    {Verdict: refused, Reason: "DEVICE_NOT_SUPPORTED"},
		"DEVICE_UNKNOWN":          {Verdict: refused, Reason: "DEVICE_UNKNOWN"},
		"ZIP_NOT_SERVED":          {Verdict: refused, Reason: "ZIP_NOT_SERVED"},
		"PLAN_UNKNOWN":            {Verdict: refused, Reason: "CARRIER_PLAN_UNKNOWN"},
		"ICCID_NOT_ACCEPTED":      {Verdict: refused, Reason: "ICCID_NOT_ACCEPTED"},
		"INVALID_REQUEST":         {Verdict: refused, Reason: "PARTNER_REFUSED"},
		"IDEMPOTENCY_KEY_REUSED":  {Verdict: unknown},
		"REQUEST_IN_PROGRESS":     {Verdict: unknown},
		"PORT_EXISTS":             {Verdict: unknown}, // it shows no port here; see TestAlreadySo
	}),
	"SupplementPort": withPortCodes(map[string]seen{
		"INVALID_REQUEST":        {Verdict: refused, Reason: "PARTNER_REFUSED"},
		"PORT_NOT_FOUND":         {Verdict: refused, Reason: "PORT_NOT_FOUND"},
		"PORT_ENDED":             {Verdict: refused, Reason: "PORT_ENDED"},
		"SUPPLEMENT_NOT_ALLOWED": {Verdict: refused, Reason: "SUPPLEMENT_NOT_ALLOWED"},
		"IDEMPOTENCY_KEY_REUSED": {Verdict: unknown},
		"REQUEST_IN_PROGRESS":    {Verdict: unknown},
	}),
	"CancelPort": {
		"INVALID_REQUEST":        {Verdict: refused, Reason: "PARTNER_REFUSED"},
		"PORT_NOT_FOUND":         {Verdict: refused, Reason: "PORT_NOT_FOUND"},
		"IDEMPOTENCY_KEY_REUSED": {Verdict: unknown},
		"REQUEST_IN_PROGRESS":    {Verdict: unknown},
	},
	"ReadPort": {
		"PORT_NOT_FOUND": {Verdict: refused, Reason: "PORT_NOT_FOUND"},
	},
}

// TestCodes tries every code with every call, and finds rulings without a row.
func TestCodes(t *testing.T) {
	t.Parallel()
	for _, c := range calls {
		for _, code := range append(carrier.Codes(), "MOON_IN_THE_WAY") {
			want, there := codes[c.name][code]
			if carrier.Ruled(c.name, code) && !there {
				t.Errorf("%s: the ruling on %s has no row", c.name, code)
			}
			if !there {
				want.Verdict = notNow
			}
			t.Run(c.name+"/"+code, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(saysCode(422, code))
				t.Cleanup(server.Close)

				err := c.at(t.Context(), t, server.URL)

				got := seenOf(err)
				if got.Verdict != want.Verdict || got.Reason != want.Reason {
					t.Errorf("got %+v, want %+v", got, want)
				}
				if err != nil && !strings.HasPrefix(got.Code, "HTTP 422") {
					t.Errorf("an operator would see %q", got.Code)
				}
			})
		}
	}
}

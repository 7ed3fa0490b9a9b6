package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/config"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
)

const (
	apiKey = "the-api-key"
	secret = "a-webhook-secret-of-some-length"
)

// The test's own binary is cmd/partners when it is told so.
func TestMain(m *testing.M) {
	if os.Getenv("PARTNERS_TEST_RUN_MAIN") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

func variables(t *testing.T) map[string]string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"PARTNERS_DIR":                 filepath.Join(t.TempDir(), "partners"),
		"CARRIER_API_KEY":              apiKey,
		"CARRIER_WEBHOOK_SECRET":       secret,
		"SENDGRID_API_KEY":             "SG.key",
		"SENDGRID_WEBHOOK_PRIVATE_KEY": base64.StdEncoding.EncodeToString(der),
		"ES2PLUS_SMDP_ADDRESS":         "smdp.example.com",
	}
}

var readyLine = regexp.MustCompile(`^ready carrier=(http://\S+) es2plus=(http://\S+) sendgrid=(http://\S+) inbox=(http://\S+/inbox)\n$`)

// awaitReady returns the addresses of the ready line, in its order.
func awaitReady(t *testing.T, out io.Reader) []string {
	t.Helper()
	line, err := bufio.NewReader(out).ReadString('\n')
	match := readyLine.FindStringSubmatch(line)
	if err != nil || match == nil {
		t.Fatalf("printed %q, error %v", line, err)
	}
	return match[1:]
}

func newCarrierClient(t *testing.T, url string) *carrier.Client {
	t.Helper()
	client, err := carrier.New(carrier.Config{URL: url, APIKey: apiKey, WebhookSecrets: []string{secret}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func order(n int) carrier.LineOrder {
	return carrier.LineOrder{
		ExternalID: fmt.Sprintf("activation-%d", n), ICCID: fmt.Sprintf("8901%015d", n),
		IMEI: "490154203237518", ZIPCode: "10001", Plan: "P", CustomerName: "Ada Example",
	}
}

// portOrder is for a number whose donor never answers.
func portOrder() carrier.PortOrder {
	line := order(2)
	return carrier.PortOrder{
		ExternalID: "port-1", LineExternalID: line.ExternalID, Number: "+12125550119", Donor: "att",
		ICCID: line.ICCID, IMEI: line.IMEI, ZIPCode: line.ZIPCode, Plan: line.Plan, CustomerName: line.CustomerName,
		Info: mobile.PortingInfo{AccountNumber: "0001", PIN: "0420", AccountZIP: "10001"},
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	reply, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, string(body)
}

func TestRunServesAllThreeAndEndsWithTheContext(t *testing.T) {
	t.Parallel()
	paths := make(chan string, 10)
	front := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths <- r.URL.Path }))
	t.Cleanup(front.Close)
	env := variables(t)
	env["WEBHOOK_URL"] = front.URL + "/"
	ctx, cancel := context.WithCancel(t.Context())
	out, printed := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, environment{Lookuper: envconfig.MapLookuper(env)}, printed) }()

	addresses := awaitReady(t, out)
	if _, err := newCarrierClient(t, addresses[0]).ActivateLine(t.Context(), "key", order(1)); err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses[:3] {
		if status, body := get(t, address+"/_pretend/journal"); status != http.StatusOK {
			t.Errorf("%s answered %d %s", address, status, body)
		}
	}
	if status, page := get(t, addresses[3]); status != http.StatusOK || !strings.Contains(page, "<html") {
		t.Errorf("the inbox answered %d %.80s", status, page)
	}
	if path := <-paths; path != "/webhooks/carrier" {
		t.Errorf("an event came to %s", path)
	}
	cancel()

	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, name := range []string{"carrier", "es2plus", "sendgrid"} {
		if _, err := partnertest.ReadJournal(filepath.Join(env["PARTNERS_DIR"], name+".jsonl")); err != nil {
			t.Error(err)
		}
	}
}

func TestRunEndsWithItsParent(t *testing.T) {
	t.Parallel()
	env := variables(t)
	env["EXIT_WITH_PARENT"] = "1"
	in, parent := io.Pipe()
	out, printed := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(t.Context(), environment{Lookuper: envconfig.MapLookuper(env), in: in}, printed) }()
	awaitReady(t, out)

	parent.Close()

	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()

	t.Run("AnEnvironmentThatCannotBeUsed", func(t *testing.T) {
		t.Parallel()
		err := run(t.Context(), environment{Lookuper: envconfig.MapLookuper(nil)}, io.Discard)

		if faults, ok := errors.AsType[config.Faults](err); !ok || faults[0].Variable != "PARTNERS_DIR" {
			t.Errorf("error = %v", err)
		}
	})

	t.Run("AnAddressThatIsTaken", func(t *testing.T) {
		t.Parallel()
		taken := httptest.NewServer(nil)
		t.Cleanup(taken.Close)
		env := variables(t)
		env["PARTNERS_SENDGRID_LISTEN"] = taken.Listener.Addr().String()

		err := run(t.Context(), environment{Lookuper: envconfig.MapLookuper(env)}, io.Discard)

		if err == nil || !strings.Contains(err.Error(), "serve sendgrid") {
			t.Errorf("error = %v", err)
		}
	})
}

// A partner that is killed forgets nothing that it has answered.
func TestAKilledProcessRemembers(t *testing.T) {
	t.Parallel()
	env := variables(t)
	start := func() (*exec.Cmd, *carrier.Client) {
		process := exec.Command(os.Args[0])
		process.Env = append(os.Environ(), "PARTNERS_TEST_RUN_MAIN=1", "EXIT_WITH_PARENT=1")
		for name, value := range env {
			process.Env = append(process.Env, name+"="+value)
		}
		process.Stderr = os.Stderr
		in, err := process.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := process.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			in.Close()
			_ = process.Wait()
		})
		return process, newCarrierClient(t, awaitReady(t, out)[0])
	}

	first, client := start()
	before, err := client.ActivateLine(t.Context(), "key", order(1))
	if err != nil {
		t.Fatal(err)
	}
	port, err := client.SubmitPort(t.Context(), "port", portOrder())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	_, client = start()

	after, err := client.ReadLine(t.Context(), before.ExternalID)
	if err != nil || after != before {
		t.Errorf("before %+v, after %+v, error %v", before, after, err)
	}
	if after, err := client.ReadPort(t.Context(), port.ExternalID); err != nil || after != port {
		t.Errorf("before %+v, after %+v, error %v", port, after, err)
	}
	again, err := client.ActivateLine(t.Context(), "key", order(1))
	if err != nil || again != before {
		t.Errorf("the same key got %+v, error %v", again, err)
	}
}

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/dialtone/dialtone/internal/secret"
)

// patience bounds what is waited for.
const patience = 30 * time.Second

// TestRun_WithoutAnything: the server starts in any order. Without its database it lives, is
// not ready and says why; it ends when its parent does.
func TestRun_WithoutAnything(t *testing.T) {
	t.Setenv("TEMPORAL_ADDRESS", closedAddress(t))
	admin := closedAddress(t)
	in, parent := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(t.Context(), environment{in: in, Lookuper: lookuper(t, map[string]string{
			"ADMIN_LISTEN": admin, "EXIT_WITH_PARENT": "1",
		})}, t.Output())
	}()

	if status, said := answer(t, admin, "/livez"); status != http.StatusOK {
		t.Errorf("/livez: %d %s", status, said)
	}
	status, said := answer(t, admin, "/readyz")
	if status != http.StatusServiceUnavailable || !strings.Contains(said, "database: ") || strings.Contains(said, "database: ok") {
		t.Errorf("/readyz: %d %s", status, said)
	}
	if !strings.Contains(said, "temporal (does not answer; what is accepted waits for it): ok") {
		t.Errorf("/readyz does not tell of Temporal, or asks for it: %s", said)
	}
	if strings.Contains(said, "hunter2") {
		t.Errorf("/readyz tells the password: %s", said)
	}

	_ = parent.Close()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("it does not end with its parent")
	}
}

// TestRun_Refuses what would otherwise be found out by customers.
func TestRun_Refuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		changes map[string]string
		want    string
	}{
		"a policy that is none":       {map[string]string{"DIALTONE_POLICIES": `{"patience":"soon"}`}, "DIALTONE_POLICIES"},
		"a policy that nobody knows":  {map[string]string{"DIALTONE_POLICIES": `{"pateince":"1m"}`}, "DIALTONE_POLICIES"},
		"a carrier in clear text":     {map[string]string{"CARRIER_URL": "http://carrier.example.com"}, "carrier URL"},
		"a short secret":              {map[string]string{"CARRIER_WEBHOOK_SECRET": "short"}, "CARRIER_WEBHOOK_SECRET"},
		"a certificate that is none":  {map[string]string{"GRPC_TLS_CERT": "/nowhere", "GRPC_TLS_KEY": "/nowhere"}, "GRPC_TLS_CERT"},
		"an address that is not ours": {map[string]string{"GRPC_LISTEN": "192.0.2.1:7400"}, "listen for gRPC"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()

			err := run(ctx, environment{in: new(bytes.Buffer), Lookuper: lookuper(t, test.changes)}, t.Output())

			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// keyset is made once: it takes its time.
var keyset = sync.OnceValues(secret.NewKeyset)

// lookuper has what must be set, of which nothing answers, with changes.
func lookuper(t *testing.T, changes map[string]string) envconfig.Lookuper {
	t.Helper()
	keys, err := keyset()
	if err != nil {
		t.Fatal(err)
	}
	signing, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(signing.Public())
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"DATABASE_URL":           "postgres://front:hunter2@" + closedAddress(t) + "/dialtone",
		"DIALTONE_KEYSET":        keys,
		"CARRIER_URL":            "http://127.0.0.1:1",
		"CARRIER_API_KEY":        "key",
		"CARRIER_WEBHOOK_SECRET": "a-secret-of-some-length",
		"SENDGRID_WEBHOOK_KEY":   base64.StdEncoding.EncodeToString(der),
		"GRPC_LISTEN":            "127.0.0.1:0",
		"HTTP_LISTEN":            "127.0.0.1:0",
		"ADMIN_LISTEN":           "127.0.0.1:0",
	}
	maps.Copy(env, changes)
	return envconfig.MapLookuper(env)
}

// closedAddress is one on which nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// answer asks until somebody listens.
func answer(t *testing.T, address, path string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			said, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			return response.StatusCode, string(said)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s%s does not answer: %v", address, path, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

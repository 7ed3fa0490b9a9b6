package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/dialtone/dialtone/internal/config"
	"github.com/dialtone/dialtone/internal/secret"
)

// patience bounds what is waited for.
const patience = 30 * time.Second

// TestRun_WithoutAnything: the worker starts in any order. Without Temporal and its database
// it lives, is not ready and says why; it ends when its parent does.
func TestRun_WithoutAnything(t *testing.T) {
	t.Setenv("TEMPORAL_ADDRESS", closedAddress(t))
	admin := closedAddress(t)
	keyset, err := secret.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	in, parent := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(t.Context(), environment{in: in, Lookuper: envconfig.MapLookuper(map[string]string{
			"DATABASE_URL":         "postgres://work:hunter2@" + closedAddress(t) + "/dialtone",
			"DIALTONE_KEYSET":      keyset,
			"CARRIER_URL":          "http://127.0.0.1:1",
			"CARRIER_API_KEY":      "key",
			"ES2PLUS_URL":          "http://127.0.0.1:1",
			"ES2PLUS_REQUESTER_ID": "1.2.3",
			"ES2PLUS_SMDP_ADDRESS": "smdp.example.com",
			"SENDGRID_API_KEY":     "SG.key",
			"ADMIN_LISTEN":         admin,
			"EXIT_WITH_PARENT":     "1",
		})}, t.Output())
	}()

	if status, said := answer(t, admin, "/livez"); status != http.StatusOK {
		t.Errorf("/livez: %d %s", status, said)
	}
	status, said := answer(t, admin, "/readyz")
	if status != http.StatusServiceUnavailable {
		t.Errorf("/readyz: %d", status)
	}
	for _, want := range []string{"database: ", "start Temporal, or set TEMPORAL_ADDRESS", "worker: it does not poll for work"} {
		if !strings.Contains(said, want) {
			t.Errorf("/readyz lacks %q: %s", want, said)
		}
	}
	if strings.Contains(said, "hunter2") || strings.Contains(said, ": ok") {
		t.Errorf("/readyz: %s", said)
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

// TestWorkerOptions: a worker is versioned where it was given a name and an id, and not
// otherwise.
func TestWorkerOptions(t *testing.T) {
	t.Parallel()
	if got := workerOptions(config.Temporal{}, nil).DeploymentOptions; got.UseVersioning {
		t.Errorf("without a name it is versioned: %+v", got)
	}
	got := workerOptions(config.Temporal{DeploymentName: "dialtone", BuildID: "42"}, nil).DeploymentOptions
	if !got.UseVersioning || got.Version.DeploymentName != "dialtone" || got.Version.BuildID != "42" {
		t.Errorf("with a name it is %+v", got)
	}
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

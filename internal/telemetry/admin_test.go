package telemetry_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/telemetry"
)

// answer is what an HTTP client sees.
type answer struct {
	Status      int
	ContentType string
	Body        string
}

func get(t *testing.T, ready func(context.Context) []telemetry.Check, path, accept string) answer {
	t.Helper()
	admin := httptest.NewServer(telemetry.Admin("127.0.0.1:0", telemetry.Registry(), ready).Handler)
	t.Cleanup(admin.Close)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, admin.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	response, err := admin.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header.Get("Content-Type"), string(body)}
}

func checks(checks ...telemetry.Check) func(context.Context) []telemetry.Check {
	return func(context.Context) []telemetry.Check { return checks }
}

func TestReadyz(t *testing.T) {
	t.Parallel()
	database := telemetry.Check{Name: "database"}
	temporal := telemetry.Check{
		Name:    "temporal",
		Missing: "no connection to localhost:7233:\n  refused",
		Remedy:  "start Temporal, or set TEMPORAL_ADDRESS",
	}
	leaky := telemetry.Check{Name: "database", Missing: "cannot connect to postgres://front:hunter2@db/dialtone"}
	const text, jsonType = "text/plain; charset=utf-8", "application/json"

	for name, test := range map[string]struct {
		ready  func(context.Context) []telemetry.Check
		accept string
		want   answer
	}{
		"ready":     {checks(database), "*/*", answer{200, text, "ready\ndatabase: ok\n"}},
		"no checks": {checks(), "", answer{200, text, "ready\n"}},
		"not ready": {checks(database, temporal), "", answer{503, text, "not ready\ndatabase: ok\n" +
			"temporal: no connection to localhost:7233: refused; start Temporal, or set TEMPORAL_ADDRESS\n"}},
		"a password": {checks(leaky), "", answer{503, text, "not ready\ndatabase: cannot connect to postgres://front:***@db/dialtone\n"}},
		"JSON": {checks(database, temporal), "text/html, application/json;q=0.9", answer{
			503, jsonType,
			`{"ready":false,"checks":[{"name":"database","ok":true},{"name":"temporal","ok":false,` +
				`"missing":"no connection to localhost:7233: refused","remedy":"start Temporal, or set TEMPORAL_ADDRESS"}]}` + "\n",
		}},
		"JSON without checks": {checks(), jsonType, answer{200, jsonType, `{"ready":true,"checks":[]}` + "\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, get(t, test.ready, "/readyz", test.accept)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadyz_BoundsItsChecks(t *testing.T) {
	t.Parallel()
	bounded := func(ctx context.Context) []telemetry.Check {
		if _, ok := ctx.Deadline(); ok {
			return nil
		}
		return []telemetry.Check{{Name: "deadline", Missing: "none"}}
	}

	if got := get(t, bounded, "/readyz", ""); got.Status != http.StatusOK {
		t.Errorf("got %+v", got)
	}
}

// Ensure that a process that lacks its database is not restarted for it.
func TestLivez_AsksNobody(t *testing.T) {
	t.Parallel()
	asked := func(context.Context) []telemetry.Check {
		t.Error("the checks were asked")
		return nil
	}

	if got := get(t, asked, "/livez", ""); got.Status != http.StatusOK || got.Body != "ok\n" {
		t.Errorf("got %+v", got)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	got := get(t, checks(), "/metrics", "")

	for _, want := range []string{"go_goroutines ", "process_cpu_seconds_total ", "go_build_info{"} {
		if !strings.Contains(got.Body, "\n"+want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

func TestAdmin_KnowsNothingElse(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/debug/pprof/", "/readyz/x"} {
		if got := get(t, checks(), path, ""); got.Status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, got.Status)
		}
	}
}

func TestAdmin_BoundsItsClients(t *testing.T) {
	t.Parallel()
	server := telemetry.Admin("127.0.0.1:7402", telemetry.Registry(), checks())

	if server.Addr != "127.0.0.1:7402" {
		t.Errorf("listens on %s", server.Addr)
	}
	for name, bound := range map[string]int64{
		"ReadHeaderTimeout": int64(server.ReadHeaderTimeout),
		"ReadTimeout":       int64(server.ReadTimeout),
		"WriteTimeout":      int64(server.WriteTimeout),
		"IdleTimeout":       int64(server.IdleTimeout),
		"MaxHeaderBytes":    int64(server.MaxHeaderBytes),
	} {
		if bound <= 0 {
			t.Errorf("%s has no bound", name)
		}
	}
}

package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/postgrestest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// patience bounds what a test waits for. The longest is an attempt that died with its worker:
// Temporal takes it for lost after 45 s.
const patience = 2 * time.Minute

// shared is the one sandbox of this test binary, and fragile the one whose programs may be
// made to die (see crashing_test.go). Tests that use them run one after the other, and leave
// their parts running.
var shared, fragile resident

// resident is a sandbox that many tests use. The first of them starts it.
type resident struct {
	once sync.Once
	dir  string
	out  lockedBuffer
	*sandbox.Sandbox
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := errors.Join(shared.end(), fragile.end()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// get gives the sandbox. Configure is told in which directory it lives.
func (c *resident) get(t *testing.T, configure func(dir string) sandbox.Config) *sandbox.Sandbox {
	t.Helper()
	needs(t)
	c.once.Do(func() {
		if c.dir, c.err = os.MkdirTemp("", "dialtone-sandbox-"); c.err != nil {
			return
		}
		c.err = os.Chmod(c.dir, 0o755) // Postgres runs as somebody else when we are root
		if c.err == nil {
			config := configure(c.dir)
			config.Dir, config.Out = c.dir, &c.out
			c.Sandbox, c.err = sandbox.Start(t.Context(), config)
		}
	})
	if c.err != nil {
		t.Fatal(c.err)
	}
	return c.Sandbox
}

// end stops the sandbox and leaves nothing behind.
func (c *resident) end() error {
	if c.dir == "" {
		return nil
	}
	var stopped error
	if c.Sandbox != nil {
		stopped = c.Stop()
	}
	return errors.Join(stopped, postgrestest.Remove(filepath.Join(c.dir, "postgres")), os.RemoveAll(c.dir))
}

// needs skips a test that cannot run here: these take real processes and a real Temporal.
func needs(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("real processes take their time")
	}
	if _, err := os.Stat("../../.local/bin/temporal-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("the Temporal server is not built: run `task temporal`")
		}
		t.Skip("the Temporal server is not built: run `task temporal`")
	}
}

// running gives the shared sandbox.
func running(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	return shared.get(t, func(string) sandbox.Config {
		return sandbox.Config{Environ: environ(), Policies: `{"retry_first":"100ms","retry_max":"500ms","port":{"always":true}}`}
	})
}

// environ is ours without what would make the sandbox use servers that are not its own.
func environ() []string {
	var entries []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOCACHE", "GOMODCACHE", "GOPATH", "GOFLAGS", "GOPROXY", "GOTOOLCHAIN"} {
		if value := os.Getenv(name); value != "" {
			entries = append(entries, name+"="+value)
		}
	}
	return entries
}

// lockedBuffer is what several goroutines write to.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
	// grown is closed at the next write; nil while nobody waits.
	grown chan struct{}
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.grown != nil {
		close(b.grown)
		b.grown = nil
	}
	return b.text.Write(p)
}

// await waits until the text holds a word, and tells whether it came.
func (b *lockedBuffer) await(ctx context.Context, word string) bool {
	for {
		b.mu.Lock()
		found := bytes.Contains(b.text.Bytes(), []byte(word))
		if b.grown == nil {
			b.grown = make(chan struct{})
		}
		grown := b.grown
		b.mu.Unlock()
		if found {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-grown:
		}
	}
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// connect calls the server as billing.
func connect(t *testing.T, s *sandbox.Sandbox) *grpc.ClientConn {
	t.Helper()
	connection, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// launch makes a subscription of its own and launches on it, with that phone.
func launch(t *testing.T, connection grpc.ClientConnInterface, imei string) *dialtonev1.Workflow {
	t.Helper()
	return launchOn(t, connection, sandbox.MobilePlan, imei)
}

// launchOn is launch with another plan.
func launchOn(t *testing.T, connection grpc.ClientConnInterface, plan, imei string) *dialtonev1.Workflow {
	t.Helper()
	return send(t, connection, launchRequest(subscribeTo(t, connection, plan), imei))
}

func launchRequest(subscription, imei string) *dialtonev1.LaunchWorkflowRequest {
	return &dialtonev1.LaunchWorkflowRequest{
		RequestId: uuid.NewString(),
		Workflow: &dialtonev1.LaunchWorkflowRequest_MobileActivation{MobileActivation: &dialtonev1.MobileActivation{
			SubscriptionId: subscription, Imei: imei, ZipCode: sandbox.GoodZIP,
		}},
	}
}

// send launches, as often as it takes: the server may be down.
func send(t *testing.T, connection grpc.ClientConnInterface, request *dialtonev1.LaunchWorkflowRequest) *dialtonev1.Workflow {
	t.Helper()
	answer, err := dialtonev1.NewWorkflowServiceClient(connection).LaunchWorkflow(t.Context(), request, grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetWorkflow()
}

func subscribe(t *testing.T, connection grpc.ClientConnInterface) string {
	t.Helper()
	return subscribeTo(t, connection, sandbox.MobilePlan)
}

func subscribeTo(t *testing.T, connection grpc.ClientConnInterface, plan string) string {
	t.Helper()
	id := "test-" + uuid.NewString()
	_, err := dialtonev1.NewSubscriptionServiceClient(connection).CreateSubscription(t.Context(), &dialtonev1.CreateSubscriptionRequest{
		RequestId: uuid.NewString(), SubscriptionId: id, AccountId: "account", Plan: plan,
		CustomerName: canaryName, CustomerEmail: canaryEmail, PendingUntilActivated: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// follow waits until enough says so, or for the end.
func follow(t *testing.T, connection grpc.ClientConnInterface, activation string, enough func(*dialtonev1.Workflow) bool) *dialtonev1.Workflow {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	last, err := sandbox.Follow(ctx, connection, activation, enough)
	if err != nil {
		t.Fatalf("follow %s, last %v: %v", activation, last, err)
	}
	return last
}

func toTheEnd(*dialtonev1.Workflow) bool { return false }

// ends follows to the end and checks how it ended.
func ends(t *testing.T, connection grpc.ClientConnInterface, activation string, want dialtonev1.WorkflowState) *dialtonev1.Workflow {
	t.Helper()
	ended := follow(t, connection, activation, toTheEnd)
	if ended.GetState() != want {
		t.Fatalf("it ended %s, %s, want %s; steps %v", ended.GetState(), ended.GetReason(), want, ended.GetSteps())
	}
	return ended
}

// await asks again and again. It is for what tells nobody when it changes.
func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !happened() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		case <-ticker.C:
		}
	}
}

// journal is what a pretend partner did with that reference, or all of it for none.
func journal(t *testing.T, partner, act, reference string) []partnertest.Entry {
	t.Helper()
	var entries, found []partnertest.Entry
	if err := json.Unmarshal(call(t, http.MethodGet, partner+"/_pretend/journal", nil), &entries); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Act == act && (reference == "" || e.Reference == reference) {
			found = append(found, e)
		}
	}
	return found
}

// goWrong sets a fault until the test ends, or mend is called.
func goWrong(t *testing.T, partner string, fault partnertest.Fault) (mend func()) {
	t.Helper()
	text, err := json.Marshal(fault)
	if err != nil {
		t.Fatal(err)
	}
	call(t, http.MethodPost, partner+"/_pretend/faults", text)
	mend = sync.OnceFunc(func() { call(t, http.MethodDelete, partner+"/_pretend/faults", nil) })
	t.Cleanup(mend)
	return mend
}

// call fails the test on anything but a 2xx.
func call(t *testing.T, method, address string, body []byte) []byte {
	t.Helper()
	status, said := request(t, method, address, body)
	if status/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, address, status, said)
	}
	return said
}

func request(t *testing.T, method, address string, body []byte) (int, []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience) // also while cleaning up
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, said
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// front is a second server beside the sandbox's own, on the same record and engine.
type front struct {
	address string
	admin   string
	program string
	environ []string
	process *exec.Cmd
	stdin   io.Closer
	said    *log
}

// log keeps what a front says.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps a piece.
func (l *log) Write(piece []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(piece)
}

// startSecond starts a front with the sandbox's own settings.
func startSecond(t *testing.T, b *testBundle) *front {
	t.Helper()
	var kept struct {
		Keyset                  string `json:"keyset"`
		CarrierAPIKey           string `json:"carrier_api_key"`
		CarrierWebhookSecret    string `json:"carrier_webhook_secret"`
		SendGridVerificationKey string `json:"sendgrid_verification_key"`
	}
	text, err := os.ReadFile(filepath.Join(b.dir, "state.json"))
	if err := errors.Join(err, json.Unmarshal(text, &kept)); err != nil {
		t.Fatalf("read the sandbox's settings: %v", err)
	}
	at := b.Addresses()
	f := &front{
		address: freeAddress(t), admin: freeAddress(t), said: &log{},
		program: filepath.Join("..", "..", "..", ".local", "bin", "server"),
	}
	f.environ = append(environ(),
		"EXIT_WITH_PARENT=1",
		"GRPC_LISTEN="+f.address, "HTTP_LISTEN=127.0.0.1:0", "ADMIN_LISTEN="+f.admin,
		"DATABASE_URL="+at.DatabaseURL, "TEMPORAL_ADDRESS="+at.TemporalAddress, "DIALTONE_KEYSET="+kept.Keyset,
		"CARRIER_URL="+at.CarrierURL, "CARRIER_API_KEY="+kept.CarrierAPIKey, "CARRIER_WEBHOOK_SECRET="+kept.CarrierWebhookSecret,
		"SENDGRID_WEBHOOK_KEY="+kept.SendGridVerificationKey,
	)
	f.start(t)
	t.Cleanup(f.kill)
	return f
}

// freeAddress is one that nobody listens at. It is below what systems give to outgoing
// connections: a client that dials a dead front from the front's own port would reach itself.
func freeAddress(t *testing.T) string {
	t.Helper()
	const low, count, draws = 20000, 12000, 200
	for range draws {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", low+rand.N(count)))
		if err == nil {
			defer listener.Close()
			return listener.Addr().String()
		}
	}
	t.Fatal("no free port on 127.0.0.1")
	return ""
}

// start returns when the front answers.
func (f *front) start(t *testing.T) {
	t.Helper()
	f.process = exec.CommandContext(t.Context(), f.program)
	f.process.Env, f.process.Stdout, f.process.Stderr = f.environ, f.said, f.said
	stdin, err := f.process.StdinPipe()
	if err := errors.Join(err, f.process.Start()); err != nil {
		t.Fatalf("start the second front: %v", err)
	}
	f.stdin = stdin
	const readyMax = time.Minute
	patience := time.NewTimer(readyMax)
	defer patience.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !f.ready(t) {
		select {
		case <-again.C:
		case <-patience.C:
			f.kill()
			t.Fatalf("the second front is not ready after %s; it said: %s", readyMax, &f.said.text)
		}
	}
}

func (f *front) ready(t *testing.T) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+f.admin+"/readyz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// kill ends the front as kill -9 does. It may have ended already.
func (f *front) kill() {
	_ = f.process.Process.Kill()
	_ = f.process.Wait()
	_ = f.stdin.Close()
}

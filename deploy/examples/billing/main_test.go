package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/postgrestest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// testBundle is a whole Dialtone with two fronts, and the program.
type testBundle struct {
	*sandbox.Sandbox

	// billing is a connection of the test's own.
	billing *grpc.ClientConn
	// program is the built example; environ is what it is run with.
	program string
	environ []string
	second  *front
	journal string
	dir     string
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs everything, with real processes")
	}
	if _, err := os.Stat(filepath.Join("..", "..", "..", ".local", "bin", "temporal-server")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the Temporal server is missing: task temporal")
		}
		t.Skip("the Temporal server is missing: task temporal")
	}
	b := &testBundle{dir: makeDir(t)}
	b.program = filepath.Join(b.dir, "billing")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", b.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v: %s", err, said)
	}
	s, err := sandbox.Start(t.Context(), sandbox.Config{Dir: b.dir, Environ: environ(), Out: t.Output()})
	if err != nil {
		t.Fatalf("start the sandbox: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop the sandbox: %v", err)
		}
	})
	connection, err := s.Connect()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { connection.Close() })
	b.Sandbox, b.billing, b.journal = s, connection, filepath.Join(b.dir, "partners", "carrier.jsonl")
	b.second = startSecond(t, b)
	b.environ = []string{
		"DIALTONE_ADDRESS=" + s.Addresses().GRPC + "," + b.second.address,
		"DIALTONE_TOKEN=" + s.Addresses().Token,
	}
	return b
}

// makeDir gives a directory that also the user may enter whom Postgres runs as.
func makeDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dialtone-billing-")
	if err := errors.Join(err, os.Chmod(dir, 0o755)); err != nil {
		t.Fatalf("make a directory: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(postgrestest.Remove(filepath.Join(dir, "postgres")), os.RemoveAll(dir)); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return dir
}

// environ is this process's without what would name other servers.
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return !strings.HasPrefix(name, "GO") && !slices.Contains([]string{"PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME"}, name)
	})
}

// sold records a pending subscription and writes the file with which a sale begins, and gives the subscription's id.
func (b *testBundle) sold(t *testing.T) (subscription, file string) {
	t.Helper()
	subscription = "sub-" + uuid.NewString()
	_, err := dialtonev1.NewSubscriptionServiceClient(b.billing).CreateSubscription(t.Context(), &dialtonev1.CreateSubscriptionRequest{
		RequestId: uuid.NewString(), SubscriptionId: subscription, AccountId: "acct-" + subscription,
		CustomerName: "Ada Lovelace", CustomerEmail: "ada@customer.example", Plan: sandbox.MobilePlan, PendingUntilActivated: true,
	}, grpc.WaitForReady(true))
	if err != nil {
		t.Fatalf("record a subscription: %v", err)
	}
	text, err := json.Marshal(sale{
		Subscription: subscription, IMEI: sandbox.GoodIMEI, ZIP: sandbox.GoodZIP, RequestID: uuid.NewString(),
	})
	file = filepath.Join(b.dir, subscription+".json")
	if err := errors.Join(err, os.WriteFile(file, text, 0o600)); err != nil {
		t.Fatalf("begin a sale: %v", err)
	}
	return subscription, file
}

// run runs the program to its end, or kills it when ctx ends.
func (b *testBundle) run(ctx context.Context, file string) (string, error) {
	program := exec.CommandContext(ctx, b.program, file)
	program.Env = b.environ
	said, err := program.CombinedOutput()
	return strings.TrimSpace(string(said)), err
}

// lines reads the carrier's journal: how often each activation's line was ordered.
func (b *testBundle) lines(t *testing.T) map[string]int {
	t.Helper()
	entries, err := partnertest.ReadJournal(b.journal)
	if err != nil {
		t.Fatal(err)
	}
	ordered := make(map[string]int)
	for _, e := range entries {
		if e.Act == carriertest.ActActivateLine {
			ordered[e.Reference]++
		}
	}
	return ordered
}

// feed is what the feed says of one subscription.
type feed struct {
	// types counts its events; activations are those that they speak of.
	types       map[string]int
	activations map[string]bool
}

func (b *testBundle) feed(t *testing.T, subscription string) feed {
	t.Helper()
	page, err := dialtonev1.NewEventServiceClient(b.billing).ListEvents(t.Context(),
		&dialtonev1.ListEventsRequest{SubscriptionId: subscription, PageSize: 200}, grpc.WaitForReady(true))
	if err != nil {
		t.Fatalf("read the feed: %v", err)
	}
	read := feed{types: make(map[string]int), activations: make(map[string]bool)}
	for _, event := range page.GetEvents() {
		read.types[event.GetType()]++
		if id := event.GetActivationId(); id != "" {
			read.activations[id] = true
		}
	}
	return read
}

// check holds what one sale came to against the record and the carrier.
func (b *testBundle) check(t *testing.T, subscription, said string, ordered map[string]int) {
	t.Helper()
	read, err := dialtonev1.NewSubscriptionServiceClient(b.billing).GetSubscription(t.Context(),
		&dialtonev1.GetSubscriptionRequest{SubscriptionId: subscription}, grpc.WaitForReady(true))
	if err != nil {
		t.Fatalf("read %s: %v", subscription, err)
	}
	s := read.GetSubscription()
	if s.GetStatus() != dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_ACTIVE {
		t.Errorf("%s is %s, want ACTIVE", subscription, s.GetStatus())
	}
	want := fmt.Sprintf("start billing %s number %s since %s", subscription, s.GetPhoneNumber(), s.GetActivateTime().AsTime().Format(time.RFC3339))
	if !regexp.MustCompile(`number \+1[0-9]{10} since 20`).MatchString(want) || said != want {
		t.Errorf("the program said %q, want %q", said, want)
	}
	if n := ordered[s.GetActivationId()]; n != 1 {
		t.Errorf("the carrier was given %d orders for %s, want 1", n, subscription)
	}
	told := b.feed(t, subscription)
	if len(told.activations) != 1 || told.types["subscription.created"] != 1 || told.types["subscription.activated"] != 1 {
		t.Errorf("the feed of %s is %+v, want one activation, one creation, one start of billing", subscription, told)
	}
}

func TestBilling(t *testing.T) {
	t.Parallel()
	b := setup(t)
	t.Run("AdoptsAnActivationInProgress", b.adopts)
	t.Run("ActivatesEachOnceWhileFrontsAreKilled", b.storm)
}

// adopts lets a colleague launch first, by the console perhaps. The worker is down meanwhile,
// so that the activation is open when the program comes.
func (b *testBundle) adopts(t *testing.T) {
	subscription, file := b.sold(t)
	if err := b.Kill(sandbox.Worker); err != nil {
		t.Fatal(err)
	}
	var s sale
	text, err := os.ReadFile(file)
	if err := errors.Join(err, json.Unmarshal(text, &s)); err != nil {
		t.Fatal(err)
	}
	colleague := s
	colleague.RequestID = uuid.NewString()
	if err := colleague.launch(t.Context(), b.billing); err != nil {
		t.Fatalf("launch: %v", err)
	}

	if err := s.launch(t.Context(), b.billing); err != nil || s.Activation != colleague.Activation {
		t.Errorf("launch adopted %q, %v; want %q", s.Activation, err, colleague.Activation)
	}
	if err := b.Restart(t.Context(), sandbox.Worker); err != nil {
		t.Fatal(err)
	}
	said, err := b.run(t.Context(), file)
	if err != nil {
		t.Errorf("the program: %v: %s", err, said)
	}

	b.check(t, subscription, said, b.lines(t))
}

// storm kills both fronts again and again, now one and now both, under twenty sales; half of
// the programs are killed once themselves. What a killed front had in hand for the engine is
// carried when its lease ends, half a minute later: that is how long this takes.
func (b *testBundle) storm(t *testing.T) {
	const sales, killsMin = 20, 4

	before := b.lines(t)
	said := make(map[string]string)
	var mu sync.Mutex
	var selling sync.WaitGroup
	for n := range sales {
		subscription, file := b.sold(t)
		selling.Go(func() {
			if n%2 == 0 {
				short, cancel := context.WithTimeout(t.Context(), time.Duration(n)*50*time.Millisecond)
				_, _ = b.run(short, file) // killed, or done already
				cancel()
			}
			answer, err := b.run(t.Context(), file)
			if err != nil {
				t.Errorf("the program for %s: %v: %s", subscription, err, answer)
			}
			mu.Lock()
			defer mu.Unlock()
			said[subscription] = answer
		})
	}
	t.Cleanup(selling.Wait)
	sold := make(chan struct{})
	go func() {
		defer close(sold)
		selling.Wait()
	}()
	kills := b.killFronts(t, sold)

	t.Logf("fronts were killed %d times", kills)
	if kills < killsMin {
		t.Errorf("fronts were killed %d times, want at least %d", kills, killsMin)
	}
	ordered := b.lines(t)
	if lines := len(ordered) - len(before); lines != sales {
		t.Errorf("the carrier has orders for %d lines, want %d", lines, sales)
	}
	for subscription, answer := range said {
		b.check(t, subscription, answer, ordered)
	}
}

// killFronts kills and starts the fronts until told to end, and gives the number of kills.
// When it returns both are up.
func (b *testBundle) killFronts(t *testing.T, end <-chan struct{}) int {
	t.Helper()
	const livesMax = 500 * time.Millisecond
	for round := 1; ; round++ {
		both := round%3 == 0
		if both {
			b.second.kill()
		}
		err := b.Kill(sandbox.Server)
		if both {
			b.second.start(t)
		}
		if err := errors.Join(err, b.Restart(t.Context(), sandbox.Server)); err != nil {
			t.Fatalf("kill the first front and start it: %v", err)
		}
		b.second.kill()
		b.second.start(t)
		select {
		case <-end:
			return 2 * round
		case <-time.After(rand.N(livesMax)): // a front must live to be of use
		}
	}
}

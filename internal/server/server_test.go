package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// bundle is a running door on a database of its own, with two tenants that do not know of
// each other.
type bundle struct {
	*storetest.Database
	clients
	front   *front
	admin   string
	a, b    house
	logs    *logs
	metrics *prometheus.Registry
}

// house is a tenant and its tokens.
type house struct {
	mobile.Tenant
	tokens map[mobile.Principal]string
}

func (h house) token(p mobile.Principal) string { return h.tokens[p] }

func (h house) billing() string { return h.token(mobile.PrincipalBilling) }

func (h house) operator() string { return h.token(mobile.PrincipalOperator) }

type clients struct {
	subscriptions dialtonev1.SubscriptionServiceClient
	workflows     dialtonev1.WorkflowServiceClient
	portals       dialtonev1.PortalServiceClient
	events        dialtonev1.EventServiceClient
	admins        dialtonev1.AdminServiceClient
	conn          *grpc.ClientConn
}

func setup(t *testing.T, changes ...func(*server.Config)) *bundle {
	t.Helper()
	database := storetest.Make(t, storetest.Config{})
	b := &bundle{Database: database, logs: &logs{}, metrics: prometheus.NewRegistry()}
	b.front = b.open(t, b.metrics, changes...)
	b.clients = b.front.clients
	b.admin, _ = b.newToken(t, mobile.Token{Principal: mobile.PrincipalAdmin, Name: "root"})
	b.a, b.b = b.newHouse(t), b.newHouse(t)
	return b
}

func (b *bundle) newHouse(t *testing.T) house {
	t.Helper()
	h := house{Tenant: storetest.Tenant(t, b.DB), tokens: make(map[mobile.Principal]string)}
	for _, p := range []mobile.Principal{
		mobile.PrincipalBilling, mobile.PrincipalOperator, mobile.PrincipalConsole, mobile.PrincipalPortalBackend,
	} {
		h.tokens[p], _ = b.newToken(t, mobile.Token{Principal: p, Tenant: h.ID, Name: strings.ToLower(string(p))})
	}
	return h
}

// newToken makes a token past the door.
func (b *bundle) newToken(t *testing.T, like mobile.Token) (text string, id string) {
	t.Helper()
	secret, token, hash := access.NewToken(like.Principal)
	like.ID = token.ID
	err := b.InSystem(t.Context(), func(s *store.Store) error { return s.InsertToken(t.Context(), like, hash) })
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal(), like.ID
}

// front is one process's door.
type front struct {
	clients
	server *server.Server
	stop   func()
}

// open starts one more door on the database, as another process would.
func (b *bundle) open(t *testing.T, registry prometheus.Registerer, changes ...func(*server.Config)) *front {
	t.Helper()
	watch := b.NewWatch()
	config := server.Config{
		DB: b.DB, Watch: watch, Digester: storetest.Sealer(), Registry: registry,
		Logger:        slog.New(slog.NewTextHandler(b.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		TemporalUIURL: "http://temporal.example:8080", Namespace: "dialtone",
		Network: network(t, "http://127.0.0.1:1"), // nobody there; see TestPreflight
	}
	for _, change := range changes {
		change(&config)
	}
	made, err := server.New(config)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() { watch.Run(ctx, nil) })
	running.Go(func() {
		if err := made.Serve(ctx, listener); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	stop := sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(stop)
	return &front{clients: dial(t, listener.Addr().String()), server: made, stop: stop}
}

func dial(t *testing.T, address string) clients {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return clients{
		subscriptions: dialtonev1.NewSubscriptionServiceClient(conn),
		workflows:     dialtonev1.NewWorkflowServiceClient(conn),
		portals:       dialtonev1.NewPortalServiceClient(conn),
		events:        dialtonev1.NewEventServiceClient(conn),
		admins:        dialtonev1.NewAdminServiceClient(conn),
		conn:          conn,
	}
}

// as makes calls with a token.
func as(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// logs keeps what was logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// pending makes a pending subscription of a tenant, past the door.
func (b *bundle) pending(t *testing.T, h house) mobile.Subscription {
	t.Helper()
	return storetest.Subscription(t, b.DB, h.Tenant)
}

// launched makes a subscription with an open activation, past the door.
func (b *bundle) launched(t *testing.T, h house) mobile.Activation {
	t.Helper()
	return storetest.Activation(t, b.DB, b.pending(t, h))
}

// launch is a good request to launch an activation.
func launch(sub mobile.SubscriptionID) *dialtonev1.LaunchWorkflowRequest {
	return &dialtonev1.LaunchWorkflowRequest{
		RequestId: uuid.NewString(),
		Workflow: &dialtonev1.LaunchWorkflowRequest_MobileActivation{MobileActivation: &dialtonev1.MobileActivation{
			SubscriptionId: string(sub), Imei: string(storetest.IMEI), ZipCode: string(storetest.ZIP),
		}},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// record runs what on the record of a tenant, as an activity would.
func (b *bundle) record(t *testing.T, tenant mobile.TenantID, what func(context.Context, *store.Store) error) {
	t.Helper()
	must(t, b.InTenant(t.Context(), tenant, func(s *store.Store) error { return what(t.Context(), s) }))
}

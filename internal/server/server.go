// Package server is the gRPC door.
//
// A call passes the layers (layers.go lists them in order) and reaches its handler, one file
// for each RPC. A handler reads the request into the domain's own values, refusing every bad
// field at once; does all that must be together in one transaction of the store, whose first
// statement looks the request id up; and shows records by convert*.go. It answers once the
// transaction is committed, whether the engine can be reached or not: what was filed in the
// transaction is the relay's to carry, which Config.Nudge wakes.
//
// Handlers return faults. errors.go alone turns them into statuses.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/store"
)

// Digester makes a keyed digest of fields under a label, as secret.Keyring does.
type Digester interface {
	Digest(label string, fields ...string) []byte
}

// Config is what the door stands on.
type Config struct {
	// DB is the record. Required.
	DB *store.DB
	// Watch wakes those who watch. Required; whoever made it runs it.
	Watch *store.Watch
	// Digester authenticates page tokens: the same for all fronts. Required.
	Digester Digester
	// Network is the carrier, asked when a launch is only tried. Required.
	Network Network
	// Nudge says that something was committed that the relay should carry. It must not
	// block; nil when there is no relay in this process.
	Nudge func()
	// Runs tells which runs the engine has; nil when nobody can be asked.
	Runs Runs
	// TemporalUIURL and Namespace make the link of a workflow; without URL there is none.
	TemporalUIURL string
	Namespace     string
	// Policies is kept with each activation that is launched here; mostly empty.
	Policies string
	// Ready tells whether calls can be served; DB.Ready when nil. The health service asks
	// it every few seconds.
	Ready func(context.Context) error
	// Registry takes the metrics; Logger a line for each call. Required.
	Registry prometheus.Registerer
	Logger   *slog.Logger
	// Reflection lets anybody read the schema from the server, without a token.
	Reflection bool
	// TLS is nil for clear text, which is for loopback and for meshes that encrypt.
	TLS *tls.Config
	// Now is the clock for tokens; time.Now when nil.
	Now func() time.Time

	// heartbeat is how long a watched feed may be silent; heartbeatDefault when 0.
	heartbeat time.Duration
	// preflightPatience is how long the carrier may take to answer a trial;
	// preflightPatienceDefault when 0.
	preflightPatience time.Duration
}

// The bounds of the transport. A message of more than messageBytesMax is refused with a
// reason, by a layer; one of more than transportBytesMax by gRPC itself, with its own words.
const (
	transportBytesMax  = 1 << 20
	headerBytesMax     = 16 << 10
	streamsPerConnMax  = 256
	connectTimeout     = 10 * time.Second
	connectionIdleMax  = 2 * time.Minute
	connectionAgeMax   = 5 * time.Minute
	keepaliveInterval  = time.Minute
	keepaliveTimeout   = 10 * time.Second
	clientPingInterval = 10 * time.Second
	drainTimeout       = 20 * time.Second
)

// Server is the gRPC door of one process.
type Server struct {
	grpc     *grpc.Server
	health   *health.Server
	services []string
	ready    func(context.Context) error
	log      *slog.Logger
	// draining is closed when streams are to end.
	draining chan struct{}
}

// New builds the door. It fails when the policy table and the registered methods differ, and
// panics without what Config calls required.
func New(config Config) (*Server, error) {
	if config.DB == nil || config.Watch == nil || config.Digester == nil || config.Network == nil || config.Registry == nil || config.Logger == nil {
		panic("server.New needs DB, Watch, Digester, Network, Registry and Logger")
	}
	gate := access.NewGate(config.DB, config.Now)
	draining := make(chan struct{})
	door := newDoor(config, gate, draining)
	rpcs := newRPCs(config, gate, draining)

	s := &Server{
		grpc:     grpc.NewServer(options(config, door)...),
		health:   health.NewServer(),
		ready:    config.Ready,
		log:      config.Logger,
		draining: draining,
	}
	if s.ready == nil {
		s.ready = config.DB.Ready
	}
	dialtonev1.RegisterSubscriptionServiceServer(s.grpc, rpcs)
	dialtonev1.RegisterWorkflowServiceServer(s.grpc, rpcs)
	dialtonev1.RegisterPortalServiceServer(s.grpc, rpcs)
	dialtonev1.RegisterEventServiceServer(s.grpc, rpcs)
	dialtonev1.RegisterAdminServiceServer(s.grpc, rpcs)
	for name := range s.grpc.GetServiceInfo() {
		s.services = append(s.services, name)
	}
	s.setHealth(healthv1.HealthCheckResponse_NOT_SERVING)
	healthv1.RegisterHealthServer(s.grpc, s.health)
	if config.Reflection {
		reflection.Register(s.grpc)
	}
	if err := access.Check(s.grpc.GetServiceInfo()); err != nil {
		return nil, fmt.Errorf("build the gRPC door: %w", err)
	}
	return s, nil
}

func options(config Config, d *door) []grpc.ServerOption {
	o := []grpc.ServerOption{
		grpc.UnaryInterceptor(d.unary),
		grpc.StreamInterceptor(d.streaming),
		grpc.MaxRecvMsgSize(transportBytesMax),
		grpc.MaxHeaderListSize(headerBytesMax),
		grpc.MaxConcurrentStreams(streamsPerConnMax),
		grpc.ConnectionTimeout(connectTimeout),
		grpc.WaitForHandlers(true),
		// A connection is renewed, so that calls spread over new fronts. The grace after it
		// has no end, because a watch may last for days; a drain ends those.
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: connectionIdleMax, MaxConnectionAge: connectionAgeMax,
			Time: keepaliveInterval, Timeout: keepaliveTimeout,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: clientPingInterval, PermitWithoutStream: true}),
	}
	if config.TLS != nil {
		o = append(o, grpc.Creds(credentials.NewTLS(config.TLS)))
	}
	return o
}

// Serve answers calls on the listener until ctx ends. Then it drains: the health service
// says NOT_SERVING, streams end with UNAVAILABLE (TRY_AGAIN), and calls that have begun are
// answered, for at most 20 s. A Server serves once.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	looking, stopLooking := context.WithCancel(ctx)
	var background sync.WaitGroup
	background.Go(func() { s.watchHealth(looking) })
	defer background.Wait()
	defer stopLooking()

	served := make(chan error, 1)
	go func() { served <- s.grpc.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve gRPC: %w", err)
	case <-ctx.Done():
	}
	s.drain()
	if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve gRPC: %w", err)
	}
	return nil
}

func (s *Server) drain() {
	s.health.Shutdown()
	close(s.draining)
	cut := time.AfterFunc(drainTimeout, s.grpc.Stop)
	defer cut.Stop()
	s.grpc.GracefulStop()
}

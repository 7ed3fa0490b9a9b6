package main

import (
	"context"
	"fmt"
	"net/netip"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/service/frontend"
	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

const (
	// historyShards is written into the database at its first start and can never be
	// changed there. One process needs few; with one alone, everything waits in one queue.
	historyShards = 4

	// clusterName is the only cluster there is. It is in the database too, so changing
	// it makes old databases foreign.
	clusterName = "active"

	archivalOff = "disabled"
)

// startServer returns once the frontend serves.
func startServer(ctx context.Context, s settings, a addresses, logger log.Logger) (temporal.Server, error) {
	server, err := temporal.NewServer(
		temporal.WithConfig(serverConfig(s, a)),
		temporal.WithDynamicConfigClient(dynamicConfig()),
		temporal.WithStaticHosts(staticHosts(a)),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithLogger(logger),
		// Loopback is the lock on the door.
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper {
			return authorization.NewNoopClaimMapper()
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("make the server: %w", err)
	}
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	if err := awaitServing(ctx, a.frontend); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	return server, nil
}

// serverConfig is what a production server reads from its YAML.
func serverConfig(s settings, a addresses) *config.Config {
	c := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     "store",
			VisibilityStore:  "visibility",
			NumHistoryShards: historyShards,
			DataStores: map[string]config.DataStore{
				"store":      {SQL: s.Store.storeConfig()},
				"visibility": {SQL: s.Visibility.storeConfig()},
			},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {
					Enabled:                true,
					InitialFailoverVersion: 1,
					RPCAddress:             a.frontend.String(),
					HTTPAddress:            a.frontendHTTP.String(),
				},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services: map[string]config.Service{
			string(primitives.FrontendService): service(a.frontend),
			string(primitives.HistoryService):  service(a.history),
			string(primitives.MatchingService): service(a.matching),
			string(primitives.WorkerService):   service(a.worker),
		},
		PublicClient: config.PublicClient{HostPort: a.frontend.String()},
	}
	// Without an HTTP port the frontend warns at each start that Nexus has no door.
	withHTTP := c.Services[string(primitives.FrontendService)]
	withHTTP.RPC.HTTPPort = int(a.frontendHTTP.Port())
	c.Services[string(primitives.FrontendService)] = withHTTP

	c.Archival.History.State = archivalOff
	c.Archival.Visibility.State = archivalOff
	c.NamespaceDefaults.Archival.History.State = archivalOff
	c.NamespaceDefaults.Archival.Visibility.State = archivalOff
	return c
}

// service is one of the four, where it listens.
func service(address netip.AddrPort) config.Service {
	return config.Service{RPC: config.RPC{
		GRPCPort: int(address.Port()),
		BindOnIP: address.Addr().String(),
	}}
}

// staticHosts says outright where everybody is. Otherwise the services would gossip,
// which takes four more ports, time at each start, and more of it soon after a crash,
// when the database still names members that are gone.
func staticHosts(a addresses) map[primitives.ServiceName]static.Hosts {
	return map[primitives.ServiceName]static.Hosts{
		primitives.FrontendService: static.SingleLocalHost(a.frontend.String()),
		primitives.HistoryService:  static.SingleLocalHost(a.history.String()),
		primitives.MatchingService: static.SingleLocalHost(a.matching.String()),
		primitives.WorkerService:   static.SingleLocalHost(a.worker.String()),
	}
}

// dynamicConfig is where this server differs from the defaults, which suit a fleet.
func dynamicConfig() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// One partition a task queue: four on one machine only pass tasks to one another.
		// A burst of 2,500 starts drains in 22 s instead of 42.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// A search attribute is there as soon as the call that made it returns, instead of
		// within a minute. It costs a query for each use, so not in production.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		// The default of 10 list calls a second is less than a test suite that polls.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
		// A laptop's server calls nobody.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
}

// awaitServing returns once the frontend says that it serves. It watches rather than
// asks again and again, and the connection waits for a listener that is not there yet.
func awaitServing(ctx context.Context, address netip.AddrPort) error {
	connection, err := grpc.NewClient(address.String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()

	health, err := healthpb.NewHealthClient(connection).Watch(ctx,
		&healthpb.HealthCheckRequest{Service: frontend.WorkflowServiceName},
		grpc.WaitForReady(true))
	if err != nil {
		return fmt.Errorf("ask the frontend for its health: %w", err)
	}
	for {
		answer, err := health.Recv()
		if err != nil {
			return fmt.Errorf("wait for the frontend's health: %w", err)
		}
		if answer.GetStatus() == healthpb.HealthCheckResponse_SERVING {
			return nil
		}
	}
}

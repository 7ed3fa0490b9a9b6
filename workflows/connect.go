package workflows

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// The bounds of a connection to the engine.
const (
	reconnectFirst = 100 * time.Millisecond
	// reconnectMax keeps us from staying away long after the engine is back. The SDK's own
	// is 10 s.
	reconnectMax      = 2 * time.Second
	connectTimeoutMin = 5 * time.Second
)

// Options are those of a client of the engine, as Temporal's own variables say
// (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and so on). Make the client by client.NewLazyClient:
// then it need not be reachable yet.
func Options(logger *slog.Logger) (client.Options, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return client.Options{}, fmt.Errorf("read Temporal's variables: %w", err)
	}
	options.HostPort = cmp.Or(options.HostPort, client.DefaultHostPort)
	options.Namespace = cmp.Or(options.Namespace, client.DefaultNamespace)
	options.Logger = log.NewStructuredLogger(logger.With("component", "temporal"))
	reconnect := backoff.DefaultConfig
	reconnect.BaseDelay, reconnect.MaxDelay = reconnectFirst, reconnectMax
	options.ConnectionOptions.DialOptions = append(options.ConnectionOptions.DialOptions,
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: connectTimeoutMin}))
	return options, nil
}

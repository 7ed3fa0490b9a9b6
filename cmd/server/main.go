// Command server is the front: the gRPC door, the HTTP door for partners' webhooks, and the
// relay that carries what both took into Temporal. Any number of them may run. What it needs
// may come up later than it: it waits, and /readyz says for what.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/sethvargo/go-envconfig"
	"go.temporal.io/sdk/client"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/config"
	"github.com/dialtone/dialtone/internal/relay"
	"github.com/dialtone/dialtone/internal/secret"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/telemetry"
	"github.com/dialtone/dialtone/internal/webhook"
	"github.com/dialtone/dialtone/workflows"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, environment{Lookuper: envconfig.OsLookuper(), in: os.Stdin}, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// environment is what a process is given beside its output.
type environment struct {
	envconfig.Lookuper

	in io.Reader
}

// run serves until ctx ends, and then answers what has begun.
func run(ctx context.Context, env environment, out io.Writer) error {
	settings, err := config.LoadServer(ctx, env)
	if err != nil {
		return err
	}
	if _, err := workflows.ParsePolicies(settings.Policies); err != nil {
		return fmt.Errorf("DIALTONE_POLICIES: %w", err)
	}
	ctx = settings.Parent.Until(ctx, env.in)
	logger := telemetry.Logger(out, settings.Log.Level, settings.Log.Format)
	registry := telemetry.Registry()
	keyring, err := secret.ParseKeyset(settings.Keyset.Value.Reveal())
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Config{URL: settings.Database.URL.Reveal(), Sealer: keyring})
	if err != nil {
		return err
	}
	defer db.Close()
	options, err := workflows.Options(logger)
	if err != nil {
		return err
	}
	engine, err := client.NewLazyClient(options)
	if err != nil {
		return fmt.Errorf("prepare Temporal's client: %w", err)
	}
	defer engine.Close()

	watch, runs := db.NewWatch(), workflows.NewClient(engine, settings.Temporal.TaskQueue)
	carrying := relay.New(relay.Config{DB: db, Engine: runs, Watch: watch, Logger: logger, Registry: registry})
	certificates, err := readTLS(settings.GRPC)
	if err != nil {
		return err
	}
	network, err := carrier.New(carrier.Config{URL: settings.Carrier.URL, APIKey: settings.Carrier.APIKey.Reveal()})
	if err != nil {
		return err
	}
	door, err := server.New(server.Config{
		DB: db, Watch: watch, Digester: keyring, Network: network, Nudge: carrying.Nudge, Runs: runs,
		TemporalUIURL: settings.Temporal.UIURL, Namespace: options.Namespace, Policies: settings.Policies,
		Registry: registry, Logger: logger, Reflection: settings.GRPC.Reflection, TLS: certificates,
	})
	if err != nil {
		return err
	}
	verifiers, err := webhookConfig(settings)
	if err != nil {
		return err
	}
	verifiers.DB, verifiers.Nudge, verifiers.Logger, verifiers.Registry = db, carrying.Nudge, logger, registry

	f := &front{grpcListen: settings.GRPC.Listen, grpc: door, relay: carrying, watch: watch, logger: logger}
	f.webhooks = webhook.Server(webhook.New(verifiers))
	f.webhooks.Addr = settings.HTTPListen
	f.admin = telemetry.Admin(settings.AdminListen, registry, f.readiness(db, engine))
	return f.serve(ctx)
}

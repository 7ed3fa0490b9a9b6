// Command worker does the work of activations: it runs the Temporal workflows and their acts
// at the carrier, the SM-DP+ and SendGrid. Any number of them may run. What it needs may come
// up later than it: it waits, and /readyz says for what.
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

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/config"
	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/secret"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/telemetry"
	"github.com/dialtone/dialtone/internal/wire"
	"github.com/dialtone/dialtone/workflows"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, environment{Lookuper: envconfig.OsLookuper(), in: os.Stdin}, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

// callTimeout bounds a call to a partner. It is shorter than the activity that makes it.
const callTimeout = wire.TimeoutDefault

// environment is what a process is given beside its output.
type environment struct {
	envconfig.Lookuper

	in io.Reader
}

// run works until ctx ends, and then lets the acts under way end.
func run(ctx context.Context, env environment, out io.Writer) error {
	settings, err := config.LoadWorker(ctx, env)
	if err != nil {
		return err
	}
	ctx = settings.Parent.Until(ctx, env.in)
	logger := telemetry.Logger(out, settings.Log.Level, settings.Log.Format)
	keyring, err := secret.ParseKeyset(settings.Keyset.Value.Reveal())
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Config{URL: settings.Database.URL.Reveal(), Sealer: keyring})
	if err != nil {
		return err
	}
	defer db.Close()
	acts, err := collaborators(settings, db)
	if err != nil {
		return err
	}
	options, err := workflows.Options(logger)
	if err != nil {
		return err
	}
	engine, err := client.NewLazyClient(options)
	if err != nil {
		return fmt.Errorf("prepare Temporal's client: %w", err)
	}
	defer engine.Close()

	work := &work{engine: engine, options: workerOptions(settings.Temporal, activities.NewInterceptor(db, logger)), queue: settings.Temporal.TaskQueue, acts: acts, logger: logger}
	admin := telemetry.Admin(settings.AdminListen, telemetry.Registry(), readiness(db, engine, work))
	return serve(ctx, admin, work.run)
}

// collaborators are those of the activities.
func collaborators(settings config.Worker, db *store.DB) (activities.Config, error) {
	network, err := carrier.New(carrier.Config{
		URL: settings.Carrier.URL, APIKey: settings.Carrier.APIKey.Reveal(), Timeout: callTimeout,
	})
	if err != nil {
		return activities.Config{}, err
	}
	smdp, err := esim.New(esim.Config{
		URL: settings.ES2Plus.URL, RequesterID: settings.ES2Plus.RequesterID, SMDPAddress: settings.ES2Plus.SMDPAddress,
		ClientCert: settings.ES2Plus.ClientCert, ClientKey: settings.ES2Plus.ClientKey, CA: settings.ES2Plus.CA,
		Timeout: callTimeout,
	})
	if err != nil {
		return activities.Config{}, err
	}
	sendGrid, err := mail.New(mail.Config{URL: settings.SendGrid.URL, APIKey: settings.SendGrid.APIKey.Reveal(), Timeout: callTimeout})
	if err != nil {
		return activities.Config{}, err
	}
	return activities.Config{
		DB: db, Carrier: network, SMDP: smdp, SendGrid: sendGrid, CallTimeout: callTimeout, NewToken: newToken,
	}, nil
}

// newToken makes a token whose text goes into a mail.
func newToken(principal mobile.Principal) (string, mobile.Token, []byte) {
	text, token, hash := access.NewToken(principal)
	return text.Reveal(), token, hash
}

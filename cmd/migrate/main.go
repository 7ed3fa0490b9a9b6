// Command migrate makes an installation ready, or ready for a newer version: the database's
// schema, the first ADMIN token, and Temporal's namespace with its search attributes. It may
// be run again at any time, and twice at the same time: what is there is left as it is.
//
// When there was no ADMIN token it prints one, this once:
//
//	admin token: dt_admin_…
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/sethvargo/go-envconfig"

	"github.com/dialtone/dialtone/internal/config"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/telemetry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, envconfig.OsLookuper(), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}

// run does one thing after the other and says what it did.
func run(ctx context.Context, env envconfig.Lookuper, out io.Writer) error {
	settings, err := config.LoadMigrate(ctx, env)
	if err != nil {
		return err
	}
	owner := settings.MigrateDatabase.URL.Reveal()
	logger := telemetry.Logger(os.Stderr, settings.Log.Level, settings.Log.Format)
	return store.Exclusively(ctx, owner, func(ctx context.Context) error {
		version, err := store.Migrate(ctx, owner, settings.Database.User())
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "schema: version %d, open to the user %s\n", version, settings.Database.User())
		if err := makeFirstToken(ctx, settings.Database, out); err != nil {
			return err
		}
		if !settings.Temporal {
			fmt.Fprintln(out, "temporal: left to somebody else (MIGRATE_TEMPORAL is false)")
			return nil
		}
		return prepareTemporal(ctx, logger, out)
	})
}

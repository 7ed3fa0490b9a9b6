// Package config reads the environment into one struct per binary, all at once, and says of
// everything that cannot be used what it is and what would be right.
//
// A variable that is set to nothing counts as not set. Secrets are of type secret.String and
// print as ***. Temporal's own variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and so on)
// are read by Temporal's envconfig, where a client is made. deploy/env.example lists all.
package config

import (
	"context"

	"github.com/sethvargo/go-envconfig"
)

// Server is what cmd/server needs.
type Server struct {
	Database        Database
	Keyset          Keyset
	Temporal        Temporal
	Carrier         Carrier
	CarrierWebhook  CarrierWebhook
	SendGridWebhook SendGridWebhook
	GRPC            GRPC
	Ops             Ops
	Log             Log
	Parent          Parent
	// HTTPListen is for webhooks only.
	HTTPListen string `env:"HTTP_LISTEN, default=:7401" want:"a listen address, as in :7401"`
	// AdminListen is for /livez, /readyz and /metrics.
	AdminListen string `env:"ADMIN_LISTEN, default=:7402" want:"a listen address, as in :7402"`
	// Policies is a JSON object of durations that new activations get instead of the
	// defaults: tests and the sandbox shorten them. Empty is the defaults.
	Policies string `env:"DIALTONE_POLICIES" want:"a JSON object of durations, or nothing for the defaults"`
}

// Worker is what cmd/worker needs.
type Worker struct {
	Database Database
	Keyset   Keyset
	Temporal Temporal
	Carrier  Carrier
	ES2Plus  ES2Plus
	SendGrid SendGrid
	Ops      Ops
	Log      Log
	Parent   Parent
	// AdminListen is for /livez, /readyz and /metrics.
	AdminListen string `env:"ADMIN_LISTEN, default=:7403" want:"a listen address, as in :7403"`
}

// Migrate is what cmd/migrate needs.
type Migrate struct {
	MigrateDatabase MigrateDatabase
	// Database is the one that server and worker use: its user is let take the roles.
	Database Database
	Log      Log
	// Temporal is false where somebody else looks after the namespace and its attributes.
	Temporal bool `env:"MIGRATE_TEMPORAL, default=true" want:"true or false"`
}

// Console is what cmd/console needs.
type Console struct {
	Client Client
	Log    Log
	// Listen is for the console and the reference portal.
	Listen string `env:"CONSOLE_LISTEN, default=:7405" want:"a listen address, as in :7405"`
	// AdminListen is for /livez, /readyz and /metrics.
	AdminListen string `env:"ADMIN_LISTEN, default=:7404" want:"a listen address, as in :7404"`
}

// CLI is what cmd/dialtone needs.
type CLI struct {
	Client Client
	// NoColor is true when NO_COLOR is set to anything (no-color.org).
	NoColor Presence `env:"NO_COLOR" want:"anything, for output without colours"`
}

// LoadServer reads the settings of cmd/server. Its error is a Faults.
func LoadServer(ctx context.Context, lookuper envconfig.Lookuper) (Server, error) {
	return load[Server](ctx, lookuper)
}

// LoadWorker reads the settings of cmd/worker. Its error is a Faults.
func LoadWorker(ctx context.Context, lookuper envconfig.Lookuper) (Worker, error) {
	return load[Worker](ctx, lookuper)
}

// LoadMigrate reads the settings of cmd/migrate. Its error is a Faults.
func LoadMigrate(ctx context.Context, lookuper envconfig.Lookuper) (Migrate, error) {
	return load[Migrate](ctx, lookuper)
}

// LoadConsole reads the settings of cmd/console. Its error is a Faults.
func LoadConsole(ctx context.Context, lookuper envconfig.Lookuper) (Console, error) {
	return load[Console](ctx, lookuper)
}

// LoadCLI reads the settings of cmd/dialtone. Its error is a Faults.
func LoadCLI(ctx context.Context, lookuper envconfig.Lookuper) (CLI, error) {
	return load[CLI](ctx, lookuper)
}

func (s Server) check(r *report) {
	r.unless(isListenAddress(s.HTTPListen), "HTTP_LISTEN")
	r.unless(isListenAddress(s.AdminListen), "ADMIN_LISTEN")
	r.unless(isJSONObject(s.Policies), "DIALTONE_POLICIES")
}

func (w Worker) check(r *report) { r.unless(isListenAddress(w.AdminListen), "ADMIN_LISTEN") }

func (m Migrate) check(r *report) { r.unless(m.Database.User() != "", "DATABASE_URL") }

func (c Console) check(r *report) {
	r.unless(isListenAddress(c.Listen), "CONSOLE_LISTEN")
	r.unless(isListenAddress(c.AdminListen), "ADMIN_LISTEN")
}

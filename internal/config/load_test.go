package config_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sethvargo/go-envconfig"

	"github.com/dialtone/dialtone/internal/config"
	"github.com/dialtone/dialtone/internal/secret"
)

// required sets what must be set for any binary, and nothing else.
func required(t *testing.T) map[string]string {
	t.Helper()
	keyset, err := secret.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"DATABASE_URL":           "postgres://front:hunter2@db:5432/dialtone",
		"DATABASE_MIGRATE_URL":   "postgres://owner:hunter2@db:5432/dialtone",
		"DIALTONE_KEYSET":        keyset,
		"CARRIER_URL":            "https://carrier.example.com",
		"CARRIER_API_KEY":        "hunter2",
		"CARRIER_WEBHOOK_SECRET": "hunter2",
		"ES2PLUS_URL":            "https://es2plus.example.com/",
		"ES2PLUS_REQUESTER_ID":   "1.3.6.1.4.1.1",
		"ES2PLUS_SMDP_ADDRESS":   "smdp.example.com",
		"SENDGRID_API_KEY":       "hunter2",
		"SENDGRID_WEBHOOK_KEY":   publicKey(t, elliptic.P256()),
	}
}

func publicKey(t *testing.T, curve elliptic.Curve) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// lookuper reads required with changes; a change to "" unsets.
func lookuper(t *testing.T, changes map[string]string) envconfig.Lookuper {
	t.Helper()
	environment := required(t)
	maps.Copy(environment, changes)
	return envconfig.MapLookuper(environment)
}

func TestLoadServer_Defaults(t *testing.T) {
	t.Parallel()
	environment := required(t)

	got, err := config.LoadServer(t.Context(), envconfig.MapLookuper(environment))
	if err != nil {
		t.Fatal(err)
	}

	want := config.Server{
		Database:        config.Database{URL: secret.New(environment["DATABASE_URL"])},
		Keyset:          config.Keyset{Value: secret.New(environment["DIALTONE_KEYSET"])},
		Temporal:        config.Temporal{TaskQueue: "dialtone"},
		Carrier:         config.Carrier{URL: environment["CARRIER_URL"], APIKey: secret.New("hunter2")},
		CarrierWebhook:  config.CarrierWebhook{Secret: secret.New("hunter2")},
		SendGridWebhook: config.SendGridWebhook{Key: environment["SENDGRID_WEBHOOK_KEY"]},
		GRPC:            config.GRPC{Listen: ":7400"},
		Log:             config.Log{Level: slog.LevelInfo, Format: "json"},
		HTTPListen:      ":7401",
		AdminListen:     ":7402",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if printed := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(printed, "hunter2") {
		t.Errorf("a secret shows in %s", printed)
	}
}

func TestLoadWorker_All(t *testing.T) {
	t.Parallel()
	environment := map[string]string{
		"TEMPORAL_TASK_QUEUE": "other", "TEMPORAL_UI_URL": "http://localhost:8233",
		"TEMPORAL_DEPLOYMENT_NAME": "dialtone", "TEMPORAL_WORKER_BUILD_ID": "b1",
		"ES2PLUS_CLIENT_CERT": "c.pem", "ES2PLUS_CLIENT_KEY": "k.pem", "ES2PLUS_CA": "ca.pem",
		"SENDGRID_URL": "http://localhost:9", "OPS_WEBHOOK_URL": "https://chat.example.com/hook",
		"LOG_LEVEL": "debug", "LOG_FORMAT": "text", "ADMIN_LISTEN": "127.0.0.1:0",
	}

	got, err := config.LoadWorker(t.Context(), lookuper(t, environment))
	if err != nil {
		t.Fatal(err)
	}

	want := config.Worker{
		Database: got.Database, Keyset: got.Keyset, Carrier: got.Carrier,
		Temporal: config.Temporal{TaskQueue: "other", UIURL: "http://localhost:8233", DeploymentName: "dialtone", BuildID: "b1"},
		ES2Plus: config.ES2Plus{
			URL: "https://es2plus.example.com/", RequesterID: "1.3.6.1.4.1.1", SMDPAddress: "smdp.example.com",
			ClientCert: "c.pem", ClientKey: "k.pem", CA: "ca.pem",
		},
		SendGrid:    config.SendGrid{URL: "http://localhost:9", APIKey: secret.New("hunter2")},
		Ops:         config.Ops{WebhookURL: secret.New("https://chat.example.com/hook")},
		Log:         config.Log{Level: slog.LevelDebug, Format: "text"},
		AdminListen: "127.0.0.1:0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadCLI(t *testing.T) {
	t.Parallel()
	bare, err := config.LoadCLI(t.Context(), envconfig.MapLookuper(map[string]string{"NO_COLOR": ""}))
	if err != nil {
		t.Fatal(err)
	}
	full, err := config.LoadCLI(t.Context(), envconfig.MapLookuper(map[string]string{
		"DIALTONE_ADDRESS": "dialtone.example.com:443", "DIALTONE_TOKEN": "hunter2", "NO_COLOR": "0",
	}))
	if err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff(config.CLI{Client: config.Client{Address: "localhost:7400"}}, bare); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := config.CLI{Client: config.Client{Address: "dialtone.example.com:443", Token: secret.New("hunter2")}, NoColor: true}
	if diff := cmp.Diff(want, full); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoad_OtherBinaries(t *testing.T) {
	t.Parallel()
	migrate, err := config.LoadMigrate(t.Context(), lookuper(t, nil))
	if err != nil || migrate.MigrateDatabase.URL.Reveal() != "postgres://owner:hunter2@db:5432/dialtone" {
		t.Errorf("migrate: %+v, %v", migrate, err)
	}
	console, err := config.LoadConsole(t.Context(), lookuper(t, nil))
	if err != nil || console.Listen != ":7405" || console.AdminListen != ":7404" {
		t.Errorf("console: %+v, %v", console, err)
	}
}

// Ensure that an operator sees everything at once, and no secret.
func TestLoad_ReportsAllFaults(t *testing.T) {
	t.Parallel()
	_, err := config.LoadServer(t.Context(), lookuper(t, map[string]string{
		"DATABASE_URL":             "mysql://front:hunter2@db/dialtone",
		"DIALTONE_KEYSET":          "hunter2",
		"TEMPORAL_WORKER_BUILD_ID": "b1",
		"CARRIER_URL":              "https://me:hunter2@carrier.example.com",
		"CARRIER_API_KEY":          "  ",
		"GRPC_LISTEN":              "7400",
		"GRPC_TLS_CERT":            "cert.pem",
		"GRPC_REFLECTION":          "maybe",
		"LOG_LEVEL":                "loud",
		"LOG_FORMAT":               "xml",
	}))

	want := `the environment cannot be used:
  DATABASE_URL is set to something else: want a Postgres address, as in postgres://user:password@host:5432/dialtone
  DIALTONE_KEYSET is set to something else: want the keyset of this installation, whole and on one line
  TEMPORAL_DEPLOYMENT_NAME is not set, but TEMPORAL_WORKER_BUILD_ID is: want the name of the worker deployment, together with TEMPORAL_WORKER_BUILD_ID
  CARRIER_API_KEY is not set: want the key that the carrier gave you
  CARRIER_URL is "https://me:***@carrier.example.com": want the address of the carrier's API, as in https://carrier.example.com
  GRPC_REFLECTION is "maybe": want true or false
  GRPC_LISTEN is "7400": want a listen address, as in :7400
  GRPC_TLS_KEY is not set, but GRPC_TLS_CERT is: want a PEM file with the key of GRPC_TLS_CERT
  LOG_LEVEL is "loud": want debug, info, warn or error
  LOG_FORMAT is "xml": want json or text`
	if err == nil {
		t.Fatal("accepted")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoad_Refuses(t *testing.T) {
	t.Parallel()
	server := func(ctx context.Context, l envconfig.Lookuper) error {
		_, err := config.LoadServer(ctx, l)
		return err
	}
	worker := func(ctx context.Context, l envconfig.Lookuper) error {
		_, err := config.LoadWorker(ctx, l)
		return err
	}
	cli := func(ctx context.Context, l envconfig.Lookuper) error {
		_, err := config.LoadCLI(ctx, l)
		return err
	}
	for _, test := range []struct {
		load            func(context.Context, envconfig.Lookuper) error
		variable, value string
	}{
		{server, "DATABASE_URL", "host=db user=front"},
		{server, "CARRIER_URL", "carrier.example.com"},
		{server, "CARRIER_URL", "ftp://carrier.example.com"},
		{server, "CARRIER_URL", "https://carrier.example.com/?tenant=1"},
		{server, "TEMPORAL_UI_URL", "localhost:8233"},
		{server, "HTTP_LISTEN", ":http"},
		{server, "ADMIN_LISTEN", ":70000"},
		{server, "SENDGRID_WEBHOOK_KEY", "MFkw"},
		{server, "SENDGRID_WEBHOOK_KEY", publicKey(t, elliptic.P384())},
		{server, "OPS_WEBHOOK_URL", "chat"},
		{server, "DIALTONE_POLICIES", "[]"},
		{server, "DIALTONE_POLICIES", "null"},
		{worker, "ES2PLUS_SMDP_ADDRESS", "https://smdp.example.com"},
		{worker, "ES2PLUS_URL", ""},
		{cli, "DIALTONE_ADDRESS", ":7400"},
		{cli, "DIALTONE_ADDRESS", "http://localhost:7400"},
	} {
		t.Run(test.variable+"="+test.value, func(t *testing.T) {
			t.Parallel()
			err := test.load(t.Context(), lookuper(t, map[string]string{test.variable: test.value}))

			faults, ok := errors.AsType[config.Faults](err)
			if !ok || len(faults) != 1 || faults[0].Variable != test.variable || faults[0].Right == "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

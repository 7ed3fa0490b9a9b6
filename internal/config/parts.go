package config

import (
	"log/slog"
	"net/url"
	"strings"

	"github.com/dialtone/dialtone/internal/secret"
)

// Each part below is what one collaborator needs. A field's tags say its variable, its
// default, whether it must be set, and in want what would be right, for the error.

// Database is the record.
type Database struct {
	// URL holds the password, and is a user who is neither owner nor superuser.
	URL secret.String `env:"DATABASE_URL, required" want:"a Postgres address, as in postgres://user:password@host:5432/dialtone"`
}

// User is whom URL names; empty where it names nobody.
func (d Database) User() string {
	_, rest, _ := strings.Cut(d.URL.Reveal(), "://")
	// Several hosts may stand in the address, which url.Parse does not take. Whatever is
	// special in a user or a password is percent-encoded.
	login, _, found := strings.Cut(rest, "@")
	if !found {
		return ""
	}
	name, _, _ := strings.Cut(login, ":")
	user, err := url.PathUnescape(name)
	if err != nil {
		return ""
	}
	return user
}

// MigrateDatabase is the record, for its owner.
type MigrateDatabase struct {
	URL secret.String `env:"DATABASE_MIGRATE_URL, required" want:"the Postgres address of the schema's owner, as in postgres://owner:password@host:5432/dialtone"`
}

// Keyset has the installation's keys.
type Keyset struct {
	// Value is for secret.ParseKeyset, which has accepted it.
	Value secret.String `env:"DIALTONE_KEYSET, required" want:"the keyset of this installation, whole and on one line"`
}

// Temporal is what its own envconfig does not read.
type Temporal struct {
	TaskQueue string `env:"TEMPORAL_TASK_QUEUE, default=dialtone" want:"a task queue's name, as in dialtone"`
	// UIURL is where people see a run; empty gives no links.
	UIURL string `env:"TEMPORAL_UI_URL" want:"the address of Temporal's UI, as in https://temporal.example.com"`
	// DeploymentName and BuildID make workers versioned; both or neither are set.
	DeploymentName string `env:"TEMPORAL_DEPLOYMENT_NAME" want:"the name of the worker deployment, together with TEMPORAL_WORKER_BUILD_ID"`
	BuildID        string `env:"TEMPORAL_WORKER_BUILD_ID" want:"the build's id, together with TEMPORAL_DEPLOYMENT_NAME"`
}

// Carrier is the network partner's API.
type Carrier struct {
	URL    string        `env:"CARRIER_URL, required" want:"the address of the carrier's API, as in https://carrier.example.com"`
	APIKey secret.String `env:"CARRIER_API_KEY, required" want:"the key that the carrier gave you"`
}

// CarrierWebhook verifies the carrier's events.
type CarrierWebhook struct {
	Secret secret.String `env:"CARRIER_WEBHOOK_SECRET, required" want:"the secret with which the carrier signs its events"`
}

// ES2Plus is the SM-DP+. The three files are for mutual TLS, which an https address of a
// real SM-DP+ wants.
type ES2Plus struct {
	URL         string `env:"ES2PLUS_URL, required" want:"the address of the SM-DP+'s ES2+ interface, as in https://es2plus.example.com"`
	RequesterID string `env:"ES2PLUS_REQUESTER_ID, required" want:"the functionRequesterIdentifier that the SM-DP+ knows you by"`
	// SMDPAddress stands in every activation code.
	SMDPAddress string `env:"ES2PLUS_SMDP_ADDRESS, required" want:"the host name of the SM-DP+ for phones, as in smdp.example.com"`
	ClientCert  string `env:"ES2PLUS_CLIENT_CERT" want:"a PEM file with the client certificate, together with ES2PLUS_CLIENT_KEY"`
	ClientKey   string `env:"ES2PLUS_CLIENT_KEY" want:"a PEM file with the key of ES2PLUS_CLIENT_CERT"`
	CA          string `env:"ES2PLUS_CA" want:"a PEM file with the authorities that may vouch for the SM-DP+"`
}

// SendGrid sends the mails.
type SendGrid struct {
	URL    string        `env:"SENDGRID_URL, default=https://api.sendgrid.com" want:"the address of SendGrid's API, as in https://api.sendgrid.com"`
	APIKey secret.String `env:"SENDGRID_API_KEY, required" want:"a SendGrid API key that may send mail"`
}

// SendGridWebhook verifies SendGrid's events.
type SendGridWebhook struct {
	Key string `env:"SENDGRID_WEBHOOK_KEY, required" want:"the verification key that SendGrid shows beside the signed event webhook: base64 of an ECDSA P-256 public key"`
}

// GRPC is the gRPC door. With certificate and key it speaks TLS, without them it does not.
type GRPC struct {
	Listen  string `env:"GRPC_LISTEN, default=:7400" want:"a listen address, as in :7400"`
	TLSCert string `env:"GRPC_TLS_CERT" want:"a PEM file with the server's certificate, together with GRPC_TLS_KEY"`
	TLSKey  string `env:"GRPC_TLS_KEY" want:"a PEM file with the key of GRPC_TLS_CERT"`
	// Reflection lets tools such as grpcurl ask for the schema.
	Reflection bool `env:"GRPC_REFLECTION, default=false" want:"true or false"`
}

// Ops is where operators are called.
type Ops struct {
	// WebhookURL gets a message when something waits for an operator; empty sends none. Such
	// addresses often hold a secret.
	WebhookURL secret.String `env:"OPS_WEBHOOK_URL" want:"an address that takes a POST, as in https://chat.example.com/hook"`
}

// Log is how much is logged, and how it looks.
type Log struct {
	Level  slog.Level `env:"LOG_LEVEL, default=info" want:"debug, info, warn or error"`
	Format string     `env:"LOG_FORMAT, default=json" want:"json or text"`
}

// Client is how our own tools reach the gRPC door.
type Client struct {
	Address string `env:"DIALTONE_ADDRESS, default=localhost:7400" want:"the gRPC address of a server, as in localhost:7400"`
	// Token may be empty: the door says then what is missing.
	Token secret.String `env:"DIALTONE_TOKEN" want:"a token that an administrator made for you"`
}

// Presence is true when its variable is set to anything.
type Presence bool

// UnmarshalText takes any text for yes.
func (p *Presence) UnmarshalText(text []byte) error {
	*p = len(text) > 0
	return nil
}

func (d Database) check(r *report) { r.unless(isPostgresURL(d.URL.Reveal()), "DATABASE_URL") }

func (d MigrateDatabase) check(r *report) {
	r.unless(isPostgresURL(d.URL.Reveal()), "DATABASE_MIGRATE_URL")
}

func (k Keyset) check(r *report) { r.unless(isKeyset(k.Value.Reveal()), "DIALTONE_KEYSET") }

func (t Temporal) check(r *report) {
	r.unless(isWebURL(t.UIURL), "TEMPORAL_UI_URL")
	r.together("TEMPORAL_DEPLOYMENT_NAME", "TEMPORAL_WORKER_BUILD_ID")
}

func (c Carrier) check(r *report) { r.unless(isWebURL(c.URL), "CARRIER_URL") }

func (e ES2Plus) check(r *report) {
	r.unless(isWebURL(e.URL), "ES2PLUS_URL")
	r.unless(isHostName(e.SMDPAddress), "ES2PLUS_SMDP_ADDRESS")
	r.together("ES2PLUS_CLIENT_CERT", "ES2PLUS_CLIENT_KEY")
}

func (s SendGrid) check(r *report) { r.unless(isWebURL(s.URL), "SENDGRID_URL") }

func (s SendGridWebhook) check(r *report) { r.unless(isVerificationKey(s.Key), "SENDGRID_WEBHOOK_KEY") }

func (g GRPC) check(r *report) {
	r.unless(isListenAddress(g.Listen), "GRPC_LISTEN")
	r.together("GRPC_TLS_CERT", "GRPC_TLS_KEY")
}

func (o Ops) check(r *report) { r.unless(isWebURL(o.WebhookURL.Reveal()), "OPS_WEBHOOK_URL") }

func (l Log) check(r *report) { r.unless(l.Format == "json" || l.Format == "text", "LOG_FORMAT") }

func (c Client) check(r *report) { r.unless(isDialAddress(c.Address), "DIALTONE_ADDRESS") }

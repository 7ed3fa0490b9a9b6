package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
)

// The parts, by the names that Kill, Restart, Pause and Resume know and that sandbox.json has
// in pids.
const (
	Postgres = "postgres"
	Temporal = "temporal"
	Partners = "partners"
	Server   = "server"
	Worker   = "worker"
)

const (
	probeTimeout = 2 * time.Second
	// answerShown bounds how much of an answer an error repeats.
	answerShown = 500
)

// settings is what all parts are told.
type settings struct {
	config   Config
	state    *state
	ports    *ports
	postgres *postgres
}

// pretends says that a partner is one of ours, and none whose URL is in the environment.
func (s settings) pretends(variable string) bool { return s.config.variable(variable) == "" }

// partnerURL is where a partner is.
func (s settings) partnerURL(variable, port string) string {
	return cmp.Or(s.config.variable(variable), s.ports.url(port))
}

func (s settings) carrierURL() string  { return s.partnerURL("CARRIER_URL", portCarrier) }
func (s settings) es2plusURL() string  { return s.partnerURL("ES2PLUS_URL", portES2Plus) }
func (s settings) sendgridURL() string { return s.partnerURL("SENDGRID_URL", portSendGrid) }

// inboxURL is where people read the mails; a real SendGrid has none.
func (s settings) inboxURL() string {
	if !s.pretends("SENDGRID_URL") {
		return ""
	}
	return s.ports.url(portSendGrid) + "/inbox"
}

// ownTemporal says that the Temporal server is one of our parts.
func (s settings) ownTemporal() bool { return s.config.variable("TEMPORAL_ADDRESS") == "" }

func (s settings) temporalAddress() string {
	return cmp.Or(s.config.variable("TEMPORAL_ADDRESS"), s.ports.address(portTemporal))
}

func (s settings) temporalUI() string {
	if s.ownTemporal() {
		return s.ports.url(portTemporalUI)
	}
	return s.config.variable("TEMPORAL_UI_URL")
}

func (s settings) temporalNamespace() string {
	if s.ownTemporal() {
		return client.DefaultNamespace
	}
	return cmp.Or(s.config.variable("TEMPORAL_NAMESPACE"), client.DefaultNamespace)
}

// temporalEnv is what a client of Temporal needs. With a server of our own, settings of the
// user's for another one must not get in.
func (s settings) temporalEnv() []string {
	if !s.ownTemporal() {
		return s.config.inherited("TEMPORAL_")
	}
	return append(s.config.inherited(),
		"TEMPORAL_ADDRESS="+s.temporalAddress(),
		"TEMPORAL_NAMESPACE="+s.temporalNamespace(),
		"TEMPORAL_UI_URL="+s.temporalUI(),
		"TEMPORAL_CONFIG_FILE="+filepath.Join(s.config.Dir, "no-temporal.toml"),
	)
}

// commonEnv is what server and worker share.
func (s settings) commonEnv() []string {
	env := append(s.temporalEnv(),
		"EXIT_WITH_PARENT=1",
		"LOG_FORMAT=text",
		"DATABASE_URL="+s.postgres.appURL(s.state.DatabasePassword),
		"DIALTONE_KEYSET="+s.state.Keyset,
		"CARRIER_URL="+s.carrierURL(),
		"OPS_WEBHOOK_URL="+s.config.variable("OPS_WEBHOOK_URL"),
	)
	if s.pretends("CARRIER_URL") {
		return append(env, "CARRIER_API_KEY="+s.state.CarrierAPIKey, "CARRIER_WEBHOOK_SECRET="+s.state.CarrierWebhookSecret)
	}
	return append(env, s.config.inherited("CARRIER_")...)
}

func (s settings) part(name, program string, env []string, ports ...string) part {
	return part{
		name: name, path: s.config.binary(program), env: env, log: s.logFile(name),
		starting: func() error { return s.ports.release(ports...) },
	}
}

func (s settings) logFile(name string) string { return filepath.Join(s.config.logDir(), name+".log") }

func (s settings) serverPart() part {
	env := append(s.commonEnv(),
		"GRPC_LISTEN="+s.ports.address(portGRPC),
		"HTTP_LISTEN="+s.ports.address(portHTTP),
		"ADMIN_LISTEN="+s.ports.address(portServerAdmin),
		"GRPC_REFLECTION=true",
		"DIALTONE_POLICIES="+s.config.Policies,
	)
	if s.pretends("SENDGRID_URL") {
		env = append(env, "SENDGRID_WEBHOOK_KEY="+s.state.SendGridVerificationKey)
	} else {
		env = append(env, s.config.inherited("SENDGRID_")...)
	}
	p := s.part(Server, serverName, env, portGRPC, portHTTP, portServerAdmin)
	p.ready = answersOK(s.ports.url(portServerAdmin) + "/readyz")
	return p
}

func (s settings) workerPart() part {
	env := append(s.commonEnv(),
		"ADMIN_LISTEN="+s.ports.address(portWorkerAdmin),
		"ES2PLUS_URL="+s.es2plusURL(),
		"SENDGRID_URL="+s.sendgridURL(),
	)
	if s.pretends("ES2PLUS_URL") {
		env = append(env, "ES2PLUS_REQUESTER_ID="+requesterID, "ES2PLUS_SMDP_ADDRESS="+smdpAddress)
	} else {
		env = append(env, s.config.inherited("ES2PLUS_")...)
	}
	if s.pretends("SENDGRID_URL") {
		env = append(env, "SENDGRID_API_KEY="+s.state.SendGridAPIKey)
	} else {
		env = append(env, s.config.inherited("SENDGRID_")...)
	}
	p := s.part(Worker, workerName, env, portWorkerAdmin)
	p.ready = answersOK(s.ports.url(portWorkerAdmin) + "/readyz")
	return p
}

// The pretend SM-DP+.
const (
	requesterID = "1.3.6.1.4.1.99999.1"
	smdpAddress = "smdp.example.com"
)

func (s settings) partnersPart() part {
	env := append(s.config.inherited(),
		"EXIT_WITH_PARENT=1",
		"PARTNERS_DIR="+s.config.partnersDir(),
		"PARTNERS_CARRIER_LISTEN="+s.ports.address(portCarrier),
		"PARTNERS_ES2PLUS_LISTEN="+s.ports.address(portES2Plus),
		"PARTNERS_SENDGRID_LISTEN="+s.ports.address(portSendGrid),
		"WEBHOOK_URL="+s.ports.url(portHTTP),
		"CARRIER_API_KEY="+s.state.CarrierAPIKey,
		"CARRIER_WEBHOOK_SECRET="+s.state.CarrierWebhookSecret,
		"ES2PLUS_SMDP_ADDRESS="+smdpAddress,
		"SENDGRID_API_KEY="+s.state.SendGridAPIKey,
		"SENDGRID_WEBHOOK_PRIVATE_KEY="+s.state.SendGridSigningKey,
	)
	p := s.part(Partners, partnersName, env, portCarrier, portES2Plus, portSendGrid)
	p.ready = func(ctx context.Context) error {
		for _, name := range []string{portCarrier, portES2Plus, portSendGrid} {
			if err := answersOK(s.ports.url(name) + "/_pretend/faults")(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	return p
}

func (s settings) temporalPart() part {
	env := append(s.config.inherited(),
		"EXIT_WITH_PARENT=1",
		"TEMPORAL_LISTEN="+s.ports.address(portTemporal),
		"TEMPORAL_UI_LISTEN="+s.ports.address(portTemporalUI),
		"TEMPORAL_DATABASE_URL="+s.postgres.adminURL(temporalStore),
		"TEMPORAL_VISIBILITY_DATABASE_URL="+s.postgres.adminURL(visibilityName),
	)
	p := s.part(Temporal, temporalName, env, portTemporal, portTemporalUI)
	p.ready = s.temporalAnswers
	return p
}

// temporalAnswers asks the server's health once.
func (s settings) temporalAnswers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	c, err := client.DialContext(ctx, client.Options{
		HostPort: s.temporalAddress(), Namespace: s.temporalNamespace(), Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

// answersOK asks an address once.
func answersOK(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			said, _ := io.ReadAll(io.LimitReader(response.Body, answerShown))
			return fmt.Errorf("%s answers %s: %s", address, response.Status, strings.Join(strings.Fields(string(said)), " "))
		}
		return nil
	}
}

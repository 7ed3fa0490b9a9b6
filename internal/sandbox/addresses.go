package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Addresses is where everything is, and with what to be let in: the content of sandbox.json.
type Addresses struct {
	// GRPC is host:port of the gRPC door; HTTP and Admin are URLs of the server's webhooks
	// and of its /livez, /readyz and /metrics.
	GRPC  string `json:"grpc"`
	HTTP  string `json:"http"`
	Admin string `json:"admin"`
	// Token is BILLING's of Tenant, OperatorToken OPERATOR's, AdminToken the installation's.
	// PortalBackendToken is PORTAL_BACKEND's: what a provider's own portal calls with.
	Token              string `json:"token"`
	OperatorToken      string `json:"operator_token"`
	PortalBackendToken string `json:"portal_backend_token"`
	AdminToken         string `json:"admin_token"`
	Tenant             string `json:"tenant"`

	TemporalAddress string `json:"temporal_address"`
	TemporalUI      string `json:"temporal_ui"`
	// DatabaseURL is DATABASE_URL as server and worker have it.
	DatabaseURL string `json:"database_url"`

	CarrierURL  string `json:"carrier_url"`
	ES2PlusURL  string `json:"es2plus_url"`
	SendGridURL string `json:"sendgrid_url"`
	// InboxURL shows the mails, also as JSON with .json after it; empty with a real SendGrid.
	InboxURL string `json:"inbox_url"`

	// Console and Portal are empty until they are built.
	Console string `json:"console"`
	Portal  string `json:"portal"`

	// PIDs are the processes, by part, and "sandbox" itself.
	PIDs map[string]int `json:"pids"`
}

// Addresses tells where everything is.
func (s *Sandbox) Addresses() Addresses {
	main := tenants()[0].id
	tokens := s.settings.state.Tenants[main]
	ports := s.settings.ports
	return Addresses{
		GRPC: ports.address(portGRPC), HTTP: ports.url(portHTTP), Admin: ports.url(portServerAdmin),
		Token: tokens.Billing, OperatorToken: tokens.Operator, PortalBackendToken: tokens.PortalBackend,
		AdminToken: s.settings.state.AdminToken, Tenant: main,
		TemporalAddress: s.settings.temporalAddress(), TemporalUI: s.settings.temporalUI(),
		DatabaseURL: s.settings.postgres.appURL(s.settings.state.DatabasePassword),
		CarrierURL:  s.settings.carrierURL(), ES2PlusURL: s.settings.es2plusURL(), SendGridURL: s.settings.sendgridURL(),
		InboxURL: s.settings.inboxURL(),
		PIDs:     s.pids(),
	}
}

func (s *Sandbox) pids() map[string]int {
	pids := map[string]int{"sandbox": os.Getpid()}
	if pid := s.settings.postgres.pid(); pid != 0 {
		pids[Postgres] = pid
	}
	for name, p := range s.processes {
		if pid := p.pid(); pid != 0 {
			pids[name] = pid
		}
	}
	return pids
}

// publish writes sandbox.json: only now may others count on what is in it.
func (s *Sandbox) publish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = true
	return writeSecretly(s.settings.config.addressesFile(), s.Addresses())
}

// republish writes sandbox.json again after a part was started again.
func (s *Sandbox) republish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.published {
		return
	}
	if err := writeSecretly(s.settings.config.addressesFile(), s.Addresses()); err != nil {
		s.settings.config.tell("sandbox.json is out of date: %v", err)
	}
}

// withdraw deletes sandbox.json: its addresses answer no more.
func (s *Sandbox) withdraw() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = false
	if err := os.Remove(s.settings.config.addressesFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete sandbox.json: %w", err)
	}
	return nil
}

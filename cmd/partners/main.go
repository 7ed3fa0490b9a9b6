// Command partners pretends our partners at their real wires: the carrier, the SM-DP+ (ES2+)
// and SendGrid with its inbox, each on a listen address of its own. They remember what they
// did in journals under PARTNERS_DIR, also when they are killed, and go wrong on demand
// (POST /_pretend/faults).
//
// When all three answer it prints one line:
//
//	ready carrier=http://… es2plus=http://… sendgrid=http://… inbox=http://…/inbox
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/config"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/partnertest"
)

// shutdownTimeout is how long calls under way may take to end.
const shutdownTimeout = 2 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, environment{Lookuper: envconfig.OsLookuper(), in: os.Stdin}, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "partners:", err)
		os.Exit(1)
	}
}

// environment is what a process is given beside its output.
type environment struct {
	envconfig.Lookuper

	in io.Reader
}

// run serves until ctx ends or, with EXIT_WITH_PARENT, its input does.
func run(ctx context.Context, env environment, out io.Writer) error {
	settings, err := config.LoadPartners(ctx, env)
	if err != nil {
		return err
	}
	if settings.ExitWithParent {
		ctx = withParent(ctx, env.in)
	}
	var serving []*served
	defer func() {
		for _, s := range serving {
			s.close(ctx)
		}
	}()
	failed := make(chan error, len(partners()))
	addresses := make(map[string]string)
	for _, p := range partners() {
		s, err := serve(ctx, settings, p, failed)
		if err != nil {
			return fmt.Errorf("serve %s: %w", p.name, err)
		}
		serving = append(serving, s)
		addresses[p.name] = "http://" + s.listener.Addr().String()
	}
	_, err = fmt.Fprintf(out, "ready carrier=%s es2plus=%s sendgrid=%s inbox=%s/inbox\n",
		addresses["carrier"], addresses["es2plus"], addresses["sendgrid"], addresses["sendgrid"])
	if err != nil {
		return fmt.Errorf("say ready: %w", err)
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// withParent returns a context that ends when in does: the parent holds the other end.
func withParent(ctx context.Context, in io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	return ctx
}

// pretend is a pretend partner.
type pretend interface {
	http.Handler
	Close()
}

// partner is one of them, before it is made.
type partner struct {
	name   string
	listen func(config.Partners) string
	create func(config.Partners, *partnertest.Journal, *partnertest.Faults) (pretend, error)
}

func partners() []partner {
	return []partner{
		{"carrier", func(s config.Partners) string { return s.CarrierListen }, newCarrier},
		{"es2plus", func(s config.Partners) string { return s.ES2PlusListen }, newES2Plus},
		{"sendgrid", func(s config.Partners) string { return s.SendGridListen }, newSendGrid},
	}
}

func newCarrier(s config.Partners, journal *partnertest.Journal, faults *partnertest.Faults) (pretend, error) {
	return carriertest.New(carriertest.Config{
		Journal: journal, Faults: faults, APIKey: s.CarrierAPIKey.Reveal(),
		EventURL: at(s.WebhookURL, "/webhooks/carrier"), WebhookSecret: s.CarrierWebhookSecret.Reveal(),
	})
}

func newES2Plus(s config.Partners, journal *partnertest.Journal, faults *partnertest.Faults) (pretend, error) {
	return esimtest.New(esimtest.Config{
		Journal: journal, Faults: faults, SMDPAddress: s.SMDPAddress,
		ProgressURL: at(s.WebhookURL, "/gsma/rsp2/es2plus/handleDownloadProgressInfo"),
	})
}

func newSendGrid(s config.Partners, journal *partnertest.Journal, faults *partnertest.Faults) (pretend, error) {
	return mailtest.New(mailtest.Config{
		Journal: journal, Faults: faults, APIKey: s.SendGridAPIKey.Reveal(),
		EventURL: at(s.WebhookURL, "/webhooks/sendgrid"), SigningKey: s.SigningKey(),
	})
}

// at adds a path to a base address; no address stays none.
func at(base, path string) string {
	if base == "" {
		return ""
	}
	return strings.TrimSuffix(base, "/") + path
}

// served is a pretend partner that answers.
type served struct {
	journal  *partnertest.Journal
	pretend  pretend
	listener net.Listener
	server   *http.Server
}

// serve brings a partner up from its journal and lets it answer. When serving ends before
// it is closed, failed says why.
func serve(ctx context.Context, settings config.Partners, p partner, failed chan<- error) (*served, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", p.listen(settings))
	if err != nil {
		return nil, err
	}
	journal, err := partnertest.OpenJournal(filepath.Join(settings.Dir, p.name+".jsonl"))
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	made, err := p.create(settings, journal, new(partnertest.Faults))
	if err != nil {
		return nil, errors.Join(err, listener.Close(), journal.Close())
	}
	s := &served{
		journal: journal, pretend: made, listener: listener,
		server: &http.Server{Handler: made, ReadHeaderTimeout: 5 * time.Second},
	}
	go func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", p.name, err)
		}
	}()
	return s, nil
}

// close lets calls under way end, for a while, and then the rest. What is cut off goes on
// from the journal at the next start.
func (s *served) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
	s.pretend.Close()
	_ = s.journal.Close()
}

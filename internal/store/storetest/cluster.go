package storetest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/dialtone/dialtone/internal/postgrestest"
	"github.com/dialtone/dialtone/internal/store"
)

const (
	// AppUser is whom the record is opened as: a member of the two roles, and neither owner
	// nor superuser.
	AppUser     = "dialtone_app"
	appPassword = "dialtone_app"

	templateName = "dialtone_template"
	// maxConnections is for several records at once, each with a pool.
	maxConnections = 300
)

// cluster is this process's Postgres. It is shared, because making one takes a second.
var cluster shared

type shared struct {
	mu       sync.Mutex
	running  *postgrestest.Cluster
	err      error
	template bool
}

// start gives the cluster, and makes it first if need be. A failure is kept: the next test
// fails as fast and for the same reason.
func (s *shared) start() (*postgrestest.Cluster, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil || s.err != nil {
		return s.running, s.err
	}
	c, err := postgrestest.Start(context.Background(), postgrestest.Config{MaxConnections: maxConnections})
	if err != nil {
		s.err = err
		return nil, err
	}
	s.running = c
	s.err = administer(c, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", AppUser, appPassword))
	return s.running, s.err
}

// migrated gives the cluster with the template in it.
func (s *shared) migrated() (*postgrestest.Cluster, error) {
	c, err := s.start()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.template || s.err != nil {
		return c, s.err
	}
	if s.err = administer(c, "CREATE DATABASE "+templateName); s.err != nil {
		return nil, s.err
	}
	if _, err := store.Migrate(context.Background(), c.URL(templateName), AppUser); err != nil {
		s.err = err
		return nil, err
	}
	s.template = true
	return c, nil
}

func (s *shared) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return nil
	}
	return s.running.Stop()
}

// administer runs one statement as the superuser.
func administer(c *postgrestest.Cluster, statement string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the tests' Postgres: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// Main runs a package's tests, stops the Postgres that they started, and fails the package
// when goroutines are left other than those allowed. It does not return.
func Main(m *testing.M, allowed ...goleak.Option) {
	goleak.VerifyTestMain(stopping{m}, append(allowed,
		// pgx hands a cut connection to a goroutine that closes it, for at most 15 s.
		goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgconn.(*PgConn).asyncClose.func1"))...)
}

// stopping is a run of tests with the cluster's end.
type stopping struct{ tests *testing.M }

// Run implements goleak.TestingM.
func (s stopping) Run() int {
	code := s.tests.Run()
	if err := cluster.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "storetest: stop Postgres:", err)
		return max(code, 1)
	}
	return code
}

// through gives the same connection string by way of another listen address, such as a
// proxy's.
func through(address, connection string) string {
	u, err := url.Parse(connection)
	if err != nil {
		panic("storetest: " + strings.TrimSpace(err.Error()))
	}
	u.Host = address
	return u.String()
}

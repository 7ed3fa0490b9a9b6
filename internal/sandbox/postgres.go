package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/postgrestest"
)

// The databases, and the role that server and worker connect as: neither owner nor
// superuser.
const (
	databaseName   = "dialtone_sandbox"
	temporalStore  = "dialtone_sandbox_temporal"
	visibilityName = "dialtone_sandbox_temporal_visibility"
	appRole        = "dialtone_sandbox"

	maxConnections = 200
)

func databaseNames() []string { return []string{databaseName, temporalStore, visibilityName} }

// postgres is the server that the databases are on: our own, or the one of DATABASE_URL.
type postgres struct {
	config Config
	// given is DATABASE_URL, nil for a server of our own.
	given *url.URL

	mu      sync.Mutex
	cluster *postgrestest.Cluster
	wanted  bool
	ended   bool
	started func()
}

// startPostgres returns when the server takes connections. started is told of each further
// start of our own.
func startPostgres(ctx context.Context, c Config, started func()) (*postgres, error) {
	p := &postgres{config: c, started: started}
	if text := c.variable("DATABASE_URL"); text != "" {
		given, err := url.Parse(text)
		if err != nil {
			return nil, errors.New("DATABASE_URL cannot be read: want postgres://user:password@host:5432/")
		}
		p.given = given
		return p, p.answers(ctx)
	}
	return p, p.start(ctx)
}

func (p *postgres) answers(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.adminURL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the Postgres of DATABASE_URL: %w", err)
	}
	return conn.Close(ctx)
}

// start runs our own cluster and goes on doing so when it dies.
func (p *postgres) start(ctx context.Context) error {
	cluster, err := postgrestest.Start(ctx, postgrestest.Config{
		Dir: p.config.postgresDir(), Fsync: true, MaxConnections: maxConnections,
	})
	if err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	if cluster.Dir() != p.config.postgresDir() {
		p.config.tell("Postgres refuses to run as root, and its user cannot enter the checkout: its files are in %s.", cluster.Dir())
	}
	p.mu.Lock()
	p.cluster, p.wanted = cluster, true
	p.mu.Unlock()
	go p.keep(context.WithoutCancel(ctx), cluster)
	return nil
}

// keep starts the cluster again when it dies without having been asked to.
func (p *postgres) keep(ctx context.Context, cluster *postgrestest.Cluster) {
	<-cluster.Done()
	for wait := restartFirst; ; wait = min(2*wait, restartMax) {
		if err := pause(ctx, wait); err != nil {
			return
		}
		p.mu.Lock()
		wanted := p.wanted && !p.ended && p.cluster == cluster
		p.mu.Unlock()
		if !wanted {
			return
		}
		_ = cluster.Stop() // it has died; this lets go of its directory
		if p.start(ctx) == nil {
			p.started()
			return
		}
	}
}

// adminURL connects to a database as the server's owner.
func (p *postgres) adminURL(database string) string {
	if p.given == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.cluster.URL(database)
	}
	address := *p.given
	address.Path = "/" + database
	return address.String()
}

// appURL connects to our database as server and worker do.
func (p *postgres) appURL(password string) string {
	if p.given == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.cluster.UserURL(appRole, password, databaseName)
	}
	address := *p.given
	address.User, address.Path = url.UserPassword(appRole, password), "/"+databaseName
	return address.String()
}

// own gives our cluster; nil where DATABASE_URL names a server.
func (p *postgres) own() *postgrestest.Cluster {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cluster
}

func (p *postgres) pid() int {
	if cluster := p.own(); cluster != nil {
		return cluster.PID()
	}
	return 0
}

// errNotOurs refuses to do to a server that is not ours what tests do to one that is.
var errNotOurs = errors.New("this part is not the sandbox's own: it was named in the environment")

func (p *postgres) signal(signal syscall.Signal) error {
	if p.own() == nil {
		return errNotOurs
	}
	return syscall.Kill(p.pid(), signal)
}

func (p *postgres) kill() error {
	cluster := p.own()
	if cluster == nil {
		return errNotOurs
	}
	p.mu.Lock()
	p.wanted = false
	p.mu.Unlock()
	_ = syscall.Kill(cluster.PID(), syscall.SIGKILL) // it may have ended already
	<-cluster.Done()
	return cluster.Stop()
}

func (p *postgres) restart(ctx context.Context) error {
	if p.own() == nil {
		return errNotOurs
	}
	if err := p.halt(); err != nil {
		return err
	}
	if err := p.start(ctx); err != nil {
		return err
	}
	p.started()
	return nil
}

// halt ends our own cluster in order.
func (p *postgres) halt() error {
	cluster := p.own()
	if cluster == nil {
		return nil
	}
	p.mu.Lock()
	p.wanted = false
	p.mu.Unlock()
	_ = syscall.Kill(cluster.PID(), syscall.SIGCONT) // it may be stopped
	return cluster.Stop()
}

// stop ends our own cluster for good.
func (p *postgres) stop() error {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	return p.halt()
}

// removePostgres deletes the cluster that an earlier sandbox made, wherever it lives.
func removePostgres(c Config) error {
	if _, err := os.Stat(c.postgresDir()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := postgrestest.Remove(c.postgresDir()); err != nil {
		return fmt.Errorf("delete the old Postgres: %w", err)
	}
	c.tell("  deleted %s (Postgres, with all its databases)", c.shown(c.postgresDir()))
	return nil
}

// withConnection runs what on a connection to a database, as the server's owner.
func (p *postgres) withConnection(ctx context.Context, database string, what func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, p.adminURL(database))
	if err != nil {
		return fmt.Errorf("connect to the database %s: %w", database, err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return what(conn)
}

// quoted is a name as SQL takes it.
func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// quotedText is a text as SQL takes it, where no argument can stand.
func quotedText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

package postgrestest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dialtone/dialtone/internal/postgrestest"
)

// start runs a cluster for one test.
func start(t *testing.T, config postgrestest.Config) *postgrestest.Cluster {
	t.Helper()
	cluster, err := postgrestest.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// clusterDir is a directory that the server's user can enter, as it cannot t.TempDir when
// we are root.
func clusterDir(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "postgrestest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(parent); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(parent, 0o711); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(parent, "cluster")
}

// ask runs a query of one text value.
func ask(t *testing.T, conn *pgx.Conn, query string) string {
	t.Helper()
	var answer string
	if err := conn.QueryRow(t.Context(), query).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

// run executes statements that answer nothing.
func run(t *testing.T, conn *pgx.Conn, statements string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	cluster := start(t, postgrestest.Config{MaxConnections: 17})
	super := connect(t, cluster.URL("postgres"))

	t.Run("with the settings that tests want", func(t *testing.T) {
		got := map[string]string{}
		for _, name := range []string{
			"fsync", "synchronous_commit", "full_page_writes", "max_connections",
			"server_encoding", "lc_collate", "timezone", "unix_socket_directories", "listen_addresses",
		} {
			got[name] = ask(t, super, "SHOW "+name)
		}
		want := map[string]string{
			"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "17",
			"server_encoding": "UTF8", "lc_collate": "C", "timezone": "UTC", "unix_socket_directories": "", "listen_addresses": "127.0.0.1",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("settings (-want +got):\n%s", diff)
		}
	})
	t.Run("asks for a password", func(t *testing.T) {
		_, err := pgconn.Connect(t.Context(), cluster.UserURL("postgres", "guessed", "postgres"))

		refused, ok := errors.AsType[*pgconn.PgError](err)
		if !ok || refused.Code != "28P01" {
			t.Errorf("a wrong password was answered by %v, want SQLSTATE 28P01", err)
		}
	})
	t.Run("lets other users in", func(t *testing.T) {
		password := `p@ss:/?#[] "word`
		run(t, super, "CREATE ROLE front LOGIN PASSWORD '"+password+"'")
		run(t, super, "CREATE DATABASE other")

		conn := connect(t, cluster.UserURL("front", password, "other"))

		if got := ask(t, conn, "SELECT current_user || ' in ' || current_database()"); got != "front in other" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("is not root", func(t *testing.T) {
		info, err := os.Stat(filepath.Join(cluster.Dir(), "data"))
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner == 0 {
			t.Error("the data directory belongs to root")
		}
	})
}

func TestStart_WhereTheServersUserCannotEnter(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root has directories that the server's user cannot enter")
	}
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(closed, "cluster")
	var log bytes.Buffer

	first := start(t, postgrestest.Config{Dir: dir, Log: &log})
	run(t, connect(t, first.URL("postgres")), "CREATE DATABASE kept")
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, postgrestest.Config{Dir: dir})

	if strings.HasPrefix(first.Dir(), closed) || first.Dir() != second.Dir() {
		t.Errorf("the cluster lived in %s, then in %s", first.Dir(), second.Dir())
	}
	if !strings.Contains(log.String(), "the cluster lives in "+first.Dir()) {
		t.Errorf("the log does not say where the cluster lives:\n%s", log.String())
	}
	connect(t, second.URL("kept"))
	if err := second.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := postgrestest.Remove(dir); err != nil {
		t.Fatal(err)
	}
	wantAbsent(t, dir, second.Dir())
}

func TestStart_Again(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	first := start(t, postgrestest.Config{Dir: dir, Fsync: true})
	conn := connect(t, first.URL("postgres"))
	if got := ask(t, conn, "SHOW fsync"); got != "on" {
		t.Errorf("fsync is %s", got)
	}
	run(t, conn, "CREATE TABLE kept AS SELECT 'still here' AS word")
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}

	second := start(t, postgrestest.Config{Dir: dir, Fsync: true})

	if first.URL("postgres") != second.URL("postgres") {
		t.Error("the address changed")
	}
	if got := ask(t, connect(t, second.URL("postgres")), "SELECT word FROM kept"); got != "still here" {
		t.Errorf("got %q", got)
	}
	if mode := modeOf(t, filepath.Join(dir, "password")); mode != 0o600 {
		t.Errorf("the password's file has mode %o", mode)
	}
}

func TestStart_AfterTheServerWasKilled(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	first := start(t, postgrestest.Config{Dir: dir, Fsync: true})
	conn := connect(t, first.URL("postgres"))
	run(t, conn, "CREATE TABLE kept AS SELECT 'still here' AS word")
	if err := syscall.Kill(first.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.Done()
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}

	second := start(t, postgrestest.Config{Dir: dir, Fsync: true})

	if got := ask(t, connect(t, second.URL("postgres")), "SELECT word FROM kept"); got != "still here" {
		t.Errorf("got %q", got)
	}
}

// After a reboot the process id in a leftover postmaster.pid may be anybody's: here ours.
func TestStart_ForeignProcessInPidFile(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	if err := start(t, postgrestest.Config{Dir: dir}).Stop(); err != nil {
		t.Fatal(err)
	}
	stale := fmt.Sprintf("%d\n%s/data\n1\n5432\n\n127.0.0.1\n\nready\n", os.Getpid(), dir)
	if err := os.WriteFile(filepath.Join(dir, "data", "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}

	connect(t, start(t, postgrestest.Config{Dir: dir}).URL("postgres"))
}

func TestStart_PortTakenByAnother(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	first := start(t, postgrestest.Config{Dir: dir})
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(first.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	taker, err := net.Listen("tcp4", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer taker.Close()

	second := start(t, postgrestest.Config{Dir: dir})

	if first.URL("postgres") == second.URL("postgres") {
		t.Error("the address did not change")
	}
	connect(t, second.URL("postgres"))
}

func TestStart_Refuses(t *testing.T) {
	t.Parallel()
	taken := clusterDir(t)
	start(t, postgrestest.Config{Dir: taken})
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	lost := clusterDir(t)
	if err := start(t, postgrestest.Config{Dir: lost}).Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(lost, "password")); err != nil {
		t.Fatal(err)
	}
	older := clusterDir(t)
	if err := os.MkdirAll(filepath.Join(older, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(older, "data", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	for name, test := range map[string]struct{ dir, want string }{
		"a cluster in use":         {taken, "in use by another process"},
		"a directory of others":    {foreign, "thesis.txt"},
		"a cluster of old":         {older, "made by Postgres 9"},
		"a cluster without a key":  {lost, "password"},
		"a directory under a file": {filepath.Join(foreign, "thesis.txt", "x"), "directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := postgrestest.Start(t.Context(), postgrestest.Config{Dir: test.dir})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line that says %q", err, test.want)
			}
		})
	}
}

func TestStart_GivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	_, err := postgrestest.Start(ctx, postgrestest.Config{})

	if err == nil {
		t.Error("a start under an ended context succeeded")
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	cluster := start(t, postgrestest.Config{})
	conn := connect(t, cluster.URL("postgres"))

	if err := errors.Join(cluster.Stop(), cluster.Stop()); err != nil {
		t.Fatal(err)
	}

	<-cluster.Done()
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("a connection outlived the server")
	}
	wantAbsent(t, cluster.Dir())
}

func TestRemove(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	cluster := start(t, postgrestest.Config{Dir: dir})
	if err := postgrestest.Remove(dir); err == nil {
		t.Error("a running cluster was removed")
	}
	if err := cluster.Stop(); err != nil {
		t.Fatal(err)
	}

	err := errors.Join(postgrestest.Remove(dir), postgrestest.Remove(dir))
	if err != nil {
		t.Fatal(err)
	}

	wantAbsent(t, dir)
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := postgrestest.Remove(foreign); err == nil {
		t.Error("a directory of others was removed")
	}
}

func wantAbsent(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if exists(path) {
			t.Errorf("%s is still there", path)
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

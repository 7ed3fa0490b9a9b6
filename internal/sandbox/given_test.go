package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/postgrestest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// TestGiven: with DATABASE_URL and TEMPORAL_ADDRESS the sandbox uses those servers, touches
// nothing there that it did not make, and --fresh deletes what it made.
func TestGiven(t *testing.T) {
	engine := running(t).Addresses().TemporalAddress
	cluster, err := postgrestest.Start(t.Context(), postgrestest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop() })
	database(t, cluster, "CREATE DATABASE others")
	var told lockedBuffer
	config := sandbox.Config{
		Dir: t.TempDir(), Out: &told,
		Environ: append(environ(), "DATABASE_URL="+cluster.URL("others"), "TEMPORAL_ADDRESS="+engine, "TEMPORAL_NAMESPACE=given"),
	}

	play(t, config)
	kept := read(t, filepath.Join(config.Dir, "state.json"))
	play(t, config)
	if read(t, filepath.Join(config.Dir, "state.json")) != kept {
		t.Error("the second start did not take up what the first one made")
	}

	// Without its keys, what is in the databases is of no use, and is not deleted unasked.
	lost := config
	lost.Dir = t.TempDir()
	if _, err := sandbox.Start(t.Context(), lost); err == nil || !strings.Contains(err.Error(), "--fresh") {
		t.Fatalf("the databases of another sandbox were taken: %v", err)
	}
	lost.Fresh = true
	play(t, lost)
	if !strings.Contains(told.String(), "deleted the database dialtone_sandbox\n") {
		t.Errorf("it does not say what it deletes:\n%s", told.String())
	}

	database(t, cluster, "DROP DATABASE dialtone_sandbox", "DROP DATABASE others", "CREATE DATABASE dialtone_sandbox")
	conn, err := pgx.Connect(t.Context(), cluster.URL("dialtone_sandbox"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE treasures ()"); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close(t.Context())
	lost.Environ = append(lost.Environ, "DATABASE_URL="+cluster.URL("postgres"))
	if _, err := sandbox.Start(t.Context(), lost); err == nil || !strings.Contains(err.Error(), "no sandbox made") {
		t.Fatalf("a database that no sandbox made was taken: %v", err)
	}
	database(t, cluster, "SELECT 1 FROM pg_database WHERE datname = 'dialtone_sandbox'")
}

// play starts a sandbox, plays the journey, and stops it.
func play(t *testing.T, config sandbox.Config) {
	t.Helper()
	s, err := sandbox.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	played := s.Once(t.Context(), sandbox.JourneyNew)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if played != nil {
		t.Fatal(played)
	}
}

func database(t *testing.T, cluster *postgrestest.Cluster, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), cluster.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for _, statement := range statements {
		tag, err := conn.Exec(t.Context(), statement)
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		if tag.Select() && tag.RowsAffected() == 0 {
			t.Errorf("%s found nothing", statement)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

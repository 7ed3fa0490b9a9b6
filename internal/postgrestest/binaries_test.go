package postgrestest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// install makes a directory with an initdb and a postgres of the version.
func install(t *testing.T, dir, version string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
	for _, name := range []string{"initdb", "postgres"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func notOnPath(string) (string, error) { return "", exec.ErrNotFound }

func TestInstallations_PathFirstThenNewest(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, dir := range []string{"9.6", "15", "17", "16"} {
		install(t, filepath.Join(root, dir, "bin"), dir)
	}
	pattern := filepath.Join(root, "*", "bin")
	onPath := func(string) (string, error) { return filepath.Join(root, "15", "bin", "initdb"), nil }

	var got []string
	for _, dir := range installations(onPath, []string{pattern}) {
		got = append(got, strings.TrimPrefix(dir, root))
	}

	want := []string{"/15/bin", "/17/bin", "/16/bin", "/15/bin", "/9.6/bin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	older, newer, broken := filepath.Join(root, "15"), filepath.Join(root, "17"), filepath.Join(root, "18")
	install(t, older, "15.18 (Debian 15.18-0+deb12u1)")
	install(t, newer, "17.2")
	install(t, broken, "?")
	dirs := []string{filepath.Join(root, "none"), broken, newer, older}

	for name, test := range map[string]struct{ major, want string }{
		"the first that runs":      {"", newer},
		"the one that can read it": {"15", older},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := choose(t.Context(), dirs, account{}, test.major)
			if err != nil {
				t.Fatal(err)
			}
			if got.postgres != filepath.Join(test.want, "postgres") {
				t.Errorf("got %s, want that of %s", got.postgres, test.want)
			}
		})
	}
}

func TestChoose_SaysWhatToInstall(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	install(t, filepath.Join(root, "17"), "17.2")

	_, none := choose(t.Context(), installations(notOnPath, nil), account{}, "")
	_, other := choose(t.Context(), []string{filepath.Join(root, "17")}, account{}, "14")

	if !errors.Is(none, ErrNotInstalled) || strings.Contains(none.Error(), "\n") {
		t.Errorf("without any: %v", none)
	}
	if other == nil || !strings.Contains(other.Error(), "install Postgres 14") {
		t.Errorf("with another version: %v", other)
	}
}

func TestVersionInPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]float64{
		"/usr/lib/postgresql/15/bin":          15,
		"/opt/homebrew/opt/postgresql@17/bin": 17,
		"/usr/lib/postgresql/9.6/bin":         9.6,
		"/opt/homebrew/opt/postgresql/bin":    0,
	} {
		if got := versionInPath(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

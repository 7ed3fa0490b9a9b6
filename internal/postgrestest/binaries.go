package postgrestest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNotInstalled says, in one line, that there is no Postgres here and what to install.
var ErrNotInstalled = errors.New("no Postgres on this machine (initdb and postgres): " +
	"`apt-get install postgresql` (Debian, Ubuntu), `brew install postgresql@17` (macOS), " +
	"or put the directory that has them on PATH")

// binaries are the programs of one installation.
type binaries struct {
	initdb, postgres string
	// major is the version whose data directories they can read, as in "15".
	major string
}

// findBinaries returns the first installation that the account can run and that, if major
// is not empty, reads data directories of that version.
func findBinaries(ctx context.Context, a account, major string) (binaries, error) {
	return choose(ctx, installations(exec.LookPath, installPatterns()), a, major)
}

// installPatterns are the places where packages put what they do not put on PATH.
func installPatterns() []string {
	return []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
	}
}

// installations lists candidates: what is on PATH first, then the newest.
func installations(look func(string) (string, error), patterns []string) []string {
	var found []string
	for _, pattern := range patterns {
		dirs, _ := filepath.Glob(pattern) // the patterns are constants and well formed
		found = append(found, dirs...)
	}
	slices.SortStableFunc(found, func(a, b string) int {
		return cmp.Compare(versionInPath(b), versionInPath(a))
	})
	if path, err := look("initdb"); err == nil {
		found = slices.Insert(found, 0, filepath.Dir(path))
	}
	return found
}

// versionInPath is the last number in the path, 0 without one.
func versionInPath(path string) float64 {
	numbers := regexp.MustCompile(`\d+(\.\d+)?`).FindAllString(path, -1)
	if len(numbers) == 0 {
		return 0
	}
	version, err := strconv.ParseFloat(numbers[len(numbers)-1], 64)
	if err != nil {
		return 0
	}
	return version
}

func choose(ctx context.Context, dirs []string, a account, major string) (binaries, error) {
	var others []string
	for _, dir := range dirs {
		b, ok := tryInstallation(ctx, dir, a)
		switch {
		case ok && (major == "" || major == b.major):
			return b, nil
		case ok:
			others = append(others, b.major)
		}
	}
	if len(others) == 0 {
		return binaries{}, ErrNotInstalled
	}
	return binaries{}, fmt.Errorf("the cluster was made by Postgres %s, and this machine has %s: install Postgres %s, or delete the cluster's directory",
		major, strings.Join(others, ", "), major)
}

// tryInstallation runs it, since a file that is there may still not be the account's to
// run.
func tryInstallation(ctx context.Context, dir string, a account) (binaries, bool) {
	b := binaries{initdb: filepath.Join(dir, "initdb"), postgres: filepath.Join(dir, "postgres")}
	if _, err := os.Stat(b.initdb); err != nil {
		return binaries{}, false
	}
	said, err := a.command(ctx, "/", b.postgres, "--version").Output()
	if err != nil {
		return binaries{}, false
	}
	match := regexp.MustCompile(`\(PostgreSQL\) (\d+)`).FindSubmatch(said)
	if match == nil {
		return binaries{}, false
	}
	b.major = string(match[1])
	return b, true
}

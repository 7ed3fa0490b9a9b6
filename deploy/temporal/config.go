package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// settings are all that the process is told, checked. Its fields are exported because
// fmt would otherwise print a database's fields instead of asking its String.
type settings struct {
	Frontend       netip.AddrPort
	UI             netip.AddrPort // the zero value: no UI
	Store          database
	Visibility     database
	LogLevel       string
	ExitWithParent bool
}

// database is one Postgres database. Its url holds the password, so a database prints
// as its name only, and the Temporal server is handed open rather than the url.
type database struct {
	name string
	url  string
}

// String keeps the password out of whatever prints a database.
func (d database) String() string { return d.name }

// GoString does the same for %#v.
func (d database) GoString() string { return d.name }

// readSettings reads the settings from env, where unset and empty are the same. Its error
// names every variable at fault and repeats no value that could hold a secret.
func readSettings(env func(string) string) (settings, error) {
	r := reader{env: env}
	s := settings{
		Frontend:       read(&r, "TEMPORAL_LISTEN", "127.0.0.1:7233", parseLoopback),
		UI:             read(&r, "TEMPORAL_UI_LISTEN", "127.0.0.1:8233", parseLoopbackOrOff),
		Store:          read(&r, "TEMPORAL_DATABASE_URL", "", parseDatabase),
		Visibility:     read(&r, "TEMPORAL_VISIBILITY_DATABASE_URL", "", parseDatabase),
		LogLevel:       read(&r, "TEMPORAL_LOG_LEVEL", "warn", parseLogLevel),
		ExitWithParent: read(&r, "EXIT_WITH_PARENT", "0", parseSwitch),
	}
	r.check("TEMPORAL_VISIBILITY_DATABASE_URL", refuseSame(s.Store, s.Visibility))
	if s.UI == s.Frontend && s.UI.Port() != 0 {
		r.check("TEMPORAL_UI_LISTEN", errors.New("is TEMPORAL_LISTEN's address"))
	}
	if len(r.faults) > 0 {
		return settings{}, fmt.Errorf("the environment is not right:\n%w", errors.Join(r.faults...))
	}
	return s, nil
}

// reader gathers the faults of one reading.
type reader struct {
	env    func(string) string
	faults []error
}

// check keeps err, if there is one, under the variable's name.
func (r *reader) check(name string, err error) {
	if err != nil {
		r.faults = append(r.faults, fmt.Errorf("  %s %w", name, err))
	}
}

// read is a function because methods have no type parameters.
func read[T any](r *reader, name, fallback string, parse func(string) (T, error)) T {
	text := r.env(name)
	if text == "" {
		text = fallback
	}
	value, err := parse(text)
	r.check(name, err)
	return value
}

// parseLoopback accepts an address that only this machine can reach. There is no
// authorizer behind the frontend, and the UI can terminate any workflow.
func parseLoopback(text string) (netip.AddrPort, error) {
	if port, isLocalhost := strings.CutPrefix(text, "localhost:"); isLocalhost {
		text = "127.0.0.1:" + port
	}
	address, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("must look like 127.0.0.1:7233, and is %q", text)
	}
	if !address.Addr().IsLoopback() {
		return netip.AddrPort{}, fmt.Errorf("must be a loopback address, and is %s", address)
	}
	return address, nil
}

// parseLoopbackOrOff gives the zero address for "off".
func parseLoopbackOrOff(text string) (netip.AddrPort, error) {
	if text == "off" {
		return netip.AddrPort{}, nil
	}
	return parseLoopback(text)
}

// parseDatabase accepts a URL that names a host, or a socket directory as ?host=/run/…,
// and a database. It adds sslmode=disable where the URL does not say, because the
// driver's own default asks a laptop's Postgres for TLS first.
func parseDatabase(text string) (database, error) {
	if text == "" {
		return database{}, errors.New("is required")
	}
	// The cause would repeat the URL, password and all.
	location, err := url.Parse(text)
	if err != nil || (location.Scheme != "postgres" && location.Scheme != "postgresql") {
		return database{}, errors.New("must be a postgres:// URL; in a password, percent-encode what is not a letter or a digit")
	}
	query := location.Query()
	if location.Host == "" && query.Get("host") == "" {
		return database{}, errors.New("must name a host, or a socket directory as ?host=/…")
	}
	name := strings.TrimPrefix(location.Path, "/")
	// A slash or an at sign is the tail of a password that was not percent-encoded.
	if name == "" || strings.ContainsAny(name, "/@") {
		return database{}, errors.New("must name a database, as postgres://…/NAME")
	}
	if !query.Has("sslmode") {
		query.Set("sslmode", "disable")
		location.RawQuery = query.Encode()
	}
	if _, err := pgx.ParseConfig(location.String()); err != nil {
		return database{}, fmt.Errorf("is refused by the Postgres driver: %w", withoutURL(err))
	}
	return database{name: name, url: location.String()}, nil
}

// withoutURL leaves the reason of a driver's refusal and takes off the URL that the
// driver, which redacts as well as it can, puts in front of it.
func withoutURL(err error) error {
	if refusal, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		if cause := refusal.Unwrap(); cause != nil {
			return cause
		}
		return errors.New("one of its settings is unknown")
	}
	return err
}

// refuseSame refuses one database for both: each keeps its own schema version in a
// table of the same name, so the second schema would be taken for done.
func refuseSame(store, visibility database) error {
	if store.url == "" || visibility.url == "" {
		return nil // Told already.
	}
	a, err := pgx.ParseConfig(store.url)
	if err != nil {
		return err
	}
	b, err := pgx.ParseConfig(visibility.url)
	if err != nil {
		return err
	}
	if a.Host == b.Host && a.Port == b.Port && a.Database == b.Database {
		return errors.New("must name another database than TEMPORAL_DATABASE_URL")
	}
	return nil
}

// parseLogLevel is here because the server takes a level that it does not know for info.
func parseLogLevel(text string) (string, error) {
	switch text {
	case "debug", "info", "warn", "error":
		return text, nil
	}
	return "", fmt.Errorf("must be debug, info, warn or error, and is %q", text)
}

func parseSwitch(text string) (bool, error) {
	switch text {
	case "0", "1":
		return text == "1", nil
	}
	return false, fmt.Errorf("must be 1 or 0, and is %q", text)
}

package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

const (
	storeURL      = "postgres://temporal:s3cr%20t@127.0.0.1:5433/temporal"
	visibilityURL = "postgres://temporal:s3cr%20t@127.0.0.1:5433/visibility"
)

func TestSettings(t *testing.T) {
	t.Parallel()

	t.Run("DefaultsNeedOnlyTheDatabases", func(t *testing.T) {
		t.Parallel()

		got, err := readSettings(environment(nil))
		if err != nil {
			t.Fatal(err)
		}

		want := settings{
			Frontend:   netip.MustParseAddrPort("127.0.0.1:7233"),
			UI:         netip.MustParseAddrPort("127.0.0.1:8233"),
			Store:      database{name: "temporal", url: storeURL + "?sslmode=disable"},
			Visibility: database{name: "visibility", url: visibilityURL + "?sslmode=disable"},
			LogLevel:   "warn",
		}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})

	t.Run("EverythingCanBeSaid", func(t *testing.T) {
		t.Parallel()

		got, err := readSettings(environment(map[string]string{
			"TEMPORAL_LISTEN":       "localhost:0",
			"TEMPORAL_UI_LISTEN":    "off",
			"TEMPORAL_DATABASE_URL": "postgres://temporal@/temporal?host=/run/pg&sslmode=prefer",
			"TEMPORAL_LOG_LEVEL":    "debug",
			"EXIT_WITH_PARENT":      "1",
		}))
		if err != nil {
			t.Fatal(err)
		}

		want := settings{
			Frontend:       netip.MustParseAddrPort("127.0.0.1:0"),
			Store:          database{name: "temporal", url: "postgres://temporal@/temporal?host=/run/pg&sslmode=prefer"},
			Visibility:     database{name: "visibility", url: visibilityURL + "?sslmode=disable"},
			LogLevel:       "debug",
			ExitWithParent: true,
		}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestSettingsFaults(t *testing.T) {
	t.Parallel()

	t.Run("AreToldAllAtOnce", func(t *testing.T) {
		t.Parallel()

		_, err := readSettings(environment(map[string]string{
			"TEMPORAL_LISTEN":                  "0.0.0.0:7233",
			"TEMPORAL_UI_LISTEN":               "nowhere",
			"TEMPORAL_DATABASE_URL":            "",
			"TEMPORAL_VISIBILITY_DATABASE_URL": "mysql://root:s3cr3t@127.0.0.1/visibility",
			"TEMPORAL_LOG_LEVEL":               "loud",
			"EXIT_WITH_PARENT":                 "maybe",
		}))

		want := strings.Join([]string{
			"the environment is not right:",
			"  TEMPORAL_LISTEN must be a loopback address, and is 0.0.0.0:7233",
			`  TEMPORAL_UI_LISTEN must look like 127.0.0.1:7233, and is "nowhere"`,
			"  TEMPORAL_DATABASE_URL is required",
			"  TEMPORAL_VISIBILITY_DATABASE_URL must be a postgres:// URL; in a password, percent-encode what is not a letter or a digit",
			`  TEMPORAL_LOG_LEVEL must be debug, info, warn or error, and is "loud"`,
			`  EXIT_WITH_PARENT must be 1 or 0, and is "maybe"`,
		}, "\n")
		if err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	})

	for name, url := range map[string]string{
		"NoHost":            "postgres:///temporal",
		"NoDatabase":        "postgres://temporal:s3cr3t@127.0.0.1",
		"HashInPassword":    "postgres://temporal:s3cr3t#more@127.0.0.1/temporal",
		"SlashInPassword":   "postgres://temporal:s3cr3t/more@127.0.0.1/temporal",
		"PasswordLikeAPort": "postgres://temporal:5433/s3cr3t@127.0.0.1/temporal",
		"UnknownSSLMode":    "postgres://temporal:s3cr3t@127.0.0.1/temporal?sslmode=perhaps",
		"SameAsVisibility":  visibilityURL + "?application_name=other",
	} {
		t.Run("RefuseADatabaseWith"+name, func(t *testing.T) {
			t.Parallel()

			_, err := readSettings(environment(map[string]string{"TEMPORAL_DATABASE_URL": url}))

			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "s3cr") {
				t.Errorf("the password is in %q", err)
			}
		})
	}
}

// Whatever verb somebody prints the settings with, now or later.
func TestSettingsPrintNoPassword(t *testing.T) {
	t.Parallel()

	got, err := readSettings(environment(nil))
	if err != nil {
		t.Fatal(err)
	}

	if text := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(text, "s3cr") {
		t.Errorf("the password is in %q", text)
	}
}

// environment is one that is right, changed by with.
func environment(with map[string]string) func(string) string {
	return func(name string) string {
		if value, isSet := with[name]; isSet {
			return value
		}
		return map[string]string{
			"TEMPORAL_DATABASE_URL":            storeURL,
			"TEMPORAL_VISIBILITY_DATABASE_URL": visibilityURL,
		}[name]
	}
}

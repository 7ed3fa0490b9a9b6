package config_test

import (
	"io"
	"strings"
	"testing"

	"github.com/dialtone/dialtone/internal/config"
	"github.com/dialtone/dialtone/internal/secret"
)

func TestParent_Until(t *testing.T) {
	t.Parallel()
	in, parent := io.Pipe()
	tied := config.Parent{Exit: true}.Until(t.Context(), in)
	if tied.Err() != nil {
		t.Fatal("it ends while the parent lives")
	}
	_ = parent.Close()
	<-tied.Done()

	if free := (config.Parent{}).Until(t.Context(), strings.NewReader("")); free.Err() != nil {
		t.Error("it ends although it is not tied")
	}
}

func TestDatabase_User(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://front:p@db:5432/dialtone":        "front",
		"postgresql://front@db/dialtone":             "front",
		"postgres://front%40east:p%40ss@a:1,b:2/d":   "front@east",
		"postgres://db/dialtone":                     "",
		"postgres:///dialtone?host=/run/postgresql":  "",
		"postgres://bad%zz:p@db:5432/dialtone?x=a@b": "",
	} {
		if got := (config.Database{URL: secret.New(url)}).User(); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}

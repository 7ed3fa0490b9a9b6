package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/secret"
)

func TestString_Hides(t *testing.T) {
	t.Parallel()
	type client struct {
		Key     secret.String
		private secret.String
	}
	value := secret.New("hunter2")
	holder := client{Key: value, private: value}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("said", "key", value, "pointer", &value, "holder", holder)
	marshalled, err := json.Marshal(map[string]any{"value": value, "holder": holder, "key": map[string]secret.String{"a": value}})
	if err != nil {
		t.Fatal(err)
	}
	said := []string{log.String(), string(marshalled), value.String(), value.GoString()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, printed := range []any{value, &value, holder, &holder, []secret.String{value}, map[string]secret.String{"a": value}} {
			said = append(said, fmt.Sprintf(verb, printed))
		}
	}

	for _, text := range said {
		if strings.Contains(text, "hunter2") || strings.Contains(text, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("the secret shows in %s", text)
		}
	}
	if got := fmt.Sprintf("%v|%s|%#v", value, value, value); got != "***|***|***" {
		t.Errorf("got %s", got)
	}
	if value.Reveal() != "hunter2" {
		t.Errorf("revealed as %q", value.Reveal())
	}
}

func TestString_IsRead(t *testing.T) {
	t.Parallel()
	var got struct{ Key, None secret.String }
	if err := json.Unmarshal([]byte(`{"Key":"hunter2"}`), &got); err != nil {
		t.Fatal(err)
	}

	if got.Key.Reveal() != "hunter2" || got.Key.Empty() || !got.None.Empty() {
		t.Errorf("got %q and %q", got.Key.Reveal(), got.None.Reveal())
	}
	if !got.Key.Equal(secret.New("hunter2")) || got.Key.Equal(secret.New("hunter3")) || got.Key.Equal(got.None) {
		t.Error("Equal does not compare the texts")
	}
	if diff := cmp.Diff(secret.New("a"), secret.New("b")); diff == "" || !cmp.Equal(secret.String{}, secret.New("")) {
		t.Errorf("cmp does not compare the texts: %s", diff)
	}
}

package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// temporals are the variables that Temporal's envconfig reads and that we tell people of.
func temporals() []string {
	return []string{
		"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_API_KEY", "TEMPORAL_TLS",
		"TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CLIENT_KEY_PATH",
		"TEMPORAL_TLS_SERVER_CA_CERT_PATH", "TEMPORAL_TLS_SERVER_NAME",
	}
}

// fieldsOf lists the fields of a struct, and of the structs in it, that have a variable.
func fieldsOf(settings reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for i := range settings.NumField() {
		if field := settings.Field(i); field.Tag.Get("env") != "" {
			fields = append(fields, field)
		} else {
			fields = append(fields, fieldsOf(field.Type)...)
		}
	}
	return fields
}

func binaries() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[Server](), reflect.TypeFor[Worker](), reflect.TypeFor[Migrate](),
		reflect.TypeFor[Console](), reflect.TypeFor[CLI](),
	}
}

// Ensure that deploy/env.example lists every variable that is read, no other, and the
// defaults that hold.
func TestEnvExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/env.example")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	comment := false
	for line := range strings.Lines(string(text)) {
		match := regexp.MustCompile(`^#?([A-Z][A-Z0-9_]*)=(.*)\n$`).FindStringSubmatch(line)
		if match == nil {
			comment = strings.HasPrefix(line, "# ") || comment && line != "\n"
			continue
		}
		if _, twice := got[match[1]]; twice || !comment {
			t.Errorf("%s stands there twice or without a comment", match[1])
		}
		got[match[1]] = match[2]
	}

	want := map[string]string{"TEMPORAL_ADDRESS": "localhost:7233", "TEMPORAL_NAMESPACE": "default"}
	for _, name := range temporals() {
		want[name] += ""
	}
	for _, binary := range binaries() {
		for _, field := range fieldsOf(binary) {
			_, fallback, _ := strings.Cut(field.Tag.Get("env"), "default=")
			want[variableName(field)] = fallback
		}
	}
	want["ADMIN_LISTEN"] = "" // each binary has its own
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deploy/env.example (-want +got):\n%s", diff)
	}
}

func TestFields_SayWhatWouldBeRight(t *testing.T) {
	t.Parallel()
	for _, binary := range binaries() {
		for _, field := range fieldsOf(binary) {
			if field.Tag.Get("want") == "" {
				t.Errorf("%s.%s has no want tag", binary.Name(), field.Name)
			}
		}
	}
}
